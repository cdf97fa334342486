#pragma once
/// Answers as GitHub last gave them, so as to ask only whether anything has changed: a 304 costs nothing of the hour's
/// budget. It is GitHub that says so each time; nothing is answered from here alone.

#include "actors/edge/github_http.hpp"

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace ci::edge {

/// Of single GETs, by address. Those that were used least lately are forgotten. Any thread.
class GithubEtags {
 public:
  struct Known {
    std::string etag, content_type, link, body;
  };
  using KnownPtr = std::shared_ptr<const Known>;

  /// At most so many bytes of bodies are remembered.
  explicit GithubEtags(std::size_t max_bytes) : max_bytes_(max_bytes) {}
  /// Null where there is none.
  KnownPtr find(const std::string& url);
  /// A 200; without a tag nothing is remembered.
  void put(const std::string& url, const HttpAnswer&);
  /// Of what is gone: runners come and go by the thousand, and none is asked for again.
  void forget(const std::string& url);
  /// For another token, which may see other things.
  void clear();

  /// What a 304 means: what is known, with the rest (date, limits) as it came.
  static HttpAnswer unchanged(const Known&, HttpAnswer);

 private:
  using Entry = std::pair<std::string, KnownPtr>;
  void drop(std::list<Entry>::iterator);

  const std::size_t max_bytes_;
  std::mutex mutex_;
  std::list<Entry> entries_; ///< used last: first
  std::map<std::string, std::list<Entry>::iterator> places_;
  std::size_t bytes_ = 0;
};

} // namespace ci::edge
