#pragma once
/// GitHub's rate limits as its answers tell of them. Pure; any thread.

#include "actors/domain/github.hpp"
#include "actors/edge/github_http.hpp"

#include <optional>
#include <string>

namespace ci::edge {

struct RateLimit {
  /// As stated, else 60 s; never zero.
  domain::Duration retry_after{0};
  /// Too much at once, rather than the hour's budget spent.
  bool secondary = false;
};

/// The limit that this answer tells of: 429, or 403 with a limit's marks. `message` is the body's.
std::optional<RateLimit> read_limit(const HttpAnswer& answer, const std::string& message);

/// The hourly budget; nothing where the headers don't say, or speak of another than most calls share.
std::optional<domain::RateBudget> read_budget(const HttpAnswer& answer);

/// When the token that was shown ends; nothing where the answer does not say.
std::optional<domain::Time> read_token_end(const HttpAnswer& answer);

/// `retry-after`, in seconds or as a date; zero where there is none.
domain::Duration stated_pause(const HttpAnswer& answer);

} // namespace ci::edge
