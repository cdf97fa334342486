/// Core: reservations after their answer: started, given back, ended.
#include "actors/domain/core.hpp"

#include <algorithm>
#include <utility>

namespace ci::domain {
namespace {

constexpr Duration spent_for = std::chrono::hours(24 * 7);
/// A runner whose labels did not come off in so many tries is given up.
constexpr int most_unlabel_tries = 6;

} // namespace

// --- after the answer ---

void Core::advance_granted(Reservation& r) {
  bool changed = false;
  for (auto& slot : r.rec.slots) {
    auto* runner = find(slot.runner);
    if (slot.state == SlotState::confirmed && runner && runner->rec.busy_seen) {
      slot_started(r, slot);
      changed = true;
      want_jobs(r); // was it the job that it is reserved for?
    }
    if ((slot.state == SlotState::confirmed || slot.state == SlotState::started) && !runner) {
      slot.state = slot.state == SlotState::started ? SlotState::finished : SlotState::given_up;
      changed = true;
    }
  }
  if (changed)
    save(r);
  if (r.rec.phase != ReservationPhase::granted || !r.grant_committed)
    return;
  if (r.committed)
    for (std::size_t i = 0; i < r.rec.slots.size(); ++i)
      if (r.rec.slots[i].state != SlotState::confirmed)
        advance_slot(r, i);
  watch_run(r);
}

/// Its job has begun. With `exclusive_reservations` its runner bore the reservation's labels alone until now, so
/// that no other job could come first; the usual ones follow. They are for people: it does not matter if that
/// fails, or if there is no room for it in the minute's writes.
void Core::slot_started(Reservation& r, ReservationSlot& slot) {
  slot.state = SlotState::started;
  const auto* runner = find(slot.runner);
  const auto profile = policy_->profiles.find(r.rec.request.profile);
  if (!policy_->exclusive_reservations || profile == policy_->profiles.end() || !runner ||
      !runner->registration_exists() || writes_held(WritePurpose::creating, 1) > Duration{0})
    return;
  writes_.spend(1, now_.steady);
  r.work[slot.runner].labelling = true;
  order(effect::Label{r.rec.request.unique_id, slot.runner, *runner->rec.registration_id,
                      usual_labels(profile->second)});
}

void Core::unlabel(Reservation& r, ReservationSlot& slot) {
  auto& work = r.work[slot.runner];
  if (work.labelling || work.looking || work.unlabelling)
    return;
  auto* runner = find(slot.runner);
  bool never = !work.maybe_labelled && !r.from_store;
  if (!runner || runner->rec.registration_ended || !runner->rec.registration_id || never) {
    slot.state = SlotState::released;
    save(r);
    return;
  }
  if (work.unlabel_pause.failures() >= most_unlabel_tries) {
    runner->rec.spoiled = true;
    save(*runner);
    slot.state = SlotState::given_up;
    save(r);
    return;
  }
  if (!work.unlabel_pause.due(now_.time))
    return wake(work.unlabel_pause.next());
  work.unlabelling = true;
  auto labels = reservation_labels(r.rec.request, r.rec.created_at);
  if (runner->reg && has_reservation_label(runner->reg->labels)) {
    // As GitHub has them: the clock may have jumped since.
    labels = runner->reg->labels;
    std::erase_if(labels, [](auto& label) { return !is_reservation_label(label); });
  }
  writes_.spend(static_cast<int>(labels.size()), now_.steady); // one call for each; never held back here
  order(effect::Unlabel{r.rec.request.unique_id, slot.runner, *runner->rec.registration_id, std::move(labels)});
}

void Core::on_unlabelled(Now now, const std::string& uid, RunnerId id, const GithubReply<Done>& reply) {
  see(now);
  note_github(reply.error);
  auto* runner = find(id);
  auto it = reservations_.find(uid);
  if (it == reservations_.end())
    return;
  auto& r = it->second;
  const Because because(*this, r.rec.phase == ReservationPhase::releasing ? r.begun_by : 0);
  auto& work = r.work[id];
  work.unlabelling = false;
  bool gone = !reply && reply.error.kind == GithubError::Kind::not_found;
  if (!reply && !gone) {
    work.unlabel_pause.failed(now.time, reply.error.retry_after);
  } else {
    for (auto& slot : r.rec.slots)
      if (slot.runner == id && slot.state == SlotState::unlabel) {
        slot.state = SlotState::released;
        if (runner && r.rec.granted_at)
          remember("unreserved", *runner, r.rec.request.unique_id_spelt);
      }
    save(r);
  }
  if (runner) {
    runner->reg_seq = next_seq();
    if (reply && runner->reg)
      std::erase_if(runner->reg->labels, [](auto& label) { return is_reservation_label(label); });
    runner->look_wanted = true; // idle again only where GitHub confirms it
  }
}

/// Ends what is over: a take that was undone is forgotten, a reservation whose runners are all settled is
/// spent.
void Core::settle(Reservation& r) {
  bool unlabelling = false;
  for (auto& slot : r.rec.slots)
    unlabelling |= slot.state == SlotState::unlabel;
  if (!r.releasers.empty()) {
    bool unanswered = false;
    for (auto& slot : r.rec.slots)
      unanswered |= slot.state == SlotState::unlabel && r.work[slot.runner].unlabel_pause.failures() == 0;
    if (!unanswered)
      save(r, [this, view = domain::view_of(r.rec), waiting = std::exchange(r.releasers, {})] {
        for (auto request : waiting)
          order(effect::AnswerRelease{request, {{}, view}});
      });
  }
  if (unlabelling)
    return;
  if (r.rec.phase == ReservationPhase::undoing && !r.rec.released) {
    answer_take(r); // `null`, where anyone still waits
    auto uid = r.rec.request.unique_id;
    write(store::DropReservation{uid});
    reservations_.erase(uid);
    return;
  }
  if (r.rec.phase == ReservationPhase::pending ||
      (r.rec.phase == ReservationPhase::granted && !r.grant_committed))
    return;
  const bool may_be_replaced = r.rec.phase == ReservationPhase::granted && (r.jobs_wanted || r.asking);
  if (count_slots(r.rec, is_open) == 0 && !may_be_replaced) {
    spend(r);
  }
}

void Core::spend(Reservation& r) {
  const Because because(*this, r.rec.phase == ReservationPhase::releasing ? r.begun_by : 0);
  r.rec.phase = ReservationPhase::ended;
  r.rec.ended_at = now_.time;
  save(r);
  auto uid = r.rec.request.unique_id;
  if (r.rec.granted_at)
    remember("reservation_ended", r, std::string(": ") + public_state(r.rec));
  log(LogLevel::info, "reservation_ended", "unique_id=" + uid + " state=" + public_state(r.rec));
  spent_.put(r.rec);
  reservations_.erase(uid);
}

void Core::release(Now now, RequestId request, const std::string& uid) {
  see(now);
  auto refuse = [&](Refusal why, std::string detail) {
    order(effect::AnswerRelease{request, {{why, std::move(detail), Duration{1'000}}, nullptr}});
  };
  if (!loaded_ || !policy_ || stopping_)
    return refuse(Refusal::not_ready, "The service is starting or stopping; ask again in a moment.");
  auto it = reservations_.find(uid);
  if (it == reservations_.end()) {
    const auto ended = spent_.find(uid);
    if (!ended)
      return refuse(Refusal::unknown_reservation, "There is no reservation with this unique_id.");
    order(effect::AnswerRelease{request, {{}, domain::view_of(*ended)}});
    return;
  }
  auto& r = it->second;
  r.begun_by = request;
  const bool unanswered = r.rec.phase == ReservationPhase::pending || r.rec.phase == ReservationPhase::undoing ||
                          (r.rec.phase == ReservationPhase::granted && !r.grant_committed);
  r.rec.phase = ReservationPhase::releasing;
  if (unanswered) {
    r.failure = {Refusal::id_released, "It was released while it was being decided.", {}};
    answer_take(r);
  }
  r.rec.released = true;
  for (auto& slot : r.rec.slots) {
    auto* runner = find(slot.runner);
    bool begun = slot.state == SlotState::started || (runner && runner->rec.busy_seen);
    if (is_open(slot.state) && !begun)
      slot.state = SlotState::unlabel;
    else if (slot.state == SlotState::chosen || slot.state == SlotState::labelled)
      slot.state = SlotState::released; // another job took it before it was promised; its labels go with it
  }
  r.releasers.push_back(request);
  save(r);
}

void Core::forget_old_reservations() {
  for (auto& old : spent_.drop_before(now_.time - spent_for))
    write(store::DropReservation{old->request.unique_id});
}

} // namespace ci::domain
