#pragma once
/// HTTP as the server sees it. What is behind it is RESTinio's, and only transport.cpp knows that.

#include "tests/simulators/github_simulator/connection_cut.hpp"
#include "tests/simulators/github_simulator/http.hpp"

#include <asio/io_context.hpp>

#include <functional>
#include <memory>

namespace ci::github_simulator {

using Connection = std::uint64_t;

/// A request that an answer is owed. It gets one of send(), send_half(), begin() to end(), and cut().
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual Request request() const = 0;
  virtual Connection connection() const = 0;
  /// Tells afterwards whether the answer could be written.
  virtual void send(const Answer&, std::function<void(bool)> written) = 0;
  /// Half of the body, under the whole Content-Length; then the connection is closed.
  virtual void send_half(const Answer&) = 0;
  /// The headers; the body follows in pieces.
  virtual void begin(const Answer&) = 0;
  virtual void piece(const std::string&) = 0;
  virtual void end() = 0;
  virtual void cut(Cut) = 0;
};

/// What a listener tells, always from within the io_context and never from within a call of its own.
struct ListenerEvents {
  std::function<void(std::uint16_t port)> opened;
  std::function<void(const std::string& why)> failed;
  std::function<void(std::unique_ptr<Exchange>)> asked;
  std::function<void(Connection)> closed;
};

/// Listens as long as the result lives.
std::shared_ptr<void> listen(asio::io_context&, const std::string& address, std::uint16_t port,
                             ListenerEvents);

} // namespace ci::github_simulator
