#pragma once
/// The one clock of the program, and timers.

#include "tests/simulators/github_simulator/moment.hpp"

#include <asio/steady_timer.hpp>

namespace ci::github_simulator {

/// Time that goes on evenly, whatever is done to the host's clock.
class Clock {
 public:
  Moment now() const {
    return wall_ + std::chrono::floor<Duration>(std::chrono::steady_clock::now() - steady_);
  }

 private:
  Moment wall_ = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  std::chrono::steady_clock::time_point steady_ = std::chrono::steady_clock::now();
};

/// Does something once, unless the timer is cancelled or set again.
template <class Action>
void later(asio::steady_timer& timer, Duration delay, Action action) {
  timer.expires_after(std::max(delay, Duration{0}));
  timer.async_wait([action = std::move(action)](const asio::error_code& error) {
    if (!error)
      action();
  });
}

} // namespace ci::github_simulator
