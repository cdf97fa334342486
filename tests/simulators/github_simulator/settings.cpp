#include "tests/simulators/github_simulator/settings.hpp"

#include "tests/simulators/github_simulator/operations.hpp"

#include <array>
#include <utility>

namespace ci::github_simulator {

namespace {

constexpr std::array<std::pair<const char*, Duration Settings::*>, 13> durations = {{
    {"online_delay", &Settings::online_delay},
    {"offline_delay", &Settings::offline_delay},
    {"assign_delay", &Settings::assign_delay},
    {"busy_delay", &Settings::busy_delay},
    {"gone_delay", &Settings::gone_delay},
    {"lease_timeout", &Settings::lease_timeout},
    {"unused_removal", &Settings::unused_removal},
    {"idle_removal", &Settings::idle_removal},
    {"poll_limit", &Settings::poll_limit},
    {"timeout_hold", &Settings::timeout_hold},
    {"rate_window", &Settings::rate_window},
    {"app_token_lifetime", &Settings::app_token_lifetime},
    {"webhook_delay", &Settings::webhook_delay},
}};

constexpr std::array<std::pair<const char*, int Settings::*>, 10> numbers = {{
    {"per_page_cap", &Settings::per_page_cap},
    {"name_limit", &Settings::name_limit},
    {"rate_limit", &Settings::rate_limit},
    {"rate_limit_status", &Settings::rate_limit_status},
    {"secondary_concurrent", &Settings::secondary_concurrent},
    {"secondary_points", &Settings::secondary_points},
    {"secondary_writes", &Settings::secondary_writes},
    {"clock_offset", &Settings::clock_offset},
    {"secondary_status", &Settings::secondary_status},
    {"secondary_retry_after", &Settings::secondary_retry_after},
}};

constexpr std::array<std::pair<const char*, bool Settings::*>, 3> switches = {{
    {"lease_removes_record", &Settings::lease_removes_record},
    {"etags", &Settings::etags},
    {"secondary_limit", &Settings::secondary_limit},
}};

constexpr std::array<std::pair<const char*, std::string Settings::*>, 2> texts = {{
    {"webhook_url", &Settings::webhook_url},
    {"webhook_secret", &Settings::webhook_secret},
}};

template <class Table>
auto find(const Table& table, const std::string& key) -> decltype(&table[0]) {
  for (const auto& entry : table)
    if (key == entry.first)
      return &entry;
  return nullptr;
}

bool is_duration(const Json& value) {
  return value.is_number() && value.get<double>() >= 0 && value.get<double>() <= 1e9;
}

/// Whether the value could be taken.
bool apply_answer_delay(Settings& settings, const Json& value) {
  if (is_duration(value)) {
    settings.answer_delay = {{any_operation, from_seconds(value)}};
    return true;
  }
  if (!value.is_object())
    return false;
  for (const auto& [operation, delay] : value.items()) {
    if (!is_duration(delay) || (operation != any_operation && !is_operation(operation)))
      return false;
    settings.answer_delay[operation] = from_seconds(delay);
  }
  return true;
}

template <class T>
bool apply_lie(std::optional<T>& lie, const Json& value, bool right_type) {
  if (value.is_null())
    lie.reset();
  else if (right_type)
    lie = value.get<T>();
  return value.is_null() || right_type;
}

bool apply_number(Settings& settings, const std::string& key, const Json& value) {
  const auto least = key == "clock_offset" ? -1e9 : key == "secondary_retry_after" ? -1 : 0;
  if (!value.is_number_integer() || value.get<double>() > 1e9 || value.get<double>() < least)
    return false;
  if (key == "per_page_cap" && value == 0)
    return false;
  settings.*(find(numbers, key)->second) = value;
  return true;
}

bool apply(Settings& settings, const std::string& key, const Json& value) {
  if (const auto* entry = find(durations, key)) {
    if (!is_duration(value))
      return false;
    settings.*(entry->second) = from_seconds(value);
    return true;
  }
  if (find(numbers, key))
    return apply_number(settings, key, value);
  if (const auto* entry = find(switches, key)) {
    if (value.is_boolean())
      settings.*(entry->second) = value;
    return value.is_boolean();
  }
  if (const auto* entry = find(texts, key)) {
    if (value.is_string())
      settings.*(entry->second) = value.get<std::string>();
    return value.is_string();
  }
  if (key == "answer_delay")
    return apply_answer_delay(settings, value);
  if (key == "report_busy")
    return apply_lie(settings.report_busy, value, value.is_boolean());
  if (key == "report_status")
    return apply_lie(settings.report_status, value, value.is_string());
  return false;
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

} // namespace

Json to_json(const Settings& settings) {
  Json json = Json::object();
  for (const auto& [key, member] : durations)
    json[key] = to_seconds(settings.*member);
  for (const auto& [key, member] : numbers)
    json[key] = settings.*member;
  for (const auto& [key, member] : switches)
    json[key] = settings.*member;
  for (const auto& [key, member] : texts)
    json[key] = settings.*member;
  json["answer_delay"] = Json::object();
  for (const auto& [operation, delay] : settings.answer_delay)
    json["answer_delay"][operation] = to_seconds(delay);
  json["report_busy"] = or_null(settings.report_busy);
  json["report_status"] = or_null(settings.report_status);
  return json;
}

std::optional<std::string> apply_settings(Settings& settings, const Json& given) {
  auto changed = settings;
  for (const auto& [key, value] : given.items())
    if (!apply(changed, key, value))
      return "no such setting, or no such value of it: " + key;
  settings = std::move(changed);
  return std::nullopt;
}

} // namespace ci::github_simulator
