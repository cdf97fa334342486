#pragma once
/// One address that the server listens on.

#include "http/admission.hpp"
#include "http/connections.hpp"
#include "http/options.hpp"
#include "http/server.hpp"

#include <restinio/asio_include.hpp>
#include <restinio/request_handler.hpp>

#include <functional>
#include <memory>
#include <string>

namespace ci::http {

/// Must be called once on an io_context, before the first listener: from then on its connections are counted.
void count_connections(asio::io_context&, std::shared_ptr<ConnectionCounts>,
                       std::vector<domain::Network> trusted_proxies);

/// Binds, accepts, and tries again where it cannot. All in the thread of its io_context, but for construction
/// and destruction, which are for when that does not run.
class Listener {
 public:
  struct Callbacks {
    std::function<restinio::request_handling_status_t(restinio::request_handle_t)> request;
    /// The address is bound; port 0 has become a real one.
    std::function<void(const ListenAddress&)> listening;
    /// It is not bound any more.
    std::function<void(const ListenAddress&)> closed;
    /// It could not be bound, and why. Told once a reason.
    std::function<void(const ListenAddress&, const std::string& reason)> not_listening;
  };

  Listener(asio::io_context&, ListenAddress, const Waits&, Callbacks);
  ~Listener();
  Listener(const Listener&) = delete;

  void open();
  /// For good. Connections that are open stay so.
  void close();

 private:
  class Endpoint;
  void try_to_open();
  void open_later(const std::string& reason);
  void watch();
  void look();

  asio::io_context& io_;
  const Waits waits_;
  const Callbacks callbacks_;
  ListenAddress address_;
  asio::steady_timer timer_;
  std::unique_ptr<Endpoint> endpoint_; ///< null where the address is not bound
  bool closed_ = false;
  std::string last_reason_;
  std::uint64_t accepted_before_ = 0;
  bool was_waiting_ = false;
};

} // namespace ci::http
