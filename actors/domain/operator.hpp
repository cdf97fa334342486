#pragma once
/// What operators ask of the monitor, beside looking: levers that change what it does from then on. All
/// survive a restart: they are answered after the commit.

#include "actors/domain/answers.hpp"

#include <optional>
#include <string>
#include <variant>

namespace ci::domain {

namespace lever {
/// Steer the host to other counts; spec/runners.md, "Override".
struct StartOverride {
  ProfileNumbers counts;
};
/// Back to the configured targets.
struct CancelOverride {};
/// No new runners of the profile (those there are go on), or new ones again.
struct SetPaused {
  std::string profile;
  bool paused = true;
};
/// Unregister and remove one runner, unless a job may be running on it.
struct DestroyRunner {
  RunnerId runner = 0;
};
/// A new image of the profile, as soon as there is room.
struct RebuildImage {
  std::string profile;
};
} // namespace lever

using Lever =
    std::variant<lever::StartOverride, lever::CancelOverride, lever::SetPaused, lever::DestroyRunner,
                 lever::RebuildImage>;

struct LeverAnswer {
  Verdict verdict;
  /// Of an override: what was granted, by profile. None where a cancellation found none.
  std::optional<ProfileNumbers> granted;
};

} // namespace ci::domain
