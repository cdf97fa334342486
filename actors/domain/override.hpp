#pragma once
/// Policy overrides: for one workflow, the host is steered to other counts of runners than the settings want
/// (spec/runners.md, "Override"). Pure: what is granted, and how it is written down.

#include "actors/domain/fitting.hpp"
#include "actors/domain/policy.hpp"
#include "actors/domain/types.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ci::domain {

/// A number of runners by profile.
using ProfileNumbers = std::map<std::string, int>;

/// One configured profile, as an override is decided by.
struct OverrideProfile {
  std::string key;
  int target = 0;    ///< as configured
  int critical = 0;  ///< Reserved + Busy
  int delivered = 0; ///< of the critical ones: brought by the override itself, so they are not others' demand
  Resources each;
  bool paused = false; ///< nothing of it can be granted
  friend bool operator==(const OverrideProfile&, const OverrideProfile&) = default;
};

/// Everything that an override is decided by.
struct OverrideGround {
  std::vector<OverrideProfile> profiles;
  Resources budget; ///< the host's, less what is held by others than these profiles' runners
  friend bool operator==(const OverrideGround&, const OverrideGround&) = default;
};

enum class OverrideRefusal {
  none,
  unknown_profile, ///< some asked profile is not configured
  nothing_extra,   ///< nothing is asked beyond what the configured targets give anyway
  nothing_fits,    ///< the host has no room for any of it
};

/// What an override would do.
struct OverrideDecision {
  OverrideRefusal refusal = OverrideRefusal::none;
  std::string unknown;    ///< the profile that is not configured
  std::string paused;     ///< an asked profile that is paused
  ProfileNumbers extra;   ///< by asked profile: how many it asks beyond the configured target
  ProfileNumbers granted; ///< by asked profile: what was asked, less what fitting took
  ProfileNumbers targets; ///< by configured profile: what the host is steered to meanwhile
};

/// \p asked: counts of at least 0. Those of 0 ask for nothing.
OverrideDecision decide_override(const ProfileNumbers& asked, const OverrideGround&);

/// An override that is in force.
struct Override {
  Time created_at{};
  ProfileNumbers asked, granted, targets;
  /// Runners that were idle for it, by profile, at most as many as were granted; they may be gone by now.
  std::map<std::string, std::vector<RunnerId>> delivered;
  /// What it was fitted to: settings_mark() of the settings, and the profiles that were paused.
  std::string settings;

  /// Notes a runner that is idle. False: it is no runner of this override, or was noted already.
  bool deliver(const std::string& profile, RunnerId);
  bool has_delivered(const std::string& profile, RunnerId) const;
  /// Whether all that were granted were delivered.
  bool complete() const;
  friend bool operator==(const Override&, const Override&) = default;
};

/// Differs where settings differ that an override is fitted to: the budget, and the profiles' targets and
/// sizes.
std::string settings_mark(const Policy&);

/// As the store keeps it: a line a fact.
std::string to_note(const Override&);
/// None where the text is no such note.
std::optional<Override> parse_override(std::string_view note);

} // namespace ci::domain
