#include "actors/domain/github_pacing.hpp"

#include <doctest/doctest.h>

using namespace ci::domain;
using namespace std::chrono_literals;
using Kind = GithubError::Kind;

namespace {

const Steady start = Steady{} + 1h;

GithubError limited(Duration stated, bool secondary = true) {
  return {Kind::limited, 429, "slow down", stated, secondary};
}

/// Pacing after one call that was sent and answered at `start`.
GithubPacing after(GithubShare share, const GithubError& error, std::optional<RateBudget> budget = {}) {
  GithubPacing pacing;
  pacing.answered(share, start, start, error, budget);
  return pacing;
}

} // namespace

TEST_CASE("nothing is held back before GitHub spoke of a limit") {
  const GithubPacing pacing;
  for (auto share : {GithubShare::ordinary, GithubShare::look, GithubShare::reserving, GithubShare::clearing})
    CHECK(pacing.hold(share, start) == 0ms);
}

TEST_CASE("calls are held back for as long as GitHub said, and no longer") {
  const auto pacing = after(GithubShare::ordinary, limited(7s));
  CHECK(pacing.hold(GithubShare::ordinary, start) == 7s);
  CHECK(pacing.hold(GithubShare::look, start + 6999ms) == 1ms);
  CHECK(pacing.hold(GithubShare::ordinary, start + 7s) == 0ms);
}

TEST_CASE("what remains is rounded up, so that who waits that long comes late enough") {
  const auto pacing = after(GithubShare::ordinary, limited(7s));
  CHECK(pacing.hold(GithubShare::ordinary, start + 6999ms + 1us) == 1ms);
}

TEST_CASE("a limit without a time holds for a minute") {
  CHECK(after(GithubShare::ordinary, limited(0s)).hold(GithubShare::ordinary, start) == 60s);
}

TEST_CASE("G11: limits in a row hold for a minute at least, doubling, up to an hour") {
  auto pacing = after(GithubShare::ordinary, limited(2s));
  auto now = start + 2s;
  for (const auto expected : {60s, 120s, 240s, 480s, 960s, 1920s, 3600s, 3600s}) {
    pacing.answered(GithubShare::ordinary, now, now, limited(2s), {});
    CHECK(pacing.hold(GithubShare::ordinary, now) == expected);
    now += expected;
  }
}

TEST_CASE("a stated time that is longer than the doubled one counts") {
  auto pacing = after(GithubShare::ordinary, limited(60s));
  pacing.answered(GithubShare::ordinary, start + 60s, start + 60s, limited(500s), {});
  CHECK(pacing.hold(GithubShare::ordinary, start + 60s) == 500s);
}

TEST_CASE("answers to calls that were sent before the pause are one burst") {
  auto pacing = after(GithubShare::ordinary, limited(60s));
  pacing.answered(GithubShare::ordinary, start, start + 1s, limited(60s), {});
  pacing.answered(GithubShare::ordinary, start - 1s, start + 2s, limited(10s), {});
  CHECK(pacing.hold(GithubShare::ordinary, start + 2s) == 59s);
}

TEST_CASE("a success after the pause ends the row, a late one from before it does not") {
  auto pacing = after(GithubShare::ordinary, limited(60s));
  SUBCASE("after") {
    pacing.answered(GithubShare::ordinary, start + 60s, start + 61s, {}, {});
    pacing.answered(GithubShare::ordinary, start + 70s, start + 70s, limited(5s), {});
    CHECK(pacing.hold(GithubShare::ordinary, start + 70s) == 5s);
  }
  SUBCASE("before") {
    pacing.answered(GithubShare::ordinary, start, start + 1s, {}, {});
    CHECK(pacing.hold(GithubShare::ordinary, start + 1s) == 59s);
    pacing.answered(GithubShare::ordinary, start + 60s, start + 60s, limited(5s), {});
    CHECK(pacing.hold(GithubShare::ordinary, start + 60s) == 120s);
  }
  SUBCASE("no answer at all says nothing of limits") {
    pacing.answered(GithubShare::ordinary, start + 60s, start + 61s, {Kind::unreachable, 0, "reset"}, {});
    pacing.answered(GithubShare::ordinary, start + 70s, start + 70s, limited(5s), {});
    CHECK(pacing.hold(GithubShare::ordinary, start + 70s) == 120s);
  }
}

TEST_CASE("a secondary limit holds back deletes as well") {
  const auto pacing = after(GithubShare::ordinary, limited(7s, true));
  CHECK(pacing.hold(GithubShare::clearing, start) == 7s);
}

