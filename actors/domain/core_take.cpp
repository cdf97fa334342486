/// Core: reservations, from the take to its answer.
#include "actors/domain/core.hpp"

#include <algorithm>
#include <utility>

namespace ci::domain {
namespace {

bool counts_for_take(SlotState s) {
  return s == SlotState::chosen || s == SlotState::labelled || s == SlotState::confirmed;
}
std::string for_label(const Reservation& r) {
  return std::string(reserved_for) + r.rec.request.unique_id_spelt;
}

} // namespace

std::vector<RunnerId> Core::idle_runners(const std::string& profile) const {
  std::vector<RunnerId> ids;
  for (auto& [id, r] : runners_)
    if (r.rec.profile == profile && status(r) == Status::Idle)
      ids.push_back(id);
  return ids;
}

void Core::take(Now now, RequestId request, const TakeRequest& ask) {
  see(now);
  const Because because(*this, request);
  auto refuse = [&](Refusal why, std::string detail, Duration retry = Duration{1'000}) {
    order(effect::AnswerTake{request, {{why, std::move(detail), retry}, {}}});
    order(effect::Count{"ci_monitor_takes_total", {{"outcome", to_string(why)}}});
  };
  /// No fault of the client's.
  auto refuse_and_note = [&](Refusal why, std::string detail, Duration retry = Duration{1'000}) {
    refuse(why, std::move(detail), retry);
    note_take(ask.profile, to_string(why));
  };
  if (!loaded_ || !policy_ || stopping_)
    return refuse(Refusal::not_ready, "The service is starting or stopping; ask again in a moment.");
  if (auto it = reservations_.find(ask.unique_id); it != reservations_.end()) {
    auto& known = it->second;
    if (!known.rec.request.same_as(ask))
      return refuse(Refusal::id_conflict, "This unique_id is in use with other arguments.", {});
    switch (known.rec.phase) {
    case ReservationPhase::pending:
      known.takers.push_back(request);
      return;
    case ReservationPhase::undoing:
      return refuse(Refusal::github_away, "An earlier request with this unique_id is still being undone.");
    case ReservationPhase::granted:
      known.takers.push_back(request);
      if (known.grant_committed)
        answer_take(known);
      return;
    case ReservationPhase::releasing:
    case ReservationPhase::ended:
      return refuse(Refusal::id_spent, "This unique_id was used before; choose a new one.", {});
    }
  }
  if (const auto ended = spent_.find(ask.unique_id))
    return ended->request.same_as(ask)
               ? refuse(Refusal::id_spent, "This unique_id was used before; choose a new one.", {})
               : refuse(Refusal::id_conflict,
                        "This unique_id was used with other arguments; choose a new one.", {});
  note_delivered(); // before it is Reserved: an override must hear of it
  if (!policy_->profiles.count(ask.profile))
    return refuse(Refusal::unknown_profile, "There is no such profile.", {});
  if (ask.artifact_id != 0)
    if (auto verdict = check_tokenless(ask); verdict.refusal != Refusal::none)
      return refuse(verdict.refusal, verdict.detail, {});
  if (!guests_known_ || (!registrations_known_ && !policy_->dont_register_runners))
    return refuse_and_note(github_.trouble.empty() ? Refusal::not_ready : Refusal::github_away,
                  "GitHub or libvirt has not been heard yet; ask again in a moment.");
  if (!store_.well)
    return refuse_and_note(Refusal::store_away, "The store can't be written; ask again later.", Duration{5'000});
  int deciding = 0;
  for (auto& [uid, other] : reservations_)
    deciding += other.rec.phase == ReservationPhase::pending;
  if (deciding >= policy_->max_deciding_takes)
    return refuse_and_note(Refusal::busy, "Too many takes are under way; ask again in a moment.");

  auto idle = idle_runners(ask.profile);
  if (static_cast<int>(idle.size()) < ask.minimum) {
    order(effect::AnswerTake{request, {}});
    order(effect::Count{"ci_monitor_takes_total", {{"outcome", "null"}}});
    note_take(ask.profile, "null");
    return;
  }
  const auto wanted = std::min(ask.count, static_cast<int>(idle.size()));
  if (auto held = writes_held(WritePurpose::reserving, wanted); held > Duration{0})
    return refuse_and_note(Refusal::github_away, "GitHub's limits leave no room for it now; nothing was reserved.",
                           std::max(Duration{1'000}, held));
  writes_.spend(wanted, now_.steady);
  auto& fresh = reservations_[ask.unique_id];
  fresh.rec.request = ask;
  fresh.rec.created_at = now.time;
  fresh.begun_by = request;
  fresh.takers.push_back(request);
  for (int i = 0; i < wanted; ++i) {
    fresh.rec.slots.push_back({idle[i], SlotState::chosen});
    fresh.work[idle[i]].write_spent = true;
  }
  save(fresh, [this, uid = ask.unique_id] {
    if (auto it = reservations_.find(uid); it != reservations_.end())
      it->second.committed = true;
  });
}

/// Others' shares of GitHub's limits are smaller: only what met a take holds the next one back.
void Core::note_reserving(const GithubError& error) {
  if (error.kind == GithubError::Kind::limited)
    reserving_held_until_ = std::max(reserving_held_until_, now_.steady + error.retry_after);
}

void Core::advance(Reservation& r) {
  switch (r.rec.phase) {
  case ReservationPhase::pending:
    advance_pending(r);
    break;
  case ReservationPhase::granted:
  case ReservationPhase::releasing:
    advance_granted(r);
    break;
  default:
    break;
  }
  for (auto& slot : r.rec.slots)
    if (slot.state == SlotState::unlabel)
      unlabel(r, slot);
  settle(r); // last: it may forget the reservation
}

// --- deciding ---

void Core::advance_pending(Reservation& r) {
  const Because because(*this, r.begun_by);
  if (policy_->queue_member) {
    // Whoever distributes jobs over several hosts asks the next one after this.
    auto deadline = r.rec.created_at + policy_->timings.take_deadline;
    if (now_.time >= deadline)
      return fail_take(r, {Refusal::github_away, "GitHub did not confirm the runners in time; nothing was reserved.",
                           Duration{1'000}});
    wake(deadline);
  }
  if (!r.committed)
    return;
  // A slot that was dropped has another in its place, which has to be durable first.
  for (std::size_t i = 0; i < r.rec.slots.size() && r.committed; ++i)
    advance_slot(r, i);
  int hopeful = count_slots(r.rec, counts_for_take);
  int confirmed = count_slots(r.rec, [](SlotState s) { return s == SlotState::confirmed; });
  if (hopeful < r.rec.request.minimum)
    fail_take(r, {});
  else if (confirmed == hopeful)
    grant(r);
}

void Core::advance_slot(Reservation& r, std::size_t index) {
  auto& slot = r.rec.slots[index];
  if (!counts_for_take(slot.state))
    return;
  auto* runner = find(slot.runner);
  auto& work = r.work[slot.runner];
  const bool lost = !runner || runner->rec.phase != Phase::live || runner->guest_off() ||
                    runner->rec.registration_ended || runner->rec.busy_seen;
  if (work.labelling || work.looking)
    return;
  if (lost)
    return drop_slot(r, slot, "it ended or was taken by another job");
  if (!work.label_pause.due(now_.time))
    return wake(work.label_pause.next());
  if (slot.state == SlotState::chosen) {
    work.labelling = work.maybe_labelled = true;
    if (!std::exchange(work.write_spent, false))
      writes_.spend(1, now_.steady);
    order(effect::Label{r.rec.request.unique_id, slot.runner, *runner->rec.registration_id,
                        reservation_labels(r.rec.request, r.rec.created_at)});
  } else if (slot.state == SlotState::labelled) {
    work.looking = true;
    work.look_seq = next_seq();
    order(effect::LookSlot{r.rec.request.unique_id, slot.runner, *runner->rec.registration_id});
  }
}

/// Another idle runner takes its place, where there is one.
void Core::drop_slot(Reservation& r, ReservationSlot& slot, const char* why) {
  auto dropped = slot.runner;
  auto* runner = find(dropped);
  log(LogLevel::info, "take_dropped_runner",
      "unique_id=" + r.rec.request.unique_id + " runner=" + std::to_string(dropped) + " why=\"" + why + "\"");
  bool stolen = runner && runner->rec.busy_seen;
  if (stolen) {
    runner->stolen_from = r.rec.request.unique_id_spelt;
    order(effect::Count{"ci_monitor_stolen_total", {{"profile", r.rec.request.profile}}});
  }
  // Labels of a runner that works for another job, or is no more, go with it.
  bool clean = stolen || !runner || runner->rec.registration_ended || !(r.work[dropped].maybe_labelled || r.from_store);
  auto used = [&](RunnerId id) {
    return std::any_of(r.rec.slots.begin(), r.rec.slots.end(), [id](auto& s) { return s.runner == id; });
  };
  slot.state = clean ? SlotState::released : SlotState::unlabel;
  auto idle = idle_runners(r.rec.request.profile);
  auto next = std::find_if_not(idle.begin(), idle.end(), used);
  if (next != idle.end()) {
    r.committed = false;
    r.rec.slots.push_back({*next, SlotState::chosen}); // `slot` is dangling from here on
  } else if (r.rec.phase == ReservationPhase::granted)
    want_jobs(r); // there may be an idle one later
  save(r, [this, uid = r.rec.request.unique_id] {
    if (auto it = reservations_.find(uid); it != reservations_.end())
      it->second.committed = true;
  });
}

void Core::on_labelled(Now now, const std::string& uid, RunnerId id,
                       const GithubReply<std::vector<std::string>>& reply) {
  see(now);
  note_github(reply.error);
  note_reserving(reply.error);
  auto it = reservations_.find(uid);
  if (auto* runner = find(id)) {
    // Whatever was read before this call may lack, or have, the labels.
    runner->reg_seq = next_seq();
    if (reply && runner->reg)
      runner->reg->labels = *reply.value;
  }
  if (it == reservations_.end())
    return;
  auto& r = it->second;
  const Because because(*this, r.rec.phase == ReservationPhase::pending ? r.begun_by : 0);
  r.work[id].labelling = false;
  auto slot = std::find_if(r.rec.slots.begin(), r.rec.slots.end(),
                           [id](auto& s) { return s.runner == id && s.state == SlotState::chosen; });
  const bool granted = r.rec.phase == ReservationPhase::granted;
  if (slot == r.rec.slots.end() || (r.rec.phase != ReservationPhase::pending && !granted))
    return;
  if (reply) {
    slot->state = SlotState::labelled;
    return;
  }
  if (reply.error.kind == GithubError::Kind::unreachable ||
      reply.error.kind == GithubError::Kind::malformed) {
    slot->state = SlotState::labelled; // a look settles whether it was done
  } else if (reply.error.general() && granted) {
    r.work[id].label_pause.failed(now.time, reply.error.retry_after);
  } else if (reply.error.general()) {
    fail_take(r, {Refusal::github_away, "GitHub did not accept the labels in time; nothing was reserved.",
                  std::max(Duration{1'000}, reply.error.retry_after)});
  } else {
    r.work[id].maybe_labelled = false;
    if (reply.error.kind == GithubError::Kind::not_found)
      if (auto* runner = find(id))
        runner->look_wanted = true;
    drop_slot(r, *slot, "GitHub refused its labels");
  }
}

void Core::on_slot_looked(Now now, const std::string& uid, RunnerId id,
                          const GithubReply<Registration>& reply) {
  see(now);
  note_github(reply.error);
  note_reserving(reply.error);
  auto it = reservations_.find(uid);
  auto* runner = find(id);
  if (it == reservations_.end()) {
    if (runner && reply)
      saw_registration(*runner, *reply.value, runner->reg_seq);
    return;
  }
  auto& r = it->second;
  const Because because(*this, r.rec.phase == ReservationPhase::pending ? r.begun_by : 0);
  auto& work = r.work[id];
  work.looking = false;
  if (runner && reply)
    saw_registration(*runner, *reply.value, work.look_seq);
  else if (runner && reply.error.kind == GithubError::Kind::not_found)
    saw_missing(*runner, work.look_seq);
  auto slot = std::find_if(r.rec.slots.begin(), r.rec.slots.end(),
                           [id](auto& s) { return s.runner == id && s.state == SlotState::labelled; });
  const bool granted = r.rec.phase == ReservationPhase::granted;
  if (slot == r.rec.slots.end() || (r.rec.phase != ReservationPhase::pending && !granted))
    return;
  if (!reply && reply.error.general() && granted) {
    work.label_pause.failed(now.time, reply.error.retry_after);
  } else if (!reply && reply.error.general()) {
    fail_take(r, {Refusal::github_away, "GitHub could not show the labels in time; nothing was reserved.",
                  std::max(Duration{1'000}, reply.error.retry_after)});
  } else if (!reply) {
    drop_slot(r, *slot, "GitHub knows it no more");
  } else if (!reply.value->online() || reply.value->busy || !has_label(reply.value->labels, for_label(r))) {
    if (runner && reply.value->busy)
      mark_busy(*runner);
    drop_slot(r, *slot,
              reply.value->busy ? "another job took it" : "it is offline, or its labels are not there");
  } else {
    slot->state = SlotState::confirmed;
    if (granted) {
      save(r);
      if (runner)
        remember("reserved", *runner, r.rec.request.unique_id_spelt);
    }
  }
}

void Core::fail_take(Reservation& r, Verdict why) {
  r.rec.phase = ReservationPhase::undoing;
  r.failure = std::move(why);
  note_take(r.rec.request.profile,
            r.failure.refusal == Refusal::none ? "null" : to_string(r.failure.refusal));
  for (auto& slot : r.rec.slots)
    if (is_open(slot.state))
      slot.state = SlotState::unlabel;
  // A refusal leaves at once; `null` says that nothing was changed, so it waits until that is true.
  if (r.failure.refusal != Refusal::none)
    answer_take(r);
  save(r);
}

void Core::grant(Reservation& r) {
  r.rec.phase = ReservationPhase::granted;
  r.rec.granted_at = now_.time;
  r.rec.deadline = now_.time + policy_->timings.reserve_timeout;
  if (r.rec.request.artifact_id != 0)
    use_artifact(r.rec.request.artifact_id);
  remember("take_granted", r, "");
  for (auto& slot : r.rec.slots)
    if (auto* runner = find(slot.runner); runner && slot.state == SlotState::confirmed)
      remember("reserved", *runner, r.rec.request.unique_id_spelt);
  save(r, [this, uid = r.rec.request.unique_id] {
    auto it = reservations_.find(uid);
    if (it == reservations_.end())
      return;
    it->second.grant_committed = true;
    answer_take(it->second);
  });
  log(LogLevel::info, "granted",
      "unique_id=" + r.rec.request.unique_id + " profile=" + r.rec.request.profile +
          " runners=" + std::to_string(r.rec.slots.size()));
}

void Core::answer_take(Reservation& r) {
  TakeAnswer answer;
  answer.verdict = r.failure;
  bool replacing = false; ///< by a runner that is not promised yet
  if (r.rec.phase == ReservationPhase::granted)
    for (auto& slot : r.rec.slots) {
      const bool unconfirmed = slot.state == SlotState::chosen || slot.state == SlotState::labelled;
      replacing |= unconfirmed;
      if (!unconfirmed && slot.state != SlotState::released && slot.state != SlotState::unlabel)
        if (auto* runner = find(slot.runner); runner && (runner->rec.phase == Phase::live || runner->rec.busy_seen))
          answer.runners.push_back(view_of(*runner));
    }
  if (answer.runners.empty() && replacing)
    answer.verdict = {Refusal::not_ready, "Its runners are being replaced; ask again in a moment.", Duration{1'000}};
  else if (r.rec.phase == ReservationPhase::granted && answer.runners.empty())
    answer.verdict = {Refusal::id_spent, "The runners of this reservation have ended; choose a new unique_id.", {}};
  auto outcome = answer.verdict.refusal != Refusal::none ? to_string(answer.verdict.refusal)
                 : answer.runners.empty()                ? "null"
                                                         : "granted";
  for (auto request : std::exchange(r.takers, {})) {
    order(effect::AnswerTake{request, answer});
    order(effect::Count{"ci_monitor_takes_total", {{"outcome", outcome}}});
  }
}

} // namespace ci::domain
