#include "http/time_text.hpp"

#include <algorithm>
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

std::optional<domain::Time> parse_http_date(std::string_view text) {
  constexpr std::size_t length = 29; // "Mon, 23 Nov 2026 10:00:00 GMT"
  if (text.size() != length)
    return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t digits) {
    int value = 0;
    for (const char c : text.substr(at, digits))
      value = c >= '0' && c <= '9' && value >= 0 ? value * 10 + (c - '0') : -1;
    return value;
  };
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const auto month = months.find(text.substr(8, 3));
  const std::chrono::year_month_day day{
      std::chrono::year(number(12, 4)),
      std::chrono::month(static_cast<unsigned>(month == months.npos ? 0 : month / 3 + 1)),
      std::chrono::day(static_cast<unsigned>(std::max(number(5, 2), 0)))};
  const int hour = number(17, 2), minute = number(20, 2), second = number(23, 2);
  const bool in_range = day.ok() && number(12, 4) >= 0 && hour >= 0 && hour < 24 && minute >= 0 &&
                        minute < 60 && second >= 0 && second <= 60;
  if (!in_range)
    return std::nullopt;
  const domain::Time time = std::chrono::sys_days(day) + std::chrono::hours(hour) +
                            std::chrono::minutes(minute) + std::chrono::seconds(second);
  // The rest of the text has no choice.
  return http_date(time) == text ? std::optional(time) : std::nullopt;
}

domain::Time wall_now() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

} // namespace ci::http
