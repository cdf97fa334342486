#include "actors/domain/past.hpp"

#include <algorithm>

namespace ci::domain {

void bring_into_past(StoreImage& image, Time now) {
  auto bring = [now](auto& time) {
    if (time)
      time = std::min(*time, now);
  };
  for (auto& r : image.runners) {
    r.created_at = std::min(r.created_at, now);
    bring(r.jit_served_at);
    bring(r.online_at);
    bring(r.ended_at);
  }
  for (auto& r : image.reservations) {
    if (r.deadline && r.granted_at && *r.granted_at > now)
      *r.deadline -= *r.granted_at - now;
    r.created_at = std::min(r.created_at, now);
    bring(r.granted_at);
    bring(r.ended_at);
  }
  for (auto& i : image.images)
    i.ordered_at = std::min(i.ordered_at, now);
}

} // namespace ci::domain
