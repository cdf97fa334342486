/// Core: taking in what libvirt and GitHub report.
#include "actors/domain/core.hpp"

#include <algorithm>
#include <utility>

namespace ci::domain {

// --- libvirt ---

void Core::on_host(Now now, bool up, std::string trouble) {
  see(now);
  if (up && !host_up_)
    guests_wanted_ = true; // events were lost while it was down
  if (host_up_ != up || !libvirt_.since)
    libvirt_.since = now.time;
  if (host_up_ != up)
    log(up ? LogLevel::info : LogLevel::warn, up ? "libvirt_up" : "libvirt_down",
        "trouble=\"" + trouble + "\"");
  host_up_ = up;
  libvirt_.well = up;
  libvirt_.trouble = up ? "" : std::move(trouble);
}

void Core::on_guest(Now now, const GuestObservation& seen) {
  see(now);
  auto* r = find_by_guest(seen.name);
  if (!r && images_.owns(seen.name, seen.uuid)) {
    images_.on_guest(seen);
    guests_wanted_ |= seen.state == GuestState::absent;
    return;
  }
  if (!r) {
    // A template, a stranger, or a latecomer: the listing sorts them out.
    guests_wanted_ = true;
    return;
  }
  if (seen.state != GuestState::absent && seen.uuid != r->rec.uuid) {
    guests_wanted_ = true;
    return;
  }
  if (r->starting || r->removing || seen.read_at <= r->guest_as_of) {
    // It may have been read before the order's end; a listing made afterwards is free of doubt.
    guests_wanted_ = true;
    return;
  }
  if (seen.state != GuestState::absent || guest_gone(*r, 0))
    saw_guest(*r, seen);
}

/// Whether one that was not found is gone. A guest that may be on is stopped for it, so that a listing made
/// afterwards has to say the same (G1); an end of a usual kind shows as off, and needs none.
/// \p seen_seq: of the listing that lacks it; 0: it was looked for alone.
bool Core::guest_gone(Runner& r, std::uint64_t seen_seq) {
  if (r.guest_known && r.guest != GuestState::on)
    return true;
  if (r.guest_missing_seq && seen_seq > *r.guest_missing_seq)
    return true;
  if (!r.guest_missing_seq)
    r.guest_missing_seq = next_seq();
  guests_wanted_ = true;
  return false;
}

/// From here on, off means ended; that is durable before its slot is given away.
void Core::saw_started(Runner& r) {
  if (std::exchange(r.guest_started, true) || r.rec.phase != Phase::destroying)
    return;
  r.rec.started = true;
  save(r);
}

void Core::saw_guest(Runner& r, const GuestObservation& seen) {
  bool was_on = r.guest_known ? r.guest == GuestState::on : r.guest_started;
  if (was_on && seen.state != GuestState::on) {
    r.own_end |= r.rec.phase == Phase::live;
    note_vacancy(r);
  }
  r.guest = seen.state;
  r.guest_known = true;
  r.guest_missing_seq.reset();
  if (stands_still(seen.state, seen.reason) && seen.reason != r.guest_reason)
    log(LogLevel::warn, "guest_paused", "runner=" + std::to_string(r.rec.id) + " reason=\"" + seen.reason + "\"");
  r.guest_reason = seen.reason;
  r.guest_as_of = seen.read_at;
  if (seen.state == GuestState::on)
    saw_started(r);
}

void Core::on_guest_listing(Now now, const std::optional<GuestListing>& listing, const std::string& error) {
  see(now);
  listing_guests_ = false;
  guests_due_ = now.time + (policy_ ? policy_->timings.poll_interval : Duration{5'000});
  if (!listing) {
    libvirt_.trouble = error;
    log(LogLevel::warn, "guest_listing_failed", "error=\"" + error + "\"");
    return;
  }
  std::map<std::string, const GuestObservation*> by_name;
  for (auto& g : listing->guests)
    by_name[g.name] = &g;
  for (auto& [id, r] : runners_) {
    if (r.starting || r.removing || guests_seq_ < r.guest_seq) {
      guests_wanted_ = guests_wanted_ || guests_seq_ < r.guest_seq;
      continue;
    }
    auto it = by_name.find(r.rec.guest_name);
    if (it != by_name.end() && it->second->uuid == r.rec.uuid)
      saw_guest(r, *it->second);
    else if ((r.rec.phase != Phase::creating || !guests_known_) && guest_gone(r, guests_seq_))
      saw_guest(r, {r.rec.guest_name, {}, GuestState::absent, "not listed", listing->started_at});
  }
  guests_known_ = true;
  off_guests_.clear();
  for (auto& g : listing->guests)
    if (g.state == GuestState::off)
      off_guests_.insert(g.name);
  if (policy_)
    images_.on_listing(*listing, policy_->prefixes);

  if (adopting())
    seen_guests_ = listing->guests;
  // Who else carries our names?
  std::set<std::string> strangers;
  const auto unclaimed_before = std::exchange(unclaimed_guests_, {});
  if (!policy_)
    return;
  for (auto& g : listing->guests) {
    auto* r = find_by_guest(g.name);
    if (r && r->rec.uuid == g.uuid)
      continue;
    auto rebuild = parse_rebuild_guest(policy_->prefixes, g.name);
    if (rebuild && !images_.owns(g.name, g.uuid) && guests_seq_ < image_gone_seq_ && !unclaimed_before.count(g.name)) {
      guests_wanted_ = true; // perhaps the guest of an image that was deleted after this was read
    } else if (rebuild && !images_.owns(g.name, g.uuid)) {
      strangers.insert(g.name);
      if (g.state == GuestState::on)
        unclaimed_guests_[g.name] = {rebuild->profile, g.uuid};
    }
    auto name = parse_runner_guest(policy_->prefixes, g.name);
    if (!name) {
      if (g.name.starts_with(policy_->prefixes.runner_guest + "-") ||
          (!rebuild && g.name.starts_with(policy_->prefixes.rebuild_guest + "-")))
        strangers.insert(g.name);
      continue;
    }
    raise_ids(name->id);
    auto tomb = gone_.find(name->id);
    if (!r && tomb != gone_.end() && tomb->second.rec.uuid == g.uuid &&
        tomb->second.rec.guest_name == g.name) {
      if (guests_seq_ > tomb->second.seq) {
        auto& late = revive(name->id);
        late.rec.guest_removed = false;
        saw_guest(late, g);
        save(late);
        remember("guest_came_late", late);
      }
      continue;
    }
    strangers.insert(g.name);
    if (g.state == GuestState::on)
      unclaimed_guests_[g.name] = {name->profile, g.uuid};
  }
  note_strangers(guest_strangers_, std::move(strangers));
}

void Core::on_addresses(Now now, const std::optional<AddressListing>& listing, const std::string& error) {
  see(now);
  addressing_ = false;
  addresses_due_ = now.time + (policy_ ? policy_->timings.poll_interval : Duration{5'000});
  addresses_known_ = listing.has_value();
  if (listing)
    addresses_ = *listing;
  else
    log(LogLevel::debug, "addresses_failed", "error=\"" + error + "\"");
  measure_leases();
  std::vector<GuestRequest> now_known;
  std::erase_if(guest_requests_, [&](auto& request) {
    if (request.seq > addresses_seq_)
      return false;
    now_known.push_back(request);
    return true;
  });
  for (auto& request : now_known)
    answer_guest(request);
}

// --- GitHub ---

void Core::saw_registration(Runner& r, const Registration& seen, std::uint64_t seq) {
  if (seq < r.reg_seq)
    return;
  r.reg_seq = seq;
  r.missing_seq.reset();
  r.reg = seen;
  r.look.succeeded();
  if (seen.online()) {
    r.offline_since.reset();
    if (!r.rec.online_at) {
      r.rec.online_at = now_.time;
      // From now on nobody may have it (G7).
      r.rec.jit_config.clear();
      save(r);
      remember("online", r);
      if (r.started_at)
        measure_step(r, "online");
    }
  } else if (!r.offline_since || unseen_for_long(r))
    r.offline_since = now_.time;
  r.seen_at = now_.time;
  if (seen.busy)
    mark_busy(r);
}

/// Whether GitHub was silent for so long that nobody knows what the runner was meanwhile.
bool Core::unseen_for_long(const Runner& r) const {
  if (!policy_ || !r.seen_at)
    return false;
  auto& t = policy_->timings;
  return now_.time - *r.seen_at > std::max(t.lost_timeout / 2, 2 * t.api_cache_timeout);
}

void Core::saw_missing(Runner& r, std::uint64_t seq) {
  if (seq < r.reg_seq)
    return;
  // Not yet the truth: only a complete listing that was begun after this can confirm it.
  r.missing_seq = next_seq();
  registrations_needed_ = std::max(registrations_needed_, *r.missing_seq);
}

void Core::registration_over(Runner& r, const char* why) {
  if (r.rec.registration_ended)
    return;
  if (r.rec.phase == Phase::live)
    r.own_end = true;
  r.rec.registration_ended = true;
  r.rec.jit_config.clear();
  r.reg.reset();
  r.missing_seq.reset();
  save(r);
  remember("registration_ended", r, why);
}

void Core::mark_busy(Runner& r) {
  if (!r.rec.jit_served_at) {
    // Nobody has its credentials, so whatever works at GitHub under this id is no guest of ours.
    log(LogLevel::warn, "busy_without_config", "runner=" + std::to_string(r.rec.id));
    return;
  }
  if (r.rec.busy_seen && r.rec.phase != Phase::destroying)
    return;
  bool first = !r.rec.busy_seen;
  r.rec.busy_seen = true;
  // Only a guest that may be working is spared; one that is off can only be late at GitHub.
  if (r.rec.phase == Phase::destroying && !r.guest_off() && !r.rec.registration_ended) {
    log(LogLevel::warn, "destroy_withdrawn",
        "runner=" + std::to_string(r.rec.id) + " reason=\"" + r.rec.reason + "\"");
    write(store::AppendHistory{{now_.time, "destroy_withdrawn", r.rec.id, r.rec.profile, r.rec.reason}});
    r.rec.phase = Phase::live;
    r.rec.reason.clear();
    r.spared_at = now_.time;
    r.look_anew();
  } else if (!first)
    return;
  save(r);
  if (first)
    remember("busy", r);
}

void Core::on_registration_listing(Now now, const GithubReply<RegistrationListing>& reply) {
  see(now);
  listing_registrations_ = false;
  github_heard_ = true;
  // To a token without rights GitHub says that there is no such repository.
  if (reply)
    listing_trouble_.clear();
  else if (!reply.error.general())
    listing_trouble_ = reply.error.text();
  note_github(reply.error);
  if (!reply) {
    list_pause_.failed(now.time, reply.error.retry_after);
    log(LogLevel::warn, "registration_listing_failed",
        "kind=" + std::string(to_string(reply.error.kind)) + " message=\"" + reply.error.message + "\"");
    return;
  }
  list_pause_.succeeded();
  note_token_end(reply.value->token_expires_at);
  registrations_due_ = now.time + (policy_ ? policy_->timings.api_cache_timeout : Duration{30'000});
  registrations_known_ = true;
  std::map<RegistrationId, const Registration*> by_id;
  for (auto& seen : reply.value->runners)
    by_id[seen.id] = &seen;
  std::set<RegistrationId> ours;
  for (auto& [id, r] : runners_) {
    if (!r.rec.registration_id) {
      if (r.missing_seq && registrations_seq_ > *r.missing_seq)
        settle_unnamed(r, reply.value->runners);
      continue;
    }
    ours.insert(*r.rec.registration_id);
    if (r.rec.registration_ended)
      continue;
    auto it = by_id.find(*r.rec.registration_id);
    if (it != by_id.end())
      saw_registration(r, *it->second, registrations_seq_);
    else if (r.missing_seq && registrations_seq_ > *r.missing_seq)
      registration_over(r, "gone at GitHub");
    else if (!r.missing_seq && registrations_seq_ > r.reg_seq)
      r.look_wanted = true; // absent from one listing is not gone
  }
  if (adopting())
    seen_registrations_ = reply.value->runners;
  std::set<std::string> strangers;
  if (!policy_)
    return;
  for (auto& seen : reply.value->runners) {
    if (ours.count(seen.id))
      continue;
    auto name = parse_registration(policy_->prefixes, seen.name);
    if (!name) {
      if (seen.name.ends_with("@" + policy_->prefixes.registration_suffix))
        strangers.insert(seen.name);
      continue;
    }
    raise_ids(name->id);
    if (auto* r = find(name->id); r && may_be_its(r->rec, seen))
      continue; // it is about to be found by its name
    auto tomb = gone_.find(name->id);
    if (tomb == gone_.end() || !may_be_its(tomb->second.rec, seen)) {
      strangers.insert(seen.name);
      continue;
    }
    if (registrations_seq_ <= tomb->second.seq)
      continue; // this listing is older than its end
    auto& late = revive(name->id);
    late.rec.registration_id = seen.id;
    late.rec.registration_ended = false;
    late.guest_known = true;
    save(late);
    remember("registration_came_late", late);
  }
  note_strangers(registration_strangers_, std::move(strangers));
}

/// Names alone say little: another monitor may have the same suffix. Where nobody ever learned the id, the labels have
/// to be such as were asked for; but not where a guest has its config and may be working, whatever was done to its
/// labels (G1).
bool Core::may_be_its(const RunnerRecord& rec, const Registration& seen) const {
  if (rec.registration_id)
    return seen.id == *rec.registration_id;
  if (seen.name != rec.registration_name)
    return false;
  const auto profile = policy_->profiles.find(rec.profile);
  return rec.jit_served_at || profile == policy_->profiles.end() ||
         has_label(seen.labels, profile->second.github_runner_label) ||
         std::any_of(seen.labels.begin(), seen.labels.end(), [](auto& label) { return is_exclusive_label(label); });
}

/// Whether its registration, whose id nobody had learned, is there: then it is known now.
bool Core::found_among(Runner& r, const std::vector<Registration>& listed) {
  auto it = std::find_if(listed.begin(), listed.end(), [&](auto& seen) { return may_be_its(r.rec, seen); });
  if (it == listed.end())
    return false;
  r.rec.registration_id = it->id;
  save(r);
  return true;
}

/// Nobody ever learned the id of its registration, and GitHub found none of its name: a listing made afterwards
/// has the last word.
void Core::settle_unnamed(Runner& r, const std::vector<Registration>& listed) {
  r.missing_seq.reset();
  if (!found_among(r, listed))
    registration_over(r, "GitHub knows none of its name");
}

/// An order whose answer was lost was carried out late. What it made is ours: the runner is taken back and
/// destroyed. The caller notes what there is of it, and saves.
Runner& Core::revive(RunnerId id) {
  auto tombstone = gone_.extract(id);
  auto& late = runners_[id];
  late.rec = std::move(tombstone.mapped().rec);
  late.rec.phase = Phase::destroying;
  late.rec.ended_at.reset();
  late.rec.reason = "appeared after its removal";
  late.ordered = late.registered_once = true;
  late.destroy_seq = next_seq();
  return late;
}

void Core::on_looked(Now now, RunnerId id, const GithubReply<Registration>& reply) {
  see(now);
  note_github(reply.error);
  auto* r = find(id);
  if (!r)
    return;
  r->looking = false;
  answer_jit_waiters(*r, reply);
  if (!reply) {
    if (reply.error.kind == GithubError::Kind::not_found) {
      r->look_wanted = false;
      r->look.failed(now.time);
      saw_missing(*r, r->look_seq);
    } else {
      r->last_error = reply.error.message;
      r->look.failed(now.time, reply.error.retry_after);
    }
    return;
  }
  r->look_wanted = false;
  auto failures = r->look.failures();
  saw_registration(*r, *reply.value, r->look_seq);
  if (r->rec.phase == Phase::live && r->rec.jit_served_at && !r->rec.online_at) {
    // Asked for after 2, 4, 8 ... s until it is online.
    Backoff pace{Duration{2'000}, Duration{30'000}};
    for (int i = 0; i <= failures; ++i)
      pace.failed(now.time);
    r->look = pace;
  }
  // A look counts only if it was asked after the decision, the second only if asked after the pause.
  if (r->rec.phase != Phase::destroying || reply.value->busy || r->look_seq < r->destroy_seq)
    return;
  auto confirmation = policy_ ? policy_->timings.idle_confirmation : Duration{60'000};
  if (!r->first_not_busy)
    r->first_not_busy = now.time;
  else if (r->look_asked >= *r->first_not_busy + confirmation)
    r->second_not_busy = true;
}

} // namespace ci::domain
