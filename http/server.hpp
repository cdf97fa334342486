#pragma once
/// The HTTP server: sockets in, requests out, answers back. Knows nothing of what is asked.

#include "http/options.hpp"
#include "http/responder.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace ci::http {

/// What became of one request, for the log and the metrics.
struct Served {
  std::string method; ///< as sent: of no bounded set
  std::string route;  ///< pattern, or "none"
  int status = 0;
  double seconds = 0; ///< from the complete request to the answer
  std::string request_id;
};

struct ListenAddress {
  domain::Address address;
  std::uint16_t port = 0;
};

/// What the server calls. `handle` comes in the server's thread and must not block; what it throws becomes a
/// 500.
struct ServerHooks {
  /// \p crowded: the peer has more connections open than it may have.
  std::function<void(Request, const ResponderPtr&, bool crowded)> handle;
  /// Any thread.
  std::function<void(const Served&)> served;
  /// The server's thread: an address is bound; port 0 has become a real one.
  std::function<void(const ListenAddress&)> listening;
  /// The server's thread: an address could not be bound, and why; tried again until it can. Told once a
  /// reason.
  std::function<void(const ListenAddress&, const std::string& reason)> not_listening;
};

/// Listens on each address of the options, in one thread of its own. An address that cannot be bound is tried
/// again while the others serve. Wraps RESTinio, whose gaps it fills: every parsed request gets an answer
/// with a status, HEAD gets no body, and answers never leave from within the parser, which pipelining clients
/// would not survive.
class Server {
 public:
  Server(const Options&, ServerHooks);
  /// As stop() without grace.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void start();
  /// Accepts no more connections and answers new requests on open ones with 503. Any thread but the server's.
  void stop_accepting();
  /// stop_accepting(), then waits for the requests under way for at most \p grace, answers those that are
  /// left with 503, and ends the thread. Any thread but the server's; again does nothing.
  void stop(domain::Duration grace);

  /// After a reload of the settings. Any thread.
  void set_connections_per_source(int);
  /// Addresses that are bound now. Any thread.
  std::vector<ListenAddress> bound() const;
  /// Connections open now, for tests and metrics. Any thread.
  int open_connections() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace ci::http
