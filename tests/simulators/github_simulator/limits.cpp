#include "tests/simulators/github_simulator/limits.hpp"

#include <algorithm>

namespace ci::github_simulator {

namespace {

constexpr const char* documentation = "/using-the-rest-api/rate-limits-for-the-rest-api";
constexpr int points_of_reading = 1;
constexpr int points_of_writing = 5;

} // namespace

void Limits::advance(const Settings& settings, Moment now) {
  if (now < after(window_begins_, settings.rate_window))
    return;
  window_begins_ = now;
  used_ = 0;
}

std::optional<Answer> Limits::admit(const std::string& method, const std::string& operation, bool free,
                                    const Settings& settings, Moment now) {
  advance(settings, now);
  if (auto refusal = too_much_at_once(method, operation, settings, now))
    return refusal;
  if (!free && used_ >= settings.rate_limit)
    return error_answer(settings.rate_limit_status,
                        "API rate limit exceeded for user ID 1. If you reach out to GitHub Support for help, "
                        "please include the request ID.",
                        documentation);
  if (!free)
    ++used_;
  ++in_flight_;
  return std::nullopt;
}

std::optional<Answer> Limits::too_much_at_once(const std::string& method, const std::string& operation,
                                               const Settings& settings, Moment now) {
  if (!settings.secondary_limit)
    return std::nullopt;
  auto& minute = minutes_[operation];
  if (now >= after(minute.begins, Duration{60'000}))
    minute = {now, 0};
  if (now >= after(writes_.begins, Duration{60'000}))
    writes_ = {now, 0};
  const bool writes = method != "GET";
  minute.points += writes ? points_of_writing : points_of_reading;
  writes_.points += writes ? 1 : 0;
  if (minute.points <= settings.secondary_points && (!writes || writes_.points <= settings.secondary_writes) &&
      in_flight_ < settings.secondary_concurrent)
    return std::nullopt;
  auto answer =
      error_answer(settings.secondary_status,
                   "You have exceeded a secondary rate limit. Please wait a few minutes before you try "
                   "again.",
                   documentation);
  if (settings.secondary_retry_after >= 0)
    answer.set_header("retry-after", std::to_string(settings.secondary_retry_after));
  return answer;
}

void Limits::refund() { used_ = std::max(0, used_ - 1); }

/// Whole seconds, rounded up: a client that waits until then finds the new hour begun.
std::int64_t Limits::reset(const Settings& settings) const {
  const auto end = after(window_begins_, settings.rate_window);
  return std::chrono::ceil<std::chrono::seconds>(end).time_since_epoch().count();
}

Json Limits::budget(const Settings& settings) const {
  return {{"limit", settings.rate_limit},
          {"used", used_},
          {"remaining", std::max(0, settings.rate_limit - used_)},
          {"reset", reset(settings)}};
}

void Limits::add_headers(Answer& answer, const Settings& settings) const {
  const auto headers = budget(settings); // named: items() refers to it
  for (const auto& [name, value] : headers.items())
    answer.set_header("x-ratelimit-" + name, value.dump());
  answer.set_header("x-ratelimit-resource", "core");
}

nlohmann::json Limits::save() const {
  return {{"begins", window_begins_.time_since_epoch().count()}, {"used", used_}};
}

void Limits::load(const nlohmann::json& state) {
  window_begins_ = Moment{Duration{state.at("begins").get<std::int64_t>()}};
  state.at("used").get_to(used_);
}

} // namespace ci::github_simulator
