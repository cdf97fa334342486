#include "http/time_text.hpp"

#include <array>
#include <ctime>

namespace ci::http {

namespace {

std::tm utc(domain::Time time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  const auto value = static_cast<std::time_t>(seconds);
  std::tm result{};
  gmtime_r(&value, &result);
  return result;
}

std::string format(domain::Time time, const char* pattern) {
  const auto parts = utc(time);
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), pattern, &parts)};
}

} // namespace

std::string readable_time(domain::Time time) { return format(time, "%Y-%m-%d %H:%M:%S"); }

std::string http_date(domain::Time time) {
  // Not %a and %b: those follow the locale.
  constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto parts = utc(time);
  return std::string(days[parts.tm_wday]) + format(time, ", %d ") + months[parts.tm_mon] +
         format(time, " %Y %H:%M:%S GMT");
}

domain::Time wall_now() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

} // namespace ci::http
