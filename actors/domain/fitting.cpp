#include "actors/domain/fitting.hpp"

#include <algorithm>
#include <limits>

namespace ci::domain {
namespace {

Resources sum(const std::vector<FitProfile>& profiles) {
  Resources total;
  for (auto& p : profiles)
    total += p.each * p.count;
  return total;
}

void order_by_count(std::vector<FitProfile>& profiles) {
  std::sort(profiles.begin(), profiles.end(),
            [](auto& a, auto& b) { return a.count != b.count ? a.count > b.count : a.key > b.key; });
}

/// How many runners of this size the budget holds at most, none of others being there.
std::int64_t most_that_fit(const Resources& each, const Resources& budget) {
  auto most = std::numeric_limits<std::int64_t>::max();
  if (each.hugepages_1g > 0)
    most = std::min(most, std::max<std::int64_t>(0, budget.hugepages_1g) / each.hugepages_1g);
  if (each.memory_bytes > 0)
    most = std::min(most, std::max<std::int64_t>(0, budget.memory_bytes) / each.memory_bytes);
  return most;
}

/// Takes away at once what is beyond all bounds, so that a request for ten thousand costs no ten thousand rounds. The
/// outcome is the same: no scenario fits in which one profile alone exceeds the budget, and the highest count is
/// lowered first.
void cut_to_size(FitProfile& p, const Resources& budget) {
  auto most = most_that_fit(p.each, budget);
  if (p.count <= most || p.extra <= 0)
    return;
  auto beyond = std::min<std::int64_t>(p.extra, p.count - std::max<std::int64_t>(most + 1, p.critical));
  if (beyond <= 0)
    return;
  p.count -= static_cast<int>(beyond);
  p.extra -= static_cast<int>(beyond);
}

} // namespace

Fit fit(std::vector<FitProfile> profiles, const Resources& budget) {
  Fit result;
  for (auto& p : profiles)
    if (p.requested)
      cut_to_size(p, budget);
  while (!(result.fits = budget.holds(sum(profiles)))) {
    order_by_count(profiles);
    auto victim = std::find_if(profiles.begin(), profiles.end(),
                               [](auto& p) { return !p.requested && p.count > p.critical; });
    if (victim == profiles.end()) {
      victim = std::find_if(profiles.begin(), profiles.end(),
                            [](auto& p) { return p.requested && p.count > p.critical && p.extra > 0; });
      if (victim == profiles.end())
        break;
      --victim->extra;
    }
    --victim->count;
  }
  for (auto& p : profiles) {
    result.scenario[p.key] = p.count;
    if (p.requested)
      result.granted[p.key] = p.extra;
  }
  return result;
}

} // namespace ci::domain
