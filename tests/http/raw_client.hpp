#pragma once
/// A client of sockets alone, for what well-behaved clients cannot send.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace test {

/// One answer as it came.
struct RawAnswer {
  int status = 0;
  std::map<std::string, std::string> headers; ///< names in lower case; of repeated ones the last
  std::string body;

  std::string header(const std::string& name) const {
    auto at = headers.find(name);
    return at == headers.end() ? "" : at->second;
  }
};

/// A blocking connection. Waits at most `patience` for bytes; a wait that fails is an exception.
class RawClient {
 public:
  static constexpr std::chrono::seconds patience{30};

  explicit RawClient(std::uint16_t port, const std::string& address = "127.0.0.1") {
    const bool v6 = address.find(':') != std::string::npos;
    fd_ = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_storage to{};
    socklen_t size = 0;
    if (v6) {
      auto& in6 = reinterpret_cast<sockaddr_in6&>(to);
      in6.sin6_family = AF_INET6;
      in6.sin6_port = htons(port);
      inet_pton(AF_INET6, address.c_str(), &in6.sin6_addr);
      size = sizeof in6;
    } else {
      auto& in = reinterpret_cast<sockaddr_in&>(to);
      in.sin_family = AF_INET;
      in.sin_port = htons(port);
      inet_pton(AF_INET, address.c_str(), &in.sin_addr);
      size = sizeof in;
    }
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&to), size) != 0)
      fail("connect");
  }
  RawClient(RawClient&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), buffer_(std::move(other.buffer_)) {}
  RawClient(const RawClient&) = delete;
  ~RawClient() { close(); }

  void close() {
    if (fd_ >= 0)
      ::close(std::exchange(fd_, -1));
  }
  /// The other side sees a reset.
  void reset() {
    linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }

  RawClient& send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0)
        fail("send");
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return *this;
  }
  /// A whole request with a Host header.
  RawClient& ask(const std::string& method, const std::string& target, const std::string& more_headers = "") {
    return send(method + " " + target + " HTTP/1.1\r\nHost: test\r\n" + more_headers + "\r\n");
  }
  /// Sends a request and reads its answer.
  RawAnswer get(const std::string& target, const std::string& more_headers = "") {
    return ask("GET", target, more_headers).answer();
  }

  /// The next answer. \p bodyless: to a HEAD.
  RawAnswer answer(bool bodyless = false) {
    RawAnswer result;
    const auto head = take_until("\r\n\r\n");
    result.status = std::stoi(head.substr(9, 3));
    for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
      const auto end = head.find("\r\n", at);
      const auto line = head.substr(at, end - at);
      const auto colon = line.find(": ");
      if (colon != std::string::npos)
        result.headers[lower(line.substr(0, colon))] = line.substr(colon + 2);
      at = end == std::string::npos ? head.size() : end + 2;
    }
    if (!bodyless && result.status != 304)
      result.body = take(std::stoul(result.header("content-length")));
    return result;
  }
  /// Waits for the first bytes of an answer.
  RawClient& begun() {
    while (buffer_.empty() && more())
      ;
    return *this;
  }
  /// Whether the other side closes without another byte.
  bool closed() { return buffer_.empty() && !more(); }
  /// Whether anything was received that was not read.
  bool silent() const { return buffer_.empty(); }

 private:
  static std::string lower(std::string text) {
    for (auto& c : text)
      c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
  }
  [[noreturn]] static void fail(const char* what) {
    throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
  }
  /// False: the other side closed.
  bool more() {
    pollfd look{fd_, POLLIN, 0};
    const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(patience).count();
    if (::poll(&look, 1, static_cast<int>(limit)) <= 0)
      throw std::runtime_error("nothing came");
    char bytes[65536];
    const auto size = ::recv(fd_, bytes, sizeof bytes, 0);
    if (size < 0 && errno != ECONNRESET)
      fail("recv");
    if (size <= 0)
      return false;
    buffer_.append(bytes, static_cast<std::size_t>(size));
    return true;
  }
  std::string take(std::size_t size) {
    while (buffer_.size() < size)
      if (!more())
        throw std::runtime_error("closed within a body");
    auto result = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return result;
  }
  std::string take_until(std::string_view mark) {
    for (;;) {
      const auto at = buffer_.find(mark);
      if (at != std::string::npos)
        return take(at + mark.size());
      if (!more())
        throw std::runtime_error("closed before an answer");
    }
  }

  int fd_ = -1;
  std::string buffer_;
};

} // namespace test
