#pragma once
/// The steps of commits at which a test may end the process; see actors/edge/crash_point.hpp.

#include "actors/edge/crash_point.hpp"
#include "actors/domain/store.hpp"

#include <string_view>
#include <variant>

namespace ci {

using edge::CrashPoint;

/// Commits that have a step of their own besides `commit`: `switch`, to an image that has passed its trial,
/// and `override`, which begins, changes or ends one. Empty: none.
inline std::string_view named_commit(const domain::StoreBatch& batch) {
  for (auto& op : batch) {
    if (auto* put = std::get_if<domain::store::PutImage>(&op);
        put && put->image.phase == domain::ImagePhase::ready)
      return "switch";
    if (auto* note = std::get_if<domain::store::SetNote>(&op); note && note->key == "policy_override")
      return "override";
  }
  return {};
}

} // namespace ci
