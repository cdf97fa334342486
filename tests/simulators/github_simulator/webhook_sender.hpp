#pragma once
/// Sends webhooks, one after the other; those that are to be delayed come when they come.

#include "tests/simulators/github_simulator/webhooks.hpp"

#include <asio/io_context.hpp>

#include <deque>
#include <functional>
#include <memory>

namespace ci::github_simulator {

class WebhookSender {
 public:
  /// The status that came back, `closed` or `timeout`.
  using Done = std::function<void(const Webhook&, const std::string& outcome)>;

  WebhookSender(asio::io_context& io, Done done) : io_{io}, done_{std::move(done)} {}

  void send(Webhook);

 private:
  class Exchange;
  void enqueue(Webhook);
  void next();

  asio::io_context& io_;
  Done done_;
  std::deque<Webhook> queue_;
  std::shared_ptr<Exchange> current_;
};

} // namespace ci::github_simulator
