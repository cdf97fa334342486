#include "actors/domain/release.hpp"

namespace ci::domain {

ReleaseAdvice next_release_step(const ReleaseFacts& f, Duration idle_confirmation, Duration reserved_confirmation) {
  if (f.guest_known_off || !f.jit_served)
    return {ReleaseStep::unregister, {}};
  if (f.reserved_at && f.now < *f.reserved_at + reserved_confirmation)
    return {ReleaseStep::wait, *f.reserved_at + reserved_confirmation};
  if (!f.first_not_busy)
    return {ReleaseStep::look, {}};
  if (f.second_not_busy)
    return {ReleaseStep::unregister, {}};
  if (f.now < *f.first_not_busy + idle_confirmation)
    return {ReleaseStep::wait, *f.first_not_busy + idle_confirmation};
  return {ReleaseStep::look, {}};
}

} // namespace ci::domain
