#pragma once
/// Time as the model knows it: always an argument, never asked of a clock.

#include <chrono>
#include <string>

namespace ci::github_simulator {

using Duration = std::chrono::milliseconds;
using Moment = std::chrono::sys_time<Duration>;

constexpr Moment never = Moment::max();

/// `moment + duration`, and `never` where that does not fit.
constexpr Moment after(Moment moment, Duration duration) {
  return duration > never - moment ? never : moment + duration;
}

/// `2026-01-02T03:04:05Z`, as GitHub writes times.
std::string to_iso(Moment);
/// `2026-01-02T03:04:05.678Z`, for the control API.
std::string to_iso_with_millis(Moment);
/// `2026-01-02 03:04:05 UTC`, as GitHub writes when a token ends.
std::string to_expiration(Moment);
/// `Fri, 02 Jan 2026 03:04:05 GMT`, for the Date header.
std::string to_http_date(Moment);

Duration from_seconds(double seconds);
double to_seconds(Duration);

} // namespace ci::github_simulator
