/// Core: what an older monitor left is taken over (`--adopt`); what only looks ours is reported and counted.
///
/// Taken over when libvirt, GitHub and the guests' definitions are known, all of it in one commit: a crash
/// before it leaves everything as it was, a crash after it finds records like any others. Until then nothing
/// is made. The older monitor's files go after the commit; a note in the store says so until none is left,
/// with or without `--adopt`.
#include "actors/domain/adoption.hpp"
#include "actors/domain/core.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace ci::domain {
namespace {

/// Names with larger ids are nobody's that ever ran here, and ours would not fit behind them (GitHub's limit
/// of 64).
constexpr RunnerId largest_plausible_id = 9'999'999;

/// A name that others gave, for the log.
std::string one_line(std::string name) {
  for (auto& c : name)
    if (static_cast<unsigned char>(c) < ' ' || c == '"')
      c = '?';
  return name;
}

} // namespace

void Core::load_inheritance(StoreImage& image) {
  inherited_ = std::move(image.inherited);
  for (auto& [key, value] : image.notes)
    if (key == forget_note)
      forget_below_ = std::atoll(value.c_str());
}

void Core::advance_adoption() {
  std::erase_if(unclaimed_sizes_, [&](auto& size) {
    return std::none_of(unclaimed_guests_.begin(), unclaimed_guests_.end(),
                        [&](auto& guest) { return guest.second.uuid == size.first; });
  });
  if (!ready() || !host_up_)
    return;
  std::vector<std::string> names;
  if (adopting()) {
    if (!registrations_known_ && !policy_->dont_register_runners)
      return;
    for (auto& guest : seen_guests_)
      names.push_back(guest.name);
  } else {
    forget_inherited();
    for (auto& [name, guest] : unclaimed_guests_)
      if (!policy_->profiles.contains(guest.profile) && !unclaimed_sizes_.contains(guest.uuid))
        names.push_back(name);
    if (names.empty())
      return;
  }
  read_guests(std::move(names));
}

void Core::read_guests(std::vector<std::string> names) {
  if (reading_guests_)
    return;
  if (!read_pause_.due(now_.time))
    return wake(read_pause_.next());
  reading_guests_ = true;
  order(effect::ReadGuests{std::move(names)});
}

void Core::on_guests_read(Now now, const std::optional<Definitions>& definitions, const std::string& error) {
  see(now);
  reading_guests_ = false;
  if (!definitions) {
    read_pause_.failed(now.time);
    log(LogLevel::warn, "guests_not_read", "error=\"" + error + "\"");
  } else
    read_pause_.succeeded();
  if (adopting()) {
    if (definitions && !stopping_)
      adopt(*definitions);
    return;
  }
  if (!definitions)
    return; // they are asked for again
  // What can't be read is counted as nothing, so that it keeps nobody from being made.
  for (auto& [name, guest] : unclaimed_guests_) {
    auto xml = definitions->find(name);
    bool read = xml != definitions->end();
    if (!policy_->profiles.contains(guest.profile))
      unclaimed_sizes_.try_emplace(guest.uuid, read ? size_of_guest(xml->second) : Resources{});
  }
}

void Core::adopt(const Definitions& definitions) {
  AdoptionGround ground{*policy_, now_.time, *inherited_, seen_guests_, definitions, seen_registrations_};
  for (auto& [id, r] : runners_) {
    ground.runner_ids.insert(id);
    ground.uuids.insert(r.rec.uuid);
  }
  for (auto& [id, tombstone] : gone_)
    ground.runner_ids.insert(id);
  for (auto& [key, image] : images_.all()) {
    ground.template_guests.insert(key);
    ground.uuids.insert(image.rec.uuid);
  }
  for (auto& [uid, reservation] : reservations_)
    ground.unique_ids.insert(uid);
  for (auto& ended : spent_)
    ground.unique_ids.insert(ended->request.unique_id);

  auto plan = plan_adoption(ground);
  for (auto& rec : plan.images) {
    images_.adopt(rec);
    unclaimed_guests_.erase(rec.rebuild_guest);
  }
  for (auto& rec : plan.runners)
    adopt(rec, seen_guests_);
  for (auto& rec : plan.reservations)
    adopt(rec);
  log(LogLevel::info, "adopted",
      "runners=" + std::to_string(plan.runners.size()) + " images=" + std::to_string(plan.images.size()) +
          " reservations=" + std::to_string(plan.reservations.size()));
  write(store::SetNextId{next_id_});
  write(store::SetNote{forget_note, std::to_string(next_id_)},
        [this, below = next_id_] { forget_below_ = below, adoption_uncommitted_ = false; });
  adoption_uncommitted_ = true;
  inherited_.reset();
  seen_guests_.clear();
  seen_registrations_.clear();
  // Who is left by the next listings is reported.
  guest_strangers_.clear();
  registration_strangers_.clear();
  guests_wanted_ = true;
  registrations_needed_ = next_seq();
}

