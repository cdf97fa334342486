#include "actors/domain/github_pacing.hpp"

#include <algorithm>

namespace ci::domain {

namespace {

constexpr Duration first_pause{60'000};
constexpr Duration longest_pause{3'600'000};
constexpr std::int64_t reserved_part = 50;
constexpr std::int64_t left_by_tokenless = 10;
constexpr std::chrono::seconds points_window{60};

/// Of a minute's points.
int points_to_leave(GithubShare share, int per_minute) {
  switch (share) {
  case GithubShare::tokenless:
    return per_minute / 2;
  case GithubShare::ordinary:
    return per_minute / 4;
  case GithubShare::look:
  case GithubShare::reserving:
    return per_minute / 8;
  case GithubShare::clearing:
    break;
  }
  return 0;
}

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
  case GithubShare::reserving:
    return reserve / 2;
  case GithubShare::clearing:
    break;
  }
  return 0;
}

/// Until there is a point to spend: what a call costs beyond that is a debt that the next ones wait for.
Duration GithubPacing::until_points(GithubShare share, Steady now) const {
  const int room = std::max(1, points_per_minute_ - points_to_leave(share, points_per_minute_));
  int used = 0;
  for (const auto& [at, points] : points_)
    used += at + points_window > now ? points : 0;
  for (auto spent = points_.begin(); used >= room && spent != points_.end(); ++spent) {
    if (spent->first + points_window <= now)
      continue;
    used -= spent->second;
    if (used < room)
      return time_until(spent->first + points_window, now);
  }
  return Duration{0};
}

void GithubPacing::sent(int points, Steady now) {
  while (!points_.empty() && points_.front().first + points_window <= now)
    points_.pop_front();
  points_.emplace_back(now, points);
}

void GithubPacing::forget_limits() {
  ordinary_ = clearing_ = {};
  budget_ = {};
  budget_resets_ = {};
}

Duration GithubPacing::hold(GithubShare share, Steady now) const {
  auto wait = (share == GithubShare::clearing ? clearing_ : ordinary_).remaining(now);
  const auto until_reset = time_until(budget_resets_, now);
  if (until_reset > Duration{0} && budget_.remaining <= to_leave(share))
    wait = std::max(wait, until_reset);
  return std::max(wait, until_points(share, now));
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
