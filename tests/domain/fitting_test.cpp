#include "actors/domain/fitting.hpp"

#include <doctest/doctest.h>

using namespace ci::domain;

namespace {
FitProfile profile(const char* key, int target, int critical, std::int64_t pages, int wanted) {
  return {key, std::max(target, critical), critical, true, wanted, {pages, 0}};
}
} // namespace

TEST_CASE("what fits is left as it is") {
  auto f = fit({profile("linux", 2, 0, 24, 2), profile("windows", 1, 0, 24, 1), profile("macos", 1, 0, 24, 1),
                profile("wpt", 0, 0, 12, 0)},
               {96, 0});
  CHECK(f.fits);
  CHECK(f.granted == std::map<std::string, int>{{"linux", 2}, {"windows", 1}, {"macos", 1}, {"wpt", 0}});
}

TEST_CASE("targets beyond the host do not fit by themselves") {
  auto f = fit({{"linux", 2, 2, false, 0, {24, 0}},
                {"windows", 1, 1, false, 0, {24, 0}},
                {"macos", 1, 1, false, 0, {24, 0}},
                {"wpt", 1, 1, false, 0, {12, 0}}},
               {96, 0});
  CHECK_FALSE(f.fits);
}

TEST_CASE("critical runners of another profile take from those with the highest counts, the later name first") {
  // linux 5, windows 4, macos 3 at 8, wpt 0 at 24, with one busy and one reserved wpt
  auto f = fit({profile("linux", 5, 0, 8, 5), profile("windows", 4, 0, 8, 4), profile("macos", 3, 0, 8, 3),
                profile("wpt", 0, 2, 24, 0)},
               {96, 0});
  CHECK(f.fits);
  CHECK(f.granted == std::map<std::string, int>{{"linux", 2}, {"windows", 2}, {"macos", 2}, {"wpt", 0}});
}

TEST_CASE("an override gives up what it asked last, others give up to their critical counts first") {
  // targets linux 2, windows 1, macos 1 at 24; idle and busy linux, reserved windows, idle macos; asked wpt 9 at 12
  auto f = fit({{"linux", 2, 1, false, 0, {24, 0}},
                {"windows", 1, 1, false, 0, {24, 0}},
                {"macos", 1, 0, false, 0, {24, 0}},
                {"wpt", 9, 0, true, 9, {12, 0}}},
               {96, 0});
  CHECK(f.fits);
  CHECK(f.scenario == std::map<std::string, int>{{"linux", 1}, {"windows", 1}, {"macos", 0}, {"wpt", 4}});
  CHECK(f.granted.at("wpt") == 4);
}

TEST_CASE("of equal counts the later name gives first") {
  // a-niche 2, b-common 6, y-common 6, z-niche 2, override 0, each at 6; asked override 2
  auto f = fit({{"a-niche", 2, 0, false, 0, {6, 0}},
                {"b-common", 6, 0, false, 0, {6, 0}},
                {"y-common", 6, 0, false, 0, {6, 0}},
                {"z-niche", 2, 0, false, 0, {6, 0}},
                {"override", 2, 0, true, 2, {6, 0}}},
               {96, 0});
  CHECK(f.fits);
  CHECK(f.scenario.at("b-common") == 5);
  CHECK(f.scenario.at("y-common") == 5);
  CHECK(f.scenario.at("override") == 2);
}

TEST_CASE("memory counts like pages") {
  auto f = fit({{"a", 3, 0, true, 3, {0, 1000}}}, {0, 2999});
  CHECK(f.granted.at("a") == 2);
}

namespace {
/// The rule, word for word: one runner at a time.
Fit fit_one_by_one(std::vector<FitProfile> profiles, const Resources& budget) {
  auto total = [&] {
    Resources sum;
    for (auto& p : profiles)
      sum += p.each * p.count;
    return sum;
  };
  Fit result;
  while (!(result.fits = budget.holds(total()))) {
    FitProfile* victim = nullptr;
    for (bool requested : {false, true}) {
      for (auto& p : profiles)
        if (p.requested == requested && p.count > p.critical && (!requested || p.extra > 0) &&
            (!victim || p.count > victim->count || (p.count == victim->count && p.key > victim->key)))
          victim = &p;
      if (victim)
        break;
    }
    if (!victim)
      break;
    victim->extra -= victim->requested;
    --victim->count;
  }
  for (auto& p : profiles) {
    result.scenario[p.key] = p.count;
    if (p.requested)
      result.granted[p.key] = p.extra;
  }
  return result;
}
} // namespace

TEST_CASE("requests beyond all bounds are fitted as if one by one") {
  std::uint32_t state = 1;
  auto any = [&](int below) {
    state = state * 1664525u + 1013904223u;
    return static_cast<int>((state >> 8) % static_cast<std::uint32_t>(below));
  };
  for (int round = 0; round < 2000; ++round) {
    std::vector<FitProfile> profiles;
    for (int i = 0; i <= any(4); ++i) {
      FitProfile p;
      p.key = std::string(1, static_cast<char>('a' + i));
      p.critical = any(4);
      p.requested = any(2);
      p.extra = p.requested ? any(40) : 0;
      p.count = std::max(any(5), p.critical) + p.extra;
      p.each = {any(6), any(6)};
      profiles.push_back(p);
    }
    Resources budget{any(40), any(40)};
    auto quick = fit(profiles, budget), slow = fit_one_by_one(profiles, budget);
    INFO("round ", round);
    CHECK(quick.fits == slow.fits);
    CHECK(quick.scenario == slow.scenario);
    CHECK(quick.granted == slow.granted);
  }
}
