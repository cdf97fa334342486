#include "http/render_history.hpp"

#include "actors/domain/names.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

namespace ci::http {

namespace {

using HistoryJson = nlohmann::ordered_json;

std::string written(const HistoryJson& json) {
  return json.dump(-1, ' ', false, HistoryJson::error_handler_t::replace);
}

/// To the millisecond, as the store has it.
double rounded(double seconds) { return std::round(seconds * 1e3) / 1e3; }

HistoryJson rounded_or_null(const std::optional<double>& value) {
  return value ? HistoryJson(rounded(*value)) : HistoryJson(nullptr);
}

HistoryJson line_value(const domain::HistoryLine& line) {
  const auto& event = line.event;
  return {{"number", line.number},
          {"time", domain::rfc3339_milliseconds(event.at)},
          {"event", event.event},
          {"runner", event.runner != 0 ? HistoryJson(event.runner) : HistoryJson(nullptr)},
          {"profile", event.profile.empty() ? HistoryJson(nullptr) : HistoryJson(event.profile)},
          {"detail", event.detail}};
}

HistoryJson spread_value(const domain::Spread& spread) {
  return {{"count", spread.count},
          {"median", rounded_or_null(spread.median)},
          {"p95", rounded_or_null(spread.p95)}};
}

HistoryJson usage_value(const domain::Usage& usage) {
  HistoryJson takes(HistoryJson::value_t::object);
  for (const auto& [outcome, number] : usage.takes)
    takes[outcome] = number;
  return {{"runners_made", usage.runners_made},
          {"runners_online", usage.runners_online},
          {"runners_failed", usage.runners_failed},
          {"jobs", usage.jobs},
          {"starting_seconds", rounded(usage.starting_seconds)},
          {"idle_seconds", rounded(usage.idle_seconds)},
          {"reserved_seconds", rounded(usage.reserved_seconds)},
          {"busy_seconds", rounded(usage.busy_seconds)},
          {"ending_seconds", rounded(usage.ending_seconds)},
          {"utilisation", rounded_or_null(usage.utilisation())},
          {"takes", std::move(takes)},
          {"granted_share", rounded_or_null(usage.granted_share())},
          {"create_to_online", spread_value(usage.create_to_online)},
          {"reserved_to_busy", spread_value(usage.reserved_to_busy)},
          {"end_to_removed", spread_value(usage.end_to_removed)},
          {"end_to_replacement", spread_value(usage.end_to_replacement)}};
}

} // namespace

std::string history_json(const domain::HistoryPage& page) {
  HistoryJson json;
  json["events"] = HistoryJson::array();
  for (const auto& line : page.lines)
    json["events"].push_back(line_value(line));
  json["next"] = page.next ? HistoryJson(*page.next) : HistoryJson(nullptr);
  return written(json);
}

std::string usage_json(const domain::UsageReport& report) {
  HistoryJson json;
  json["since"] = domain::rfc3339_milliseconds(report.window.since);
  json["until"] = domain::rfc3339_milliseconds(report.window.until);
  json["history_since"] = report.history_since
                              ? HistoryJson(domain::rfc3339_milliseconds(*report.history_since))
                              : HistoryJson(nullptr);
  json["profiles"] = HistoryJson(HistoryJson::value_t::object);
  for (const auto& [profile, usage] : report.profiles)
    json["profiles"][profile] = usage_value(usage);
  json["total"] = usage_value(report.total);
  return written(json);
}

} // namespace ci::http
