/// The parameters of `/history.json` and `/usage.json`.
#include "http/parameters.hpp"

#include "actors/domain/names.hpp"

namespace ci::http {

namespace {

constexpr int most_hours = 24 * 30;

std::optional<std::int64_t> read_up_to(ParameterReader& reader, const std::string& name, std::int64_t most) {
  const auto text = reader.optional(name);
  if (!text)
    return std::nullopt;
  const auto number = parse_positive(*text);
  if (number && *number <= most)
    return number;
  reader.note(name, most == INT64_MAX ? "must be a positive decimal integer below 2^63"
                                      : "must be a whole number from 1 to " + std::to_string(most));
  return std::nullopt;
}

std::optional<domain::Time> read_time(ParameterReader& reader, const std::string& name) {
  const auto text = reader.optional(name);
  if (!text)
    return std::nullopt;
  auto time = domain::snapshot_time(*text);
  if (!time)
    reader.note(name, "must be a time of RFC 3339 in UTC, such as 2026-11-23T10:00:00Z");
  return time;
}

} // namespace

domain::HistoryQuery read_history(ParameterReader& reader) {
  domain::HistoryQuery query;
  query.before = read_up_to(reader, "before", INT64_MAX);
  if (const auto limit = read_up_to(reader, "limit", domain::max_history_limit))
    query.limit = static_cast<int>(*limit);
  query.runner = read_up_to(reader, "runner", INT64_MAX);
  query.profile = reader.optional("profile");
  query.event = reader.optional("event");
  query.since = read_time(reader, "since");
  query.until = read_time(reader, "until");
  return query;
}

domain::UsageWindow read_window(ParameterReader& reader, domain::Time now) {
  constexpr std::int64_t usual_hours = 24;
  const auto since = read_time(reader, "since");
  const auto until = read_time(reader, "until");
  const auto hours = read_up_to(reader, "hours", most_hours);
  domain::UsageWindow window;
  window.until = std::min(until.value_or(now), now); // nothing is known of what is to come
  window.since = since.value_or(window.until - std::chrono::hours(hours.value_or(usual_hours)));
  if (since && hours)
    reader.note("hours", "can't be given beside since");
  if (window.since >= window.until)
    reader.note("since", "must be before until, and in the past");
  return window;
}

} // namespace ci::http
