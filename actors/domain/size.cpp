#include "actors/domain/size.hpp"

#include <charconv>
#include <limits>

namespace ci::domain {

namespace {
constexpr std::string_view units = "BKMGTP";
}

std::optional<std::int64_t> parse_size(std::string_view text) {
  if (text.empty())
    return std::nullopt;
  const auto unit = units.find(text.back());
  if (unit == std::string_view::npos)
    return std::nullopt;
  text.remove_suffix(1);
  if (!text.empty() && text.back() == ' ')
    text.remove_suffix(1);
  // from_chars would take a sign, which no size has.
  if (text.empty() || text.front() < '0' || text.front() > '9')
    return std::nullopt;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  const auto shift = 10 * static_cast<int>(unit);
  if (number > std::numeric_limits<std::int64_t>::max() >> shift)
    return std::nullopt;
  return number << shift;
}

std::string format_size(std::int64_t bytes) {
  std::size_t unit = 0;
  while (bytes != 0 && bytes % 1024 == 0 && unit + 1 < units.size()) {
    bytes /= 1024;
    ++unit;
  }
  return std::to_string(bytes) + units[unit];
}

} // namespace ci::domain
