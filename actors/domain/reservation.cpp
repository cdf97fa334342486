#include "actors/domain/reservation.hpp"

#include "actors/domain/names.hpp"

#include <algorithm>

namespace ci::domain {

bool TakeRequest::same_as(const TakeRequest& o) const {
  return profile == o.profile && unique_id == o.unique_id && run_id == o.run_id && count == o.count &&
         minimum == o.minimum && to_lower(qualified_repo) == to_lower(o.qualified_repo);
}

void ReservationRecord::shift(Duration by) {
  created_at += by;
  for (auto* time : {&granted_at, &deadline, &ended_at})
    if (*time)
      **time += by;
}

const char* to_string(ReservationPhase p) {
  switch (p) {
  case ReservationPhase::pending:
    return "pending";
  case ReservationPhase::undoing:
    return "undoing";
  case ReservationPhase::granted:
    return "granted";
  case ReservationPhase::releasing:
    return "releasing";
  case ReservationPhase::ended:
    return "ended";
  }
  return "?";
}

const char* to_string(SlotState s) {
  switch (s) {
  case SlotState::chosen:
    return "chosen";
  case SlotState::labelled:
    return "labelled";
  case SlotState::confirmed:
    return "confirmed";
  case SlotState::started:
    return "started";
  case SlotState::finished:
    return "finished";
  case SlotState::given_up:
    return "given_up";
  case SlotState::unlabel:
    return "unlabel";
  case SlotState::released:
    return "released";
  }
  return "?";
}

bool is_open(SlotState s) {
  return s == SlotState::chosen || s == SlotState::labelled || s == SlotState::confirmed || s == SlotState::started ||
         s == SlotState::unlabel;
}

int count_slots(const ReservationRecord& record, bool (*what)(SlotState)) {
  return static_cast<int>(std::count_if(record.slots.begin(), record.slots.end(),
                                        [what](auto& slot) { return what(slot.state); }));
}

const char* public_state(const ReservationRecord& r) {
  auto any = [&](SlotState s) {
    return std::any_of(r.slots.begin(), r.slots.end(), [s](auto& slot) { return slot.state == s; });
  };
  switch (r.phase) {
  case ReservationPhase::pending:
  case ReservationPhase::undoing:
    return "deciding";
  case ReservationPhase::granted:
    return any(SlotState::started) || any(SlotState::finished) ? "started" : "reserved";
  case ReservationPhase::releasing:
  case ReservationPhase::ended:
    break;
  }
  if (r.phase == ReservationPhase::releasing && any(SlotState::started))
    return "started"; // what had begun was not given back
  if (r.released && !any(SlotState::finished))
    return "released";
  return any(SlotState::finished) || any(SlotState::started) ? "finished" : "expired";
}

} // namespace ci::domain
