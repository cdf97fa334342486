#pragma once
/// When a guest may be stopped: the ladder of promise G1 (spec/runners.md, "What is destroyed").
///
/// A guest may be running a job from the moment its JIT config was served until it is off, and GitHub's
/// `busy` lags. So such a guest is let go only after two fresh looks, apart, then a DELETE that was granted.

#include "actors/domain/types.hpp"

#include <optional>

namespace ci::domain {

/// What is known of a runner that is to be unregistered.
struct ReleaseFacts {
  Time now{};
  bool guest_known_off = false; ///< by libvirt's state; absent counts
  bool jit_served = false;
  /// When its reservation was granted, where it has a live one.
  std::optional<Time> reserved_at;
  /// When a look begun after the decision to destroy first called it not busy.
  std::optional<Time> first_not_busy;
  /// A second look, at least idle_confirmation later, did too.
  bool second_not_busy = false;
};

enum class ReleaseStep {
  wait,       ///< not before `until`
  look,       ///< GET it by id
  unregister, ///< DELETE it
};
struct ReleaseAdvice {
  ReleaseStep step = ReleaseStep::wait;
  Time until{};
};

/// Pure. `idle_confirmation`: between the two looks; `reserved_confirmation`: least age of a reservation.
ReleaseAdvice next_release_step(const ReleaseFacts&, Duration idle_confirmation,
                                Duration reserved_confirmation);

} // namespace ci::domain
