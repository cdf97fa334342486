#pragma once
/// Growing pauses between tries.

#include "actors/domain/types.hpp"

#include <algorithm>

namespace ci::domain {

/// Doubles from `first` to `most` with each failure in a row. Holds the time from which the next try is
/// allowed.
class Backoff {
 public:
  constexpr Backoff(Duration first, Duration most) : first_(first), most_(most) {}

  /// Whether a try is allowed now.
  bool due(Time now) const { return now >= next_; }
  Time next() const { return next_; }
  int failures() const { return failures_; }
  /// `at_least`: what the other side asked for (retry-after).
  void failed(Time now, Duration at_least = Duration{0}) {
    auto pause = std::min(most_, first_ * (std::int64_t{1} << std::min(failures_, 20)));
    ++failures_;
    next_ = now + std::max(pause, at_least);
  }
  /// As an earlier process left it.
  void restore(int failures, Time next) {
    failures_ = failures;
    next_ = next;
  }
  void succeeded() {
    failures_ = 0;
    next_ = Time{};
  }
  void shift(Duration by) {
    if (next_ != Time{})
      next_ += by;
  }

 private:
  Duration first_, most_;
  int failures_ = 0;
  Time next_{};
};

} // namespace ci::domain
