#pragma once
/// The monitor's clock: wall time that advances steadily.

#include "actors/domain/types.hpp"

#include <optional>

namespace ci::domain {

/// Reads as wall time, but advances with the steady clock, so that differences are true ages. When the two
/// clocks part by more than 5 s, it says by how much, and every remembered time moves by that
/// (spec/runners.md).
class MonitorClock {
 public:
  struct Reading {
    Time time{};
    /// Non-zero: the wall clock jumped; shift everything by this. `time` is after the shift.
    Duration jump{0};
  };
  Reading read(Steady steady, Time wall) {
    auto now = std::chrono::floor<Duration>(steady.time_since_epoch());
    if (!offset_)
      offset_ = wall.time_since_epoch() - now;
    Reading r{Time(now + *offset_), Duration{0}};
    auto apart = wall - r.time;
    if (apart > tolerance || apart < -tolerance) {
      *offset_ += apart;
      r.jump = apart;
      r.time = wall;
    }
    return r;
  }

 private:
  static constexpr Duration tolerance{5'000};
  std::optional<Duration> offset_;
};

} // namespace ci::domain
