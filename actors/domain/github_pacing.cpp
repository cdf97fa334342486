#include "actors/domain/github_pacing.hpp"

#include <algorithm>

namespace ci::domain {

namespace {

constexpr Duration first_pause{60'000};
constexpr Duration longest_pause{3'600'000};
constexpr std::int64_t reserved_part = 50;
constexpr std::int64_t left_by_tokenless = 10;

/// Rounded up, so that who waits that long does not come too early.
Duration time_until(Steady then, Steady now) {
  return std::max(Duration{0}, std::chrono::ceil<Duration>(then - now));
}

} // namespace

Duration PacingGate::remaining(Steady now) const { return time_until(until_, now); }

void PacingGate::shut(Steady sent, Steady now, Duration stated) {
  const bool in_a_row = pause_ > Duration{0};
  if (in_a_row && sent < until_) {
    until_ = std::max(until_, now + stated);
    return;
  }
  auto pause = stated > Duration{0} ? stated : first_pause;
  if (in_a_row)
    pause = std::max(pause, std::clamp(2 * pause_, first_pause, longest_pause));
  pause_ = pause;
  until_ = now + pause;
}

void PacingGate::passed(Steady sent) {
  if (sent >= until_)
    pause_ = Duration{0};
}

std::int64_t GithubPacing::to_leave(GithubShare share) const {
  const auto reserve = budget_.limit / reserved_part;
  switch (share) {
  case GithubShare::tokenless:
    return budget_.limit / left_by_tokenless;
  case GithubShare::ordinary:
    return reserve;
  case GithubShare::look:
    return reserve / 2;
  case GithubShare::clearing:
    break;
  }
  return 0;
}

Duration GithubPacing::hold(GithubShare share, Steady now) const {
  auto wait = (share == GithubShare::clearing ? clearing_ : ordinary_).remaining(now);
  const auto until_reset = time_until(budget_resets_, now);
  if (until_reset > Duration{0} && budget_.remaining <= to_leave(share))
    wait = std::max(wait, until_reset);
  return wait;
}

void GithubPacing::answered(GithubShare share, Steady sent, Steady now, const GithubError& error,
                            const std::optional<RateBudget>& budget) {
  if (budget) {
    budget_ = *budget;
    budget_resets_ = now + budget->resets_in;
  }
  const bool clearing = share == GithubShare::clearing;
  if (error.kind == GithubError::Kind::limited) {
    ordinary_.shut(sent, now, error.retry_after);
    if (clearing || error.secondary)
      clearing_.shut(sent, now, error.retry_after);
    return;
  }
  if (error.kind == GithubError::Kind::unreachable)
    return; // says nothing of limits
  (clearing ? clearing_ : ordinary_).passed(sent);
}

GithubError held_back(Duration remaining) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(remaining).count();
  return {GithubError::Kind::limited, 0,
          "held back: GitHub's rate limit, for another " + std::to_string(seconds) + " s", remaining};
}

} // namespace ci::domain
