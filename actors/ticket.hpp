#pragma once
/// A request's ticket: who asked, and whether the monitor has taken it up.

#include <atomic>
#include <memory>
#include <string>

namespace ci {

/// Shared by the HTTP side, which may give up waiting, and the monitor, which may take the request up. Exactly one of
/// the two wins, so a request that was refused for want of time never has an effect. Any thread.
class Ticket {
 public:
  explicit Ticket(std::string request_id) : request_id_(std::move(request_id)) {}

  /// The monitor's side. False: the client was told to come again; do nothing.
  bool take_up() noexcept { return leave(State::taken_up); }
  /// The HTTP side. False: it was taken up already and is carried to its end.
  bool abandon() noexcept { return leave(State::abandoned); }
  /// Stands in every log line that the request causes.
  const std::string& request_id() const noexcept { return request_id_; }

 private:
  enum class State { waiting, taken_up, abandoned };
  bool leave(State to) noexcept {
    auto expected = State::waiting;
    return state_.compare_exchange_strong(expected, to);
  }
  std::atomic<State> state_{State::waiting};
  std::string request_id_;
};
using TicketPtr = std::shared_ptr<Ticket>;

} // namespace ci