void Core::adopt(const RunnerRecord& rec, const std::vector<GuestObservation>& guests) {
  auto& r = runners_[rec.id];
  r.rec = rec;
  r.from_store = r.registered_once = r.guest_started = true;
  next_id_ = std::max(next_id_, rec.id + 1);
  auto guest = std::find_if(guests.begin(), guests.end(), [&](auto& g) { return g.name == rec.guest_name; });
  if (guest != guests.end() && guest->uuid == rec.uuid) {
    saw_guest(r, *guest);
    unclaimed_guests_.erase(rec.guest_name);
  } else
    saw_guest(r, {rec.guest_name, {}, GuestState::absent, "not listed", Steady{}});
  r.own_end = false;
  auto registration = std::find_if(seen_registrations_.begin(), seen_registrations_.end(),
                                   [&](auto& seen) { return seen.id == rec.registration_id; });
  if (registration != seen_registrations_.end())
    saw_registration(r, *registration, registrations_seq_);
  else
    r.look_wanted = rec.registration_id.has_value();
  save(r, [this, id = rec.id] {
    if (auto* committed = find(id))
      committed->ordered = true;
  });
  remember("adopted", r, rec.guest_name);
}

void Core::adopt(const ReservationRecord& rec) {
  auto& reservation = reservations_[rec.request.unique_id];
  reservation.rec = rec;
  reservation.from_store = true;
  save(reservation, [this, uid = rec.request.unique_id] {
    if (auto it = reservations_.find(uid); it != reservations_.end())
      it->second.committed = it->second.grant_committed = true, answer_take(it->second);
  });
  log(LogLevel::info, "reservation_adopted",
      "unique_id=" + rec.request.unique_id + " runners=" + std::to_string(rec.slots.size()));
}

// --- the older monitor's files

void Core::forget_inherited() {
  if (!forget_below_ || forgetting_)
    return;
  if (!forget_pause_.due(now_.time))
    return wake(forget_pause_.next());
  if (guests_wanted_ || listing_guests_)
    return; // who only looks ours is about to be told
  InheritedFiles files{*forget_below_, {}, {}};
  for (auto& [id, r] : runners_)
    files.living.insert(id);
  for (auto& name : guest_strangers_)
    if (auto parsed = parse_runner_guest(policy_->prefixes, name))
      files.others.insert(parsed->id);
  forgetting_ = true;
  order(effect::ForgetInherited{std::move(files)});
}

void Core::on_forgotten(Now now, bool all, const std::string& error) {
  see(now);
  forgetting_ = false;
  if (!error.empty()) {
    forget_pause_.failed(now.time);
    log(LogLevel::warn, "inherited_files_left", "error=\"" + error + "\"");
    return;
  }
  forget_pause_.succeeded();
  if (!all)
    return; // the next crank orders the next part
  forget_below_.reset();
  write(store::SetNote{forget_note, ""});
}

void Core::on_linked(Now now, const std::string& profile, const std::string& snapshot,
                     const std::string& error) {
  see(now);
  images_.on_linked(now.time, profile, snapshot, error);
}

// --- what only looks ours

/// Reports each once, for as long as it is there.
void Core::note_strangers(std::set<std::string>& known, std::set<std::string> found) {
  for (auto& name : found)
    if (!adopting() && !known.contains(name)) // else it is decided soon whose it is
      log(LogLevel::warn, "stranger",
          "name=\"" + one_line(name) + "\" reason=\"looks ours, but was not made here; see --adopt\"");
  known = std::move(found);
}

/// No id that stands in anybody's name is handed out by an empty store, nor after such a name was in the way.
void Core::raise_ids(RunnerId taken) {
  if (!ids_in_doubt_ || taken < next_id_ || taken > largest_plausible_id)
    return;
  next_id_ = taken + 1;
  write(store::SetNextId{next_id_});
}

/// Sizes by profile; of profiles that are configured no more, what their definitions say.
Resources Core::held_by_unclaimed() const {
  Resources total;
  if (!policy_)
    return total;
  for (auto& [name, guest] : unclaimed_guests_)
    if (auto it = policy_->profiles.find(guest.profile); it != policy_->profiles.end())
      total += it->second.requires_;
    else if (auto size = unclaimed_sizes_.find(guest.uuid); size != unclaimed_sizes_.end())
      total += size->second;
  return total;
}

} // namespace ci::domain
