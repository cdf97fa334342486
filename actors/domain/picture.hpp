#pragma once
/// Pictures of guests' screens: as the hypervisor gives them, and what became of one.

#include "actors/domain/types.hpp"

#include <cstdint>
#include <string>

namespace ci::domain {

/// One that is larger when decoded counts as not taken.
constexpr std::int64_t max_picture_bytes = std::int64_t{64} << 20;

/// As the hypervisor gave it: some format, not looked at yet.
struct RawPicture {
  std::string bytes;
  /// What the hypervisor calls it, e.g. "image/png", "image/x-portable-pixmap"; the bytes count, not this.
  std::string content_type;
};

enum class PictureState {
  taken,
  off,    ///< the guest does not run, or is gone: the last picture stays
  failed, ///< could not be taken, read or written; `trouble` says why
};
struct PictureOutcome {
  PictureState state = PictureState::failed;
  std::string trouble;
};

/// Where the last pictures are, relative to the data folder.
inline std::string runner_picture_path(RunnerId runner) {
  return "runners/" + std::to_string(runner) + "/screenshot.png";
}
inline std::string profile_picture_path(const std::string& profile) {
  return "profiles/" + profile + "/screenshot.png";
}

} // namespace ci::domain
