#pragma once
/// An HTTP server that says what a test tells it to, byte for byte, over a real socket.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace scripted {

struct Request {
  std::string method;
  std::string target;
  std::string head; ///< as it came, with the request line
  std::string body;
  int connection = 0; ///< 1 for the first

  /// Empty where there is none.
  std::string header(const std::string& name) const {
    const auto at = lower(head).find("\r\n" + lower(name) + ": ");
    if (at == std::string::npos)
      return {};
    const auto begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
  static std::string lower(std::string text) {
    for (auto& c : text)
      c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
  }
};

struct Answer {
  enum class Then { keep, close, reset, hold };
  std::string bytes;
  Then then = Then::keep;
  /// Between one byte and the next; zero: all at once.
  std::chrono::milliseconds drip{0};
};

/// A whole answer; `headers` are lines that end in CRLF.
inline Answer answer(int status, const std::string& body, const std::string& headers = "",
                     const std::string& type = "application/json; charset=utf-8") {
  return {"HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: " + type +
          "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body};
}
inline Answer no_content() { return {"HTTP/1.1 204 No Content\r\n\r\n"}; }
/// Takes the request and says nothing until the client goes.
inline Answer silence() { return {"", Answer::Then::hold}; }

/// Serves on a port of its own until it is destroyed, each connection in a thread.
class Server {
 public:
  using Script = std::function<Answer(const Request&)>;

  /// The script runs in the connections' threads.
  explicit Server(Script script) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("no port for the scripted server");
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread{[this] { accept(); }};
  }
  /// Gives these answers, one to each request, and 500 after the last.
  explicit Server(std::vector<Answer> answers) : Server(in_turn(std::move(answers))) {}

  ~Server() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    {
      std::lock_guard lock(mutex_);
      for (const int fd : open_)
        ::shutdown(fd, SHUT_RDWR);
    }
    for (auto& thread : threads_)
      thread.join();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<Request> requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
  }
  int connections() const {
    std::lock_guard lock(mutex_);
    return connections_;
  }
  /// Whether so many requests came within the time.
  bool wait_for_requests(std::size_t count, std::chrono::milliseconds limit) const {
    std::unique_lock lock(mutex_);
    return arrived_.wait_for(lock, limit, [&] { return requests_.size() >= count; });
  }

 private:
  static Script in_turn(std::vector<Answer> answers) {
    return
        [answers = std::move(answers), next = std::make_shared<std::atomic<std::size_t>>(0)](const Request&) {
          const auto turn = (*next)++;
          return turn < answers.size() ? answers[turn] : answer(500, R"({"message":"the script is over"})");
        };
  }

  void accept() {
    while (true) {
      const int fd = ::accept(listener_, nullptr, nullptr);
      if (fd < 0)
        return;
      std::lock_guard lock(mutex_);
      open_.push_back(fd);
      threads_.emplace_back([this, fd, number = ++connections_] { serve(fd, number); });
    }
  }

  void serve(int fd, int number) {
    std::string input;
    Request request;
    request.connection = number;
    while (read_request(fd, input, request)) {
      {
        std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      arrived_.notify_all();
      const auto said = script_(request);
      if (!send(fd, said) || said.then != Answer::Then::keep) {
        finish(fd, said.then);
        break;
      }
    }
    std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    ::close(fd);
  }

  static bool read_more(int fd, std::string& input) {
    char buffer[4096];
    const auto count = ::recv(fd, buffer, sizeof buffer, 0);
    if (count > 0)
      input.append(buffer, static_cast<std::size_t>(count));
    return count > 0;
  }

  static bool read_request(int fd, std::string& input, Request& request) {
    std::size_t end = 0;
    while ((end = input.find("\r\n\r\n")) == std::string::npos)
      if (!read_more(fd, input))
        return false;
    request.head = input.substr(0, end + 2);
    input.erase(0, end + 4);
    const auto method = request.head.find(' ');
    request.method = request.head.substr(0, method);
    request.target = request.head.substr(method + 1, request.head.find(' ', method + 1) - method - 1);
    const auto length = request.header("content-length");
    const auto size = length.empty() ? 0 : std::stoul(length);
    while (input.size() < size)
      if (!read_more(fd, input))
        return false;
    request.body = input.substr(0, size);
    input.erase(0, size);
    return true;
  }

  static bool send(int fd, const Answer& said) {
    const auto step = said.drip.count() > 0 ? 1 : said.bytes.size();
    for (std::size_t at = 0; at < said.bytes.size();) {
      const auto count =
          ::send(fd, said.bytes.data() + at, std::min(step, said.bytes.size() - at), MSG_NOSIGNAL);
      if (count <= 0)
        return false;
      at += static_cast<std::size_t>(count);
      if (said.drip.count() > 0)
        std::this_thread::sleep_for(said.drip);
    }
    return true;
  }

  static void finish(int fd, Answer::Then then) {
    std::string ignored;
    if (then == Answer::Then::hold)
      while (read_more(fd, ignored)) {
      }
    if (then == Answer::Then::reset) {
      const linger at_once{1, 0};
      ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
  }

  const Script script_;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  mutable std::condition_variable arrived_;
  std::vector<Request> requests_;
  std::vector<int> open_;
  std::vector<std::thread> threads_; ///< grows in the acceptor alone
  int connections_ = 0;
  std::thread acceptor_;
};

} // namespace scripted
