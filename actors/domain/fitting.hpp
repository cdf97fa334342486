#pragma once
/// Fitting a scenario of runners to the host's budget; spec/runners.md, "Host budget".

#include "actors/domain/types.hpp"

#include <map>
#include <string>
#include <vector>

namespace ci::domain {

/// One profile of a scenario.
struct FitProfile {
  std::string key;
  /// How many there would be: at first max(target, critical), for an override plus what is asked beyond that.
  int count = 0;
  /// Reserved + Busy: never taken away.
  int critical = 0;
  /// Whether someone asks for more of it (for ordinary creation: each profile, by what is wanted).
  bool requested = false;
  /// How many more are asked for.
  int extra = 0;
  Resources each;
};

struct Fit {
  std::map<std::string, int> scenario; ///< counts that fit
  std::map<std::string, int> granted;  ///< of each requested profile's `extra`, what is left
  bool fits = false;                   ///< false: even the critical ones exceed the budget
};

/// Takes runners away until the scenario fits: highest count first (of equal counts the later name), first
/// from profiles that are not requested and above their critical count, then from requested ones, granting
/// one less.
Fit fit(std::vector<FitProfile> profiles, const Resources& budget);

} // namespace ci::domain
