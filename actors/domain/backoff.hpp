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
    ++failures_;
    next_ = now + std::max(pause(), at_least);
  }
  /// The other side said when to come again: that is no failure of a kind that calls for longer pauses.
  void wait(Time now, Duration stated) { next_ = now + stated; }
  /// As an earlier process left it. The clock may have been set back since: the pause is no longer for that.
  void restore(Time now, int failures, Time next) {
    failures_ = failures;
    next_ = std::min(next, now + pause());
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
  /// After so many failures in a row.
  Duration pause() const {
    return std::min(most_, first_ * (std::int64_t{1} << std::clamp(failures_ - 1, 0, 20)));
  }

  Duration first_, most_;
  int failures_ = 0;
  Time next_{};
};

} // namespace ci::domain
