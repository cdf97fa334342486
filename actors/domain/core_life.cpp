/// Core: one runner from its order to its end.
#include "actors/domain/core.hpp"
#include "actors/domain/identity.hpp"

#include <utility>

namespace ci::domain {
namespace {

/// After a webhook has told of its job's end a runner is asked for after 0, 2, 4 ... 30 s, this often at most; the
/// listings see to the rest.
constexpr int most_looks_after_end = 12;

constexpr const char* lost = "was lost: offline for too long";

} // namespace

// --- creating ---

RunnerId Core::order_runner(const Profile& profile, const std::string& template_guest) {
  ids_in_doubt_ = false;
  auto id = next_id_++;
  auto& r = runners_[id];
  auto& rec = r.rec;
  rec.id = id;
  rec.profile = profile.key;
  rec.guest_name = runner_guest_name(policy_->prefixes, profile.key, id);
  rec.registration_name = registration_name(policy_->prefixes, rec.guest_name);
  auto high = random_(), low = random_();
  rec.uuid = uuid_v4(high, low);
  auto taken = [&](const std::string& mac) {
    for (auto& [other, o] : runners_)
      if (other != id && o.rec.mac == mac)
        return true;
    return false;
  };
  do
    rec.mac = mac_address(random_());
  while (taken(rec.mac));
  rec.template_guest = template_guest;
  rec.held = profile.requires_;
  rec.created_at = now_.time;
  r.look_wanted = false;
  if (!policy_->dont_register_runners)
    writes_.spend(1, now_.steady);
  fill_vacancy(r);
  write(store::SetNextId{next_id_});
  save(r, [this, id] {
    if (auto* ordered = find(id))
      ordered->ordered = true;
  });
  remember("ordered", r, "template " + rec.template_guest);
  return id;
}

GuestSpec Core::spec_of(const Runner& r) const {
  GuestSpec spec;
  spec.name = r.rec.guest_name;
  spec.uuid = r.rec.uuid;
  spec.mac = r.rec.mac;
  spec.template_guest = r.rec.template_guest;
  if (auto it = policy_->profiles.find(r.rec.profile); it != policy_->profiles.end()) {
    spec.disk_target = images_.disk_target(r.rec.template_guest).value_or(it->second.disk_target);
    spec.may_overlay = it->second.image.allow_overlay;
  } else
    spec.disk_target = images_.disk_target(r.rec.template_guest).value_or("");
  spec.disk_folder = policy_->images_path + "/runner";
  spec.disk_prefix = std::to_string(r.rec.id) + "-";
  spec.filter = policy_->guest_filter;
  spec.released = r.rec.registration_ended;
  spec.disk = r.disk;
  return spec;
}

void Core::advance(Runner& r) {
  if (!r.ordered)
    return;
  switch (r.rec.phase) {
  case Phase::creating:
    advance_creating(r);
    break;
  case Phase::live:
    advance_live(r);
    break;
  case Phase::destroying:
  case Phase::gone:
    break;
  }
  if (r.rec.phase == Phase::destroying) {
    advance_unregister(r);
    advance_remove(r);
    finish(r);
  }
}

std::vector<std::string> Core::registration_labels(const Profile& profile) {
  if (!policy_->exclusive_reservations)
    return usual_labels(profile);
  const auto high = random_(), low = random_();
  return {exclusive_label(high, low)};
}

/// The first time at once: plan() saw that there was room for it.
void Core::register_if_due(Runner& r, const Profile& profile) {
  if (r.register_after != Steady{}) {
    auto held = std::max(std::chrono::ceil<Duration>(r.register_after - now_.steady),
                         writes_held(WritePurpose::creating, 1));
    if (held > Duration{0})
      return wake(now_.time + held);
    writes_.spend(1, now_.steady);
  }
  r.registered_once = r.registering = true;
  order(effect::Register{
      r.rec.id,
      {r.rec.registration_name, registration_labels(profile), profile.work_folder, policy_->runner_group_id}});
}

void Core::advance_creating(Runner& r) {
  if (r.from_store)
    return advance_interrupted(r);
  auto it = policy_->profiles.find(r.rec.profile);
  if (it == policy_->profiles.end()) {
    if (!r.registering && !r.preparing && !r.starting)
      destroy(r, "its profile is configured no more");
    return;
  }
  if (policy_->dont_register_runners) {
    if (r.prepared)
      start_when_made(r.rec.id); // it may have waited to be registered, and need not any more
  } else if (!r.registered_once)
    register_if_due(r, it->second);
  if (!r.prepared && !r.preparing) {
    r.preparing = true;
    order(effect::Prepare{r.rec.id, spec_of(r)});
  }
}

/// An earlier process was cut off while it made this one: kept only if all of it was made.
void Core::advance_interrupted(Runner& r) {
  bool registered = r.rec.registration_id || policy_->dont_register_runners;
  if (registered && !guests_known_)
    return;
  if (!registered || r.guest != GuestState::on)
    return destroy(r, "was being made when the service stopped");
  r.rec.phase = Phase::live;
  r.started_at = now_.time;
  save(r);
  remember("started", r, "was running already");
}

/// Starts its guest once it is durably registered and its disk is there.
void Core::start_when_made(RunnerId id) {
  auto* r = find(id);
  if (!r || r->rec.phase != Phase::creating || !r->prepared || r->registering || r->starting || stopping_)
    return;
  if (!r->registration_saved && !policy_->dont_register_runners)
    return; // its registration was held back, or is not durable yet
  r->starting = true;
  order(effect::Start{id, spec_of(*r)});
}

void Core::on_registered(Now now, RunnerId id, const GithubReply<JitRegistration>& reply) {
  see(now);
  note_github(reply.error);
  auto* r = find(id);
  if (!r)
    return;
  r->registering = false;
  if (reply.error.kind == GithubError::Kind::limited && r->rec.phase == Phase::creating) {
    // Refused before anything was made: nothing is wrong with this runner, it only has to wait.
    r->registered_once = false;
    r->register_after = now.steady + std::max(Duration{1'000}, reply.error.retry_after);
    create_trouble_[r->rec.profile] = waits_for_limits;
    return;
  }
  if (reply.error.kind == GithubError::Kind::conflict)
    name_taken(*r);
  if (!reply) {
    create_failed(*r, "registration: " + reply.error.text());
    if (!reply.error.may_have_acted()) {
      // GitHub said no before it made anything.
      r->rec.registration_ended = true;
      save(*r);
    }
    return;
  }
  r->rec.registration_id = reply.value->registration.id;
  if (r->rec.phase != Phase::creating) {
    save(*r); // given up meanwhile: now it is known what to delete
    return;
  }
  r->reg = reply.value->registration;
  r->reg_seq = next_seq();
  r->rec.jit_config = reply.value->encoded_jit_config;
  save(*r, [this, id] {
    if (auto* registered = find(id))
      registered->registration_saved = true;
    start_when_made(id);
  });
  measure_step(*r, "registered");
  remember("registered", *r, "registration " + std::to_string(*r->rec.registration_id));
}

/// By somebody else: nothing was asked for this runner before, and the edge sends no registration twice. Whatever
/// bears that name now, or ever, is none of its.
void Core::name_taken(Runner& r) {
  auto name = std::exchange(r.rec.registration_name, {});
  log(LogLevel::warn, "name_taken",
      "runner=" + std::to_string(r.rec.id) + " name=\"" + name +
          "\" reason=\"somebody else's registration has it; has another monitor the same github_api_suffix?\"");
  remember("name_taken", r, name);
  ids_in_doubt_ = true;
  registrations_needed_ = next_seq();
}

void Core::on_prepared(Now now, RunnerId id, const HostReply& reply) {
  see(now);
  auto* r = find(id);
  if (!r)
    return;
  r->preparing = false;
  if (!reply) {
    create_failed(*r, "disk: " + reply.error, reply.cut_short);
    return;
  }
  r->prepared = true;
  r->disk = reply.disk;
  measure_step(*r, "disk");
  start_when_made(id);
}

void Core::on_started(Now now, RunnerId id, const HostReply& reply) {
  see(now);
  auto* r = find(id);
  if (!r)
    return;
  r->starting = false;
  r->guest_as_of = reply.finished_at;
  r->guest_seq = next_seq();
  if (!reply) {
    // Whether it runs is not known: the listing will say.
    guests_wanted_ = true;
    create_failed(*r, "start: " + reply.error, reply.cut_short);
    return;
  }
  r->guest = GuestState::on;
  r->guest_known = true;
  saw_started(*r);
  r->started_at = now.time;
  addresses_due_ = now.time;
  measure_step(*r, "defined", reply.defined_at);
  measure_step(*r, "started");
  vacancy_filled(*r);
  if (r->rec.phase != Phase::creating)
    return;
  r->rec.phase = Phase::live;
  save(*r);
  remember("started", *r);
  order(effect::Count{"ci_monitor_runners_created_total",
                      {{"profile", r->rec.profile}, {"outcome", "started"}}});
  create_pause_.erase(r->rec.profile);
  create_trouble_.erase(r->rec.profile);
}

void Core::create_failed(Runner& r, const std::string& why, bool cut_short) {
  r.last_error = why;
  vacancy_left(r);
  if (r.rec.phase != Phase::creating)
    return;
  auto [pause, fresh] = create_pause_.try_emplace(r.rec.profile, Duration{5'000}, Duration{300'000});
  // Runners made at the same time fail for the same reason: one step of the ladder for all of them.
  if (pause->second.due(now_.time))
    pause->second.failed(now_.time);
  create_trouble_[r.rec.profile] = why;
  log(LogLevel::warn, "create_failed",
      "runner=" + std::to_string(r.rec.id) + " profile=" + r.rec.profile + " error=\"" + why + "\"");
  order(
      effect::Count{"ci_monitor_runners_created_total", {{"profile", r.rec.profile}, {"outcome", "failed"}}});
  destroy(r, "could not be made: " + why,
          cut_short || why.starts_with("registration") ? TrialLoss::no_fault : TrialLoss::not_made);
}

// --- living ---

void Core::advance_live(Runner& r) {
  bool registrations = !policy_->dont_register_runners;
  if (!r.guest_known)
    return; // libvirt has not told yet
  if (r.guest_off() && (registrations || !r.guest_exists())) {
    bool by_others = r.guest == GuestState::absent || r.guest_reason == "destroyed" ||
                     r.guest_reason == shutdown_by_host;
    destroy(r, r.guest == GuestState::absent ? "its guest is gone" : "its guest is off: " + r.guest_reason,
            by_others ? TrialLoss::no_fault : TrialLoss::never_online);
    return;
  }
  if (!registrations)
    return;
  if (r.rec.registration_ended || !r.rec.registration_id) {
    destroy(r, "its registration has ended");
    return;
  }
  if (r.rec.busy_seen) {
    // GitHub may have been wrong about one that never came online; then nothing else would ever end it. The ladder finds
    // out, and spares it if it works after all.
    if (never_came_online(r))
      return destroy(r, "did not come online in time");
    if (was_lost(r))
      return destroy(r, lost);
    return look_if_due(r);
  }
  auto& t = policy_->timings;
  if (r.rec.spoiled) {
    destroy(r, "its reservation labels could not be taken off");
    return;
  }
  if (auto* reservation = reservation_of(r)) {
    if (!reservation->given_up.empty()) {
      destroy(r, reservation->given_up);
      return;
    }
  } else if (r.reg && has_reservation_label(r.reg->labels)) {
    if (!r.orphan_label_since)
      r.orphan_label_since = now_.time;
    if (now_.time >= *r.orphan_label_since + t.reserve_timeout) {
      destroy(r, "expired: labelled for a reservation that is not known here");
      return;
    }
    wake(*r.orphan_label_since + t.reserve_timeout);
  } else
    r.orphan_label_since.reset();
  if (never_came_online(r))
    return destroy(r, "did not come online in time", TrialLoss::never_online);
  if (was_lost(r))
    return destroy(r, lost);
  look_if_due(r);
}

/// GitHub calls runners offline that work, but not for so long, and not also idle. A guest that hangs or is paused may
/// stay on for ever.
bool Core::was_lost(const Runner& r) const {
  if (!r.rec.online_at || !r.offline_since || (r.reg && r.reg->busy))
    return false;
  const auto end = std::max(*r.offline_since, r.spared_at.value_or(*r.offline_since)) + policy_->timings.lost_timeout;
  return r.seen_at >= end; // a GitHub that is silent calls nobody offline
}

/// Whether it had its whole time to come online.
bool Core::never_came_online(Runner& r) {
  if (r.rec.online_at)
    return false;
  // Nobody answered it while the service was down.
  auto since = r.started_at.value_or(r.from_store ? std::max(r.rec.created_at, loaded_at_) : r.rec.created_at);
  const auto end = std::max(since, r.spared_at.value_or(since)) + policy_->timings.start_timeout;
  if (now_.time < end) {
    wake(end);
    return false;
  }
  // Who came online since it was heard last only GitHub knows.
  const bool seen = r.seen_at >= end;
  r.look_wanted |= !seen;
  return seen;
}

/// Of one that has a registration.
void Core::look_if_due(Runner& r) {
  if (r.looking || r.missing_seq)
    return;
  bool until_online =
      r.rec.jit_served_at && !r.rec.online_at && !r.rec.busy_seen && r.rec.phase == Phase::live;
  r.told_over &= r.over_look.failures() < most_looks_after_end;
  const bool until_gone = r.told_over && r.rec.phase == Phase::live;
  if (until_gone && !r.over_look.due(now_.time))
    wake(r.over_look.next());
  if (!r.look_wanted && !until_online && !(until_gone && r.over_look.due(now_.time)) && r.jit_waiters.empty())
    return;
  if (!r.look.due(now_.time) && r.jit_waiters.empty()) {
    wake(r.look.next());
    return;
  }
  if (until_online && !r.look_wanted && r.jit_waiters.empty() && r.look.failures() == 0) {
    // The first look is 2 s after the JIT config was fetched.
    auto first = *r.rec.jit_served_at + Duration{2'000};
    if (now_.time < first)
      return wake(first);
  }
  r.looking = true;
  r.look_seq = next_seq();
  r.look_asked = now_.time;
  if (until_gone)
    r.over_look.failed(now_.time);
  order(effect::Look{r.rec.id, *r.rec.registration_id});
}

} // namespace ci::domain
