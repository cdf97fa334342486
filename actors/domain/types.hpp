#pragma once
/// Words that every room shares: ids, times, sizes, resources. Pure values; any thread may use them.

#include <chrono>
#include <cstdint>
#include <string>

namespace ci::domain {

/// The monitor's id of a runner: 1, 2, 3 ...; never used twice, not even after a crash.
using RunnerId = std::int64_t;
/// GitHub's id of a registration. Larger than 2^31 in practice.
using RegistrationId = std::int64_t;
/// GitHub's id of a workflow run.
using RunId = std::int64_t;

using Duration = std::chrono::milliseconds;
/// Wall time in milliseconds, as the store and the API show it. Within a process it advances with the steady
/// clock (see clock.hpp), so differences of two such values are true ages.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;
/// A reading of the steady clock: orders observations within this process, never stored.
using Steady = std::chrono::steady_clock::time_point;

/// What one guest takes of the host, and what the host has. Bytes and pages are never negative in a valid
/// setting; they are signed so that "what is left" can be.
struct Resources {
  std::int64_t hugepages_1g = 0;
  std::int64_t memory_bytes = 0;

  Resources& operator+=(const Resources& o) {
    hugepages_1g += o.hugepages_1g;
    memory_bytes += o.memory_bytes;
    return *this;
  }
  Resources& operator-=(const Resources& o) {
    hugepages_1g -= o.hugepages_1g;
    memory_bytes -= o.memory_bytes;
    return *this;
  }
  friend Resources operator+(Resources a, const Resources& b) { return a += b; }
  friend Resources operator-(Resources a, const Resources& b) { return a -= b; }
  friend Resources operator*(const Resources& a, std::int64_t n) {
    return {a.hugepages_1g * n, a.memory_bytes * n};
  }
  friend bool operator==(const Resources&, const Resources&) = default;
  /// Whether `need` fits into this, in every dimension.
  bool holds(const Resources& need) const {
    return need.hugepages_1g <= hugepages_1g && need.memory_bytes <= memory_bytes;
  }
};

} // namespace ci::domain
