/// Core: what readers see.
#include "actors/domain/core.hpp"

#include <utility>

namespace ci::domain {
namespace {

/// Keeps the old pointer where nothing changed, so that renderers can cache by pointer.
template <class T>
bool refresh(std::shared_ptr<const T>& kept, T fresh) {
  if (kept && *kept == fresh)
    return false;
  kept = std::make_shared<const T>(std::move(fresh));
  return true;
}

bool same(const PartyHealth& a, const PartyHealth& b) {
  return a.well == b.well && a.trouble == b.trouble && a.since == b.since;
}

} // namespace

RunnerViewPtr Core::view_of(Runner& r) {
  RunnerView v;
  v.id = r.rec.id;
  v.profile = r.rec.profile;
  v.created_at = r.rec.created_at;
  if (r.registration_exists())
    v.registration = r.reg;
  if (v.registration) // whoever can read it could name it in a runs-on
    std::erase_if(v.registration->labels, [](auto& label) { return is_exclusive_label(label); });
  if (r.guest_exists())
    v.guest_name = r.rec.guest_name;
  auto& addresses = addresses_.ipv4_by_guest;
  if (auto it = addresses.find(r.rec.guest_name); it != addresses.end() && r.guest == GuestState::on) {
    v.ipv4_address = it->second;
    if (auto hearsay = addresses_.hearsay.find(r.rec.guest_name); hearsay != addresses_.hearsay.end())
      v.details["address_from"] = to_string(hearsay->second);
  }
  v.status = status(r);
  v.details["phase"] = to_string(r.rec.phase);
  v.details["template"] = r.rec.template_guest;
  if (!r.rec.reason.empty())
    v.details["reason"] = r.rec.reason;
  if (stands_still(r.guest, r.guest_reason))
    v.details["guest"] = r.guest_reason;
  if (!r.last_error.empty() && r.rec.phase != Phase::live)
    v.details["last_error"] = r.last_error;
  if (auto* reservation = reservation_of(r))
    v.details["reserved_for"] = reservation->rec.request.unique_id_spelt;
  if (!r.stolen_from.empty())
    v.details["stolen_from"] = r.stolen_from;
  if (r.rec.phase == Phase::destroying && r.first_not_busy && !r.rec.registration_ended)
    v.details["not_busy_since"] = rfc3339(*r.first_not_busy);
  refresh(r.view, std::move(v));
  return r.view;
}

ReservationViewPtr view_of(const ReservationRecord& rec) {
  ReservationView v;
  v.unique_id = rec.request.unique_id_spelt;
  v.profile = rec.request.profile;
  v.qualified_repo = rec.request.qualified_repo;
  v.run_id = rec.request.run_id;
  v.state = public_state(rec);
  v.slots = rec.slots;
  v.created_at = rec.created_at;
  v.granted_at = rec.granted_at;
  v.deadline = rec.deadline;
  v.ended_at = rec.ended_at;
  return std::make_shared<const ReservationView>(std::move(v));
}

ReservationViewPtr Core::view_of(Reservation& r) {
  auto view = *domain::view_of(r.rec);
  if (!r.given_up.empty() && view.state == "reserved")
    view.state = "expired"; // its runners are on their way out
  refresh(r.view, std::move(view));
  return r.view;
}

/// The first picture waits for both parties, so that a start never shows a pool without guests; but not for
/// long, since a party that is away is to be seen, too.
bool Core::heard_enough() {
  constexpr Duration patience{5'000};
  if (published_ || now_.time >= loaded_at_ + patience)
    return true;
  wake(loaded_at_ + patience);
  return guests_known_ && (github_heard_ || policy_->dont_register_runners);
}

void Core::publish() {
  if (!heard_enough())
    return;
  auto next = std::make_shared<Snapshot>();
  next->profiles = count();
  for (auto& [key, profile] : policy_->profiles) {
    auto& counts = next->profiles[key];
    counts.image = images_.view(now_.time, *policy_, profile);
    if (profile.template_guest.empty())
      counts.image_made_at = images_.made_at(key);
  }
  for (auto& [id, r] : runners_)
    next->runners.push_back(view_of(r));
  for (auto& [uid, reservation] : reservations_)
    next->reservations[uid] = view_of(reservation);
  next->spent = spent_;
  if (override_ && !override_view_)
    override_view_ = std::make_shared<const Override>(*override_);
  next->policy_override = override_view_;
  if (ready())
    refresh(ground_view_, override_ground());
  next->override_ground = ground_view_;
  next->github = github_;
  next->github_token_expires_at = token_expires_at_;
  next->libvirt = libvirt_;
  next->store = store_;
  for (auto* strangers : {&guest_strangers_, &registration_strangers_})
    next->strangers.insert(next->strangers.end(), strangers->begin(), strangers->end());
  next->budget = policy_->budget;
  next->held = held();
  next->draining = stopping_;
  next->at = now_.time;
  if (published_ && published_->profiles == next->profiles && published_->runners == next->runners &&
      published_->reservations == next->reservations && published_->spent == next->spent &&
      same(published_->github, next->github) &&
      published_->github_token_expires_at == next->github_token_expires_at && same(published_->libvirt, next->libvirt) &&
      same(published_->store, next->store) && published_->strangers == next->strangers &&
      published_->policy_override == next->policy_override &&
      published_->override_ground == next->override_ground && published_->budget == next->budget && published_->held == next->held &&
      published_->draining == next->draining)
    return;
  next->version = ++last_version_;
  published_ = next;
  // Before any answer of this turn: once a take was answered, no later read calls its runner idle.
  effects_.insert(effects_.begin(), effect::Publish{next});
}

} // namespace ci::domain
