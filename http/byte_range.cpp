#include "http/byte_range.hpp"

#include "http/response.hpp"
#include "http/time_text.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace ci::http {

namespace {

/// Digits; what does not fit is as large as can be: it lies behind every end.
std::optional<std::int64_t> offset_of(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != text.npos)
    return std::nullopt;
  std::int64_t value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc())
    return std::numeric_limits<std::int64_t>::max();
  return value;
}

struct Asked {
  bool well_formed = false;
  std::optional<ByteRange> range; ///< none: there is no such part
};

Asked parse_range(std::string_view text, std::int64_t size) {
  constexpr std::string_view unit = "bytes=";
  if (!equal_caseless(text.substr(0, unit.size()), unit))
    return {};
  text.remove_prefix(unit.size());
  const auto dash = text.find('-');
  if (dash == text.npos)
    return {};
  const auto first = text.substr(0, dash), last = text.substr(dash + 1);
  const auto begin = offset_of(first), end = offset_of(last);
  if (first.empty()) { // the last so many bytes
    if (!end)
      return {};
    return {true, *end > 0 && size > 0
                      ? std::optional(ByteRange{std::max<std::int64_t>(size - *end, 0), size})
                      : std::nullopt};
  }
  if (!begin || (!last.empty() && (!end || *end < *begin)))
    return {};
  if (*begin >= size)
    return {true, std::nullopt};
  return {true, ByteRange{*begin, last.empty() ? size : std::min(*end, size - 1) + 1}};
}

domain::Time whole_seconds(domain::Time time) { return std::chrono::floor<std::chrono::seconds>(time); }

bool is_had_already(const Request& request, const domain::FileVersion& version) {
  if (!values_of(request.headers, "If-None-Match").empty())
    return none_match_names(request, version.etag);
  const auto since = values_of(request.headers, "If-Modified-Since");
  const auto time = since.size() == 1 ? parse_http_date(since.front()) : std::nullopt;
  return time && whole_seconds(version.modified_at) <= *time;
}

bool range_counts(const Request& request, const domain::FileVersion& version) {
  const auto conditions = values_of(request.headers, "If-Range");
  if (conditions.empty())
    return true;
  if (conditions.size() != 1)
    return false;
  if (conditions.front() == version.etag)
    return true;
  const auto time = parse_http_date(conditions.front());
  return time && *time == whole_seconds(version.modified_at);
}

bool is_condition(std::string_view name) {
  return equal_caseless(name, "If-None-Match") || equal_caseless(name, "If-Modified-Since") ||
         equal_caseless(name, "If-Range") || equal_caseless(name, "Range");
}

} // namespace

Selection select_bytes(const Request& request, const domain::FileVersion& version) {
  const Selection whole{200, {0, version.size}};
  if (is_had_already(request, version))
    return {304, whole.range};
  const auto ranges = values_of(request.headers, "Range");
  if (ranges.size() != 1 || request.method != "GET" || !range_counts(request, version))
    return whole;
  const auto asked = parse_range(ranges.front(), version.size);
  if (!asked.well_formed)
    return whole;
  return asked.range ? Selection{206, *asked.range} : Selection{416, {}};
}

Request conditions_of(const Request& request) {
  Request conditions;
  conditions.method = request.method;
  for (const auto& header : request.headers)
    if (is_condition(header.first))
      conditions.headers.push_back(header);
  return conditions;
}

} // namespace ci::http
