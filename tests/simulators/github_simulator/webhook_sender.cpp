#include "tests/simulators/github_simulator/webhook_sender.hpp"

#include "tests/simulators/github_simulator/clock.hpp"
#include "tests/simulators/github_simulator/text.hpp"

#include <asio/connect.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>

namespace ci::github_simulator {

namespace {

using asio::ip::tcp;

/// As GitHub has it.
constexpr Duration patience{10'000};
constexpr std::string_view scheme = "http://";

} // namespace

/// One request over a connection of its own; the answer's body is not read.
class WebhookSender::Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  using Over = std::function<void(const std::string& outcome)>;

  Exchange(asio::io_context& io, Over over) : socket_{io}, resolver_{io}, timer_{io}, over_{std::move(over)} {}

  void begin(const Webhook& webhook) {
    const auto rest = std::string_view{webhook.url}.substr(std::min(scheme.size(), webhook.url.size()));
    const auto authority = std::string{rest.substr(0, rest.find('/'))};
    const auto colon = authority.rfind(':');
    const auto host = authority.substr(0, colon);
    const auto port = colon == std::string::npos ? "80" : authority.substr(colon + 1);
    request_ = "POST " + std::string{rest.substr(authority.size())} + " HTTP/1.1\r\nHost: " + authority +
               "\r\nConnection: close\r\nContent-Length: " + std::to_string(webhook.body.size()) + "\r\n";
    for (const auto& [name, value] : webhook.headers)
      request_ += name + ": " + value + "\r\n";
    request_ += "\r\n" + webhook.body;
    later(timer_, patience, [self = shared_from_this()] { self->end("timeout"); });
    resolver_.async_resolve(host, port, [self = shared_from_this()](const asio::error_code& error, const auto& found) {
      if (error)
        return self->end("closed");
      asio::async_connect(self->socket_, found, [self](const asio::error_code& failed, const auto&) {
        failed ? self->end("closed") : self->write();
      });
    });
  }

 private:
  void write() {
    asio::async_write(socket_, asio::buffer(request_),
                      [self = shared_from_this()](const asio::error_code& error, std::size_t) {
                        error ? self->end("closed") : self->read();
                      });
  }
  void read() {
    asio::async_read_until(socket_, asio::dynamic_buffer(answer_, 64 << 10), "\r\n",
                           [self = shared_from_this()](const asio::error_code& error, std::size_t) {
                             const auto words = split(self->answer_, ' ');
                             self->end(error || words.size() < 2 ? "closed" : std::string{words[1]});
                           });
  }
  void end(const std::string& outcome) {
    timer_.cancel();
    asio::error_code ignored;
    socket_.close(ignored);
    if (const auto over = std::exchange(over_, nullptr))
      over(outcome);
  }

  tcp::socket socket_;
  tcp::resolver resolver_;
  asio::steady_timer timer_;
  std::string request_, answer_;
  Over over_;
};

void WebhookSender::send(Webhook webhook) {
  if (webhook.delay.count() == 0)
    return enqueue(std::move(webhook));
  const auto timer = std::make_shared<asio::steady_timer>(io_);
  later(*timer, webhook.delay, [this, timer, webhook = std::move(webhook)] { enqueue(webhook); });
}

void WebhookSender::enqueue(Webhook webhook) {
  queue_.push_back(std::move(webhook));
  if (!current_)
    next();
}

void WebhookSender::next() {
  current_.reset();
  if (queue_.empty())
    return;
  current_ = std::make_shared<Exchange>(io_, [this](const std::string& outcome) {
    done_(queue_.front(), outcome);
    queue_.pop_front();
    asio::post(io_, [this] { next(); });
  });
  current_->begin(queue_.front());
}

} // namespace ci::github_simulator
