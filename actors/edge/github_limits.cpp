#include "actors/edge/github_limits.hpp"

#include "actors/edge/github_text.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace ci::edge {

using domain::Duration;

namespace {

constexpr Duration unstated_pause{60'000};
/// GitHub counts by the hour; more is a header gone wrong, and would keep us away for ever.
constexpr Duration longest_pause{7'200'000};

std::optional<std::int64_t> header_number(const std::string& text) {
  std::int64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  return result.ec == std::errc{} && result.ptr == end && value >= 0 ? std::optional{value} : std::nullopt;
}

Duration pause_of(std::int64_t count) {
  return std::clamp(Duration{1'000} * std::min<std::int64_t>(count, 1'000'000), Duration{1'000},
                    longest_pause);
}

/// The server's own idea of now, since its dates are by that.
std::int64_t server_now(const HttpAnswer& answer) {
  const auto date = curl_getdate(answer.header("date").c_str(), nullptr);
  return date > 0 ? date : std::time(nullptr);
}

/// Time until the hour's budget begins anew, by x-ratelimit-reset.
std::optional<Duration> until_reset(const HttpAnswer& answer) {
  const auto reset = header_number(answer.header("x-ratelimit-reset"));
  if (!reset)
    return std::nullopt;
  return pause_of(std::max<std::int64_t>(*reset - server_now(answer), 1));
}

bool speaks_of_limit(const std::string& message) {
  const auto text = ascii_lower(message);
  return text.find("rate limit") != std::string::npos || text.find("abuse detection") != std::string::npos;
}

} // namespace

Duration stated_pause(const HttpAnswer& answer) {
  const auto& text = answer.header("retry-after");
  if (text.empty())
    return Duration{0};
  if (const auto count = header_number(text))
    return pause_of(*count);
  const auto date = curl_getdate(text.c_str(), nullptr);
  return date > 0 ? pause_of(std::max<std::int64_t>(date - server_now(answer), 1)) : Duration{0};
}

std::optional<RateLimit> read_limit(const HttpAnswer& answer, const std::string& message) {
  const auto pause = stated_pause(answer);
  const bool spent = header_number(answer.header("x-ratelimit-remaining")) == 0;
  const bool marked = pause > Duration{0} || spent || speaks_of_limit(message);
  if (answer.status != 429 && !(answer.status == 403 && marked))
    return std::nullopt;
  // With budget left it can only have been too much at once.
  RateLimit limit{unstated_pause, !spent};
  if (pause > Duration{0})
    limit.retry_after = pause;
  else if (const auto reset = until_reset(answer); spent && reset)
    limit.retry_after = *reset;
  return limit;
}

std::optional<domain::RateBudget> read_budget(const HttpAnswer& answer) {
  const auto& resource = answer.header("x-ratelimit-resource");
  const auto limit = header_number(answer.header("x-ratelimit-limit"));
  const auto remaining = header_number(answer.header("x-ratelimit-remaining"));
  const auto reset = until_reset(answer);
  if (!limit || !remaining || !reset || (!resource.empty() && resource != "core"))
    return std::nullopt;
  return domain::RateBudget{*limit, *remaining, *reset};
}

/// `2026-05-04 12:34:56 UTC`, or with `+0200` at its end.
std::optional<domain::Time> read_token_end(const HttpAnswer& answer) {
  const auto& text = answer.header("github-authentication-token-expiration");
  std::tm parts{};
  char zone[8] = "";
  const int read = std::sscanf(text.c_str(), "%4d-%2d-%2d %2d:%2d:%2d %7s", &parts.tm_year, &parts.tm_mon,
                               &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, zone);
  if (read < 6 || parts.tm_year < 2000 || parts.tm_mon < 1 || parts.tm_mon > 12 || parts.tm_mday < 1 ||
      parts.tm_mday > 31)
    return std::nullopt;
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  auto seconds = timegm(&parts);
  if (zone[0] == '+' || zone[0] == '-') {
    const auto offset = std::strtol(zone + 1, nullptr, 10); // hhmm
    const auto ahead = (offset / 100 * 60 + offset % 100) * 60;
    seconds -= zone[0] == '+' ? ahead : -ahead;
  }
  return domain::Time{std::chrono::seconds{seconds}};
}

} // namespace ci::edge
