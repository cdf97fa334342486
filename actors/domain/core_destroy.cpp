/// Core: one runner from the decision to destroy it to its end.
#include "actors/domain/core.hpp"

#include <utility>

namespace ci::domain {

// --- destroying ---

void Core::destroy(Runner& r, const std::string& reason, TrialLoss loss) {
  if (r.rec.phase == Phase::destroying || r.rec.phase == Phase::gone)
    return;
  r.rec.phase = Phase::destroying;
  r.rec.reason = reason;
  r.rec.started = r.guest_started;
  r.destroy_seq = next_seq();
  r.look_anew();
  r.unregister_pause.succeeded();
  r.outage.reset();
  r.remove_pause.succeeded();
  r.look.succeeded();
  for (auto& waiter : std::exchange(r.jit_waiters, {})) // for a look that may be long in coming
    order(effect::AnswerJit{waiter.request, {{Refusal::jit_gone, "This runner is being destroyed.", {}}, {}}});
  if (!r.registered_once && !r.rec.registration_id)
    r.rec.registration_ended = true; // GitHub was never asked for one
  save(r);
  remember("destroying", r, reason);
  // A GitHub that is away shows nobody online.
  if (!r.rec.online_at && loss != TrialLoss::no_fault && (github_answers_ || loss == TrialLoss::not_made))
    images_.trial_runner_lost(now_.time, r.rec.template_guest, reason, loss);
  order(effect::Count{"ci_monitor_runners_destroyed_total",
                      {{"profile", r.rec.profile}, {"why", reason.substr(0, reason.find(':'))}}});
}

void Core::advance_unregister(Runner& r) {
  if (r.rec.registration_ended || r.registering || r.unregistering || r.finding || r.looking)
    return;
  if (policy_->dont_register_runners && !r.rec.registration_id) {
    r.rec.registration_ended = true;
    save(r);
    return;
  }
  if (r.missing_seq)
    return; // a listing is on its way to confirm that it is gone
  if (!r.unregister_pause.due(now_.time))
    return wake(r.unregister_pause.next());
  if (!r.rec.registration_id) {
    r.finding = true;
    order(effect::FindRegistration{r.rec.id, r.rec.registration_name});
    return;
  }
  ReleaseFacts facts;
  facts.now = now_.time;
  facts.guest_known_off = r.guest_off();
  facts.jit_served = r.rec.jit_served_at.has_value();
  if (auto* reservation = reservation_of(r))
    facts.reserved_at = reservation->rec.granted_at.value_or(reservation->rec.created_at);
  facts.first_not_busy = r.first_not_busy;
  facts.second_not_busy = r.second_not_busy;
  auto advice =
      next_release_step(facts, policy_->timings.idle_confirmation, policy_->timings.reserved_confirmation);
  switch (advice.step) {
  case ReleaseStep::wait:
    return wake(advice.until);
  case ReleaseStep::look:
    r.look_wanted = true;
    return look_if_due(r);
  case ReleaseStep::unregister:
    if (auto held = writes_held(WritePurpose::clearing, 1); held > Duration{0})
      return wake(now_.time + held);
    writes_.spend(1, now_.steady);
    r.unregistering = true;
    order(effect::Unregister{r.rec.id, *r.rec.registration_id});
  }
}

void Core::put_off_unregister(Runner& r, const GithubError& error) {
  if (error.kind == GithubError::Kind::limited && error.retry_after > Duration{0})
    return r.unregister_pause.wait(now_.time, error.retry_after); // its limits are heeded where it is called
  r.unregister_pause.failed(now_.time, error.retry_after);
  if (error.general() && error.retry_after == Duration{0})
    r.outage = {now_.time, error.text()};
}

void Core::on_unregistered(Now now, RunnerId id, const GithubReply<Done>& reply) {
  see(now);
  auto* r = find(id);
  if (r)
    r->outage.reset();
  note_github(reply.error);
  if (!r)
    return;
  r->unregistering = false;
  if (reply) {
    r->unregister_pause.succeeded();
    registration_over(*r, "unregistered");
    return;
  }
  r->last_error = "unregister: " + reply.error.message;
  r->look_anew(); // it stays registered, and may get a job before the next try
  put_off_unregister(*r, reply.error);
  if (reply.error.kind == GithubError::Kind::not_found) {
    r->unregister_pause.succeeded();
    r->reg_seq = next_seq();
    saw_missing(*r, r->reg_seq);
  } else if (reply.error.kind == GithubError::Kind::unprocessable) {
    if (!r->guest_off())
      mark_busy(*r);
  }
}

void Core::on_found(Now now, RunnerId id, const GithubReply<std::vector<Registration>>& reply) {
  see(now);
  auto* r = find(id);
  if (r)
    r->outage.reset();
  note_github(reply.error);
  if (!r)
    return;
  r->finding = false;
  if (!reply) {
    r->last_error = "find: " + reply.error.message;
    put_off_unregister(*r, reply.error);
    return;
  }
  if (r->rec.registration_id || found_among(*r, *reply.value))
    return;
  if (r->rec.jit_served_at && !r->guest_off())
    saw_missing(*r, next_seq()); // it may be working: one look is not enough to stop it
  else
    registration_over(*r, "GitHub knows none of its name");
}

void Core::advance_remove(Runner& r) {
  if (r.rec.guest_removed || r.removing || r.preparing || r.starting || !host_up_)
    return;
  // The one gate before a guest is stopped (G1): it is off already, or GitHub let it go.
  if (!r.guest_off() && !r.rec.registration_ended)
    return;
  if (!guests_known_)
    return;
  if (!r.remove_pause.due(now_.time))
    return wake(r.remove_pause.next());
  r.removing = true;
  order(effect::Remove{r.rec.id, spec_of(r)});
}

void Core::on_removed(Now now, RunnerId id, const HostReply& reply) {
  see(now);
  auto* r = find(id);
  if (!r)
    return;
  r->removing = false;
  r->guest_as_of = reply.finished_at;
  r->guest_seq = next_seq();
  if (!reply) {
    r->last_error = "remove: " + reply.error;
    r->remove_pause.failed(now.time);
    guests_wanted_ = true;
    log(LogLevel::warn, "remove_failed", "runner=" + std::to_string(id) + " error=\"" + reply.error + "\"");
    return;
  }
  r->remove_pause.succeeded();
  if (r->guest == GuestState::on)
    note_vacancy(*r);
  r->guest = GuestState::absent;
  r->guest_known = true;
  r->rec.guest_removed = true;
  addresses_.ipv4_by_guest.erase(r->rec.guest_name);
  save(*r);
  remember("guest_removed", *r);
}

void Core::finish(Runner& r) {
  if (!r.rec.registration_ended || !r.rec.guest_removed || r.registering || r.preparing || r.starting ||
      r.looking)
    return;
  r.rec.phase = Phase::gone;
  r.rec.jit_config.clear();
  r.rec.ended_at = now_.time;
  save(r);
  remember("gone", r, r.rec.reason);
  end_of_runner(r);
  gone_[r.rec.id] = {r.rec, next_seq()};
  runners_.erase(r.rec.id);
}

/// Tells its reservation, if any, what became of it.
void Core::end_of_runner(Runner& r) {
  for (auto& [uid, reservation] : reservations_) {
    bool changed = false;
    for (auto& slot : reservation.rec.slots) {
      if (slot.runner != r.rec.id)
        continue;
      if (slot.state == SlotState::confirmed)
        want_jobs(reservation); // whether its job had begun is only guessed here
      if (slot.state == SlotState::started ||
          (slot.state == SlotState::confirmed && r.own_end && r.rec.jit_served_at))
        slot.state = SlotState::finished, changed = true;
      else if (slot.state == SlotState::unlabel)
        slot.state = SlotState::released, changed = true;
      else if (slot.state == SlotState::confirmed)
        slot.state = SlotState::given_up, changed = true;
    }
    if (changed)
      save(reservation);
  }
}

} // namespace ci::domain
