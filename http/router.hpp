#pragma once
/// From a method and a path to a handler. RESTinio's routers throw on what clients may send, compare without
/// case and know no 405, so this one is used instead.

#include "http/admission.hpp"
#include "http/responder.hpp"

#include <string>
#include <utility>
#include <vector>

namespace ci::http {

struct Context;
/// Answers, or hands the responder to someone who will. Runs in the server's thread, so it must not block;
/// what it throws becomes a 500.
using Handler = void (*)(Context&, const Request&, const ResponderPtr&);

struct Route {
  const char* method;
  /// `/profile/{key}/take`: `{name}` stands for one segment that is not empty, `{name...}` at the end for one
  /// or more.
  const char* pattern;
  Audience audience;
  Proof proof;
  Handler handler;
  Limited limited = Limited::no;
};

class Router {
 public:
  /// Earlier routes win.
  void add(Route);

  struct Found {
    const Route* route = nullptr;
    std::vector<std::pair<std::string, std::string>> parameters;
    /// Methods of the routes whose pattern fits; empty: no such path.
    std::vector<std::string> allowed;
    /// Of the first route whose pattern fits.
    Audience audience = Audience::everyone;
  };
  /// \p segments are decoded. HEAD is allowed, and finds the GET route, wherever GET is.
  Found find(const std::string& method, const std::vector<std::string>& segments) const;

 private:
  struct Entry {
    Route route;
    std::vector<std::string> pattern;
  };
  std::vector<Entry> entries_;
};

} // namespace ci::http
