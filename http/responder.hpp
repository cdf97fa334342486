#pragma once
/// The right to answer one request, once.

#include "http/problem.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <string>

namespace ci::http {

/// Travels from the server through handlers and actors to whoever answers. The first answer is sent, later
/// ones are dropped. If it is lost on the way (an actor died, a message was dropped), its destructor answers
/// 503: a client is never left without. Any thread.
class Responder {
 public:
  /// Hands the answer to the server; must not throw, and must not block.
  using Send = std::function<void(const Responder&, Response)>;

  Responder(std::string request_id, std::string instance, Send send)
      : request_id_(std::move(request_id)), instance_(std::move(instance)), send_(std::move(send)) {}
  Responder(const Responder&) = delete;
  Responder& operator=(const Responder&) = delete;
  ~Responder();

  void answer(Response) noexcept;
  void refuse(const Problem&) noexcept;
  bool answered() const noexcept { return answered_; }

  const std::string& request_id() const noexcept { return request_id_; }
  /// The path that was asked for, without the query.
  const std::string& instance() const noexcept { return instance_; }
  /// Pattern of the route, for logs and metrics: one of few words, never the path itself. Only before it is
  /// shared.
  void set_route(std::string route) { route_ = std::move(route); }
  const std::string& route() const noexcept { return route_; }

 private:
  std::string request_id_, instance_, route_ = "none";
  Send send_;
  std::atomic<bool> answered_{false};
};
using ResponderPtr = std::shared_ptr<Responder>;
/// Keeps no request waiting.
using ResponderRef = std::weak_ptr<Responder>;

} // namespace ci::http
