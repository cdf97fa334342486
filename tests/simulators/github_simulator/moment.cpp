#include "tests/simulators/github_simulator/moment.hpp"

#include <cmath>
#include <ctime>

namespace ci::github_simulator {

namespace {

std::string format(Moment moment, const char* pattern) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(moment).time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof text, pattern, &parts)};
}

} // namespace

std::string to_iso(Moment moment) { return format(moment, "%Y-%m-%dT%H:%M:%SZ"); }

std::string to_iso_with_millis(Moment moment) {
  const auto millis = (moment - std::chrono::floor<std::chrono::seconds>(moment)).count();
  const auto digits = std::to_string(1000 + millis);
  return format(moment, "%Y-%m-%dT%H:%M:%S.") + digits.substr(1) + "Z";
}

std::string to_expiration(Moment moment) { return format(moment, "%Y-%m-%d %H:%M:%S UTC"); }

std::string to_http_date(Moment moment) { return format(moment, "%a, %d %b %Y %H:%M:%S GMT"); }

Duration from_seconds(double seconds) { return Duration{std::llround(seconds * 1000)}; }

double to_seconds(Duration duration) { return static_cast<double>(duration.count()) / 1000; }

} // namespace ci::github_simulator