TEST_CASE("a primary limit that an ordinary call met lets deletes try for themselves") {
  auto pacing = after(GithubShare::ordinary, limited(7s, false));
  CHECK(pacing.hold(GithubShare::clearing, start) == 0ms);
  SUBCASE("and a delete that succeeds opens nothing for others") {
    pacing.answered(GithubShare::clearing, start, start + 1s, {}, {});
    CHECK(pacing.hold(GithubShare::ordinary, start + 1s) == 6s);
  }
  SUBCASE("and a delete that meets it too holds all back") {
    pacing.answered(GithubShare::clearing, start, start + 1s, limited(20s, false), {});
    CHECK(pacing.hold(GithubShare::clearing, start + 1s) == 20s);
    CHECK(pacing.hold(GithubShare::ordinary, start + 1s) == 20s);
  }
}

TEST_CASE("G11: the last fiftieth of the hour's budget is for deletes, half of it also for looks and labels") {
  const auto hold = [](GithubShare share, std::int64_t remaining) {
    return after(GithubShare::ordinary, {}, RateBudget{5000, remaining, 10min}).hold(share, start);
  };
  CHECK(hold(GithubShare::tokenless, 501) == 0ms);
  CHECK(hold(GithubShare::tokenless, 500) == 10min); // of what others may spend
  CHECK(hold(GithubShare::ordinary, 101) == 0ms);
  CHECK(hold(GithubShare::ordinary, 100) == 10min);
  CHECK(hold(GithubShare::look, 51) == 0ms);
  CHECK(hold(GithubShare::look, 50) == 10min);
  CHECK(hold(GithubShare::reserving, 51) == 0ms);
  CHECK(hold(GithubShare::reserving, 50) == 10min);
  CHECK(hold(GithubShare::clearing, 1) == 0ms);
  CHECK(hold(GithubShare::clearing, 0) == 10min);
}

TEST_CASE("a spent budget is whole again at its reset, or when GitHub says so") {
  auto pacing = after(GithubShare::ordinary, {}, RateBudget{5000, 0, 10min});
  CHECK(pacing.hold(GithubShare::ordinary, start + 10min) == 0ms);
  pacing.answered(GithubShare::clearing, start, start + 1s, {}, RateBudget{5000, 4999, 1h});
  CHECK(pacing.hold(GithubShare::ordinary, start + 1s) == 0ms);
}

TEST_CASE("what is held back is told for how long, in whole seconds for people") {
  const auto error = held_back(1500ms);
  CHECK(error.kind == Kind::limited);
  CHECK(error.retry_after == 1500ms);
  CHECK(error.message == "held back: GitHub's rate limit, for another 2 s");
}

TEST_CASE("G11: a minute's points are spent by ordinary calls first, and the last of them by deletes alone") {
  GithubPacing pacing{80};
  const auto held = [&](Steady now) {
    std::vector<Duration> times;
    for (auto share : {GithubShare::tokenless, GithubShare::ordinary, GithubShare::look, GithubShare::reserving,
                       GithubShare::clearing})
      times.push_back(pacing.hold(share, now));
    return times;
  };
  pacing.sent(40, start);
  CHECK(held(start + 20s) == std::vector<Duration>{40s, 0s, 0s, 0s, 0s});
  pacing.sent(20, start + 20s);
  CHECK(held(start + 20s) == std::vector<Duration>{40s, 40s, 0s, 0s, 0s});
  pacing.sent(10, start + 30s);
  CHECK(held(start + 30s) == std::vector<Duration>{30s, 30s, 30s, 30s, 0s});
  pacing.sent(points_of_write, start + 30s);
  pacing.sent(points_of_write, start + 30s);
  CHECK(held(start + 30s) == std::vector<Duration>{50s, 30s, 30s, 30s, 30s});
  CHECK(held(start + 60s) == std::vector<Duration>{20s, 0s, 0s, 0s, 0s});
  CHECK(held(start + 90s) == std::vector<Duration>(5, 0s));
  pacing.sent(40, start + 90s);
  CHECK(held(start + 90s) == std::vector<Duration>{60s, 0s, 0s, 0s, 0s}); // those of before count no more
}

TEST_CASE("another token is under no limit yet, but the minute goes on") {
  GithubPacing pacing{80};
  pacing.answered(GithubShare::ordinary, start, start, limited(500s), RateBudget{5000, 0, 10min});
  pacing.sent(80, start);
  CHECK(pacing.hold(GithubShare::clearing, start) == 10min);
  pacing.forget_limits();
  CHECK(pacing.hold(GithubShare::clearing, start) == 60s);
}

