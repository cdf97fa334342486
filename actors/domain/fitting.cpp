#include "actors/domain/fitting.hpp"

#include <algorithm>

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

} // namespace

Fit fit(std::vector<FitProfile> profiles, const Resources& budget) {
  Fit result;
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
