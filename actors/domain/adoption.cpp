#include "actors/domain/adoption.hpp"

#include "actors/domain/guest_xml.hpp"
#include "actors/domain/names.hpp"

#include <algorithm>

namespace ci::domain {
namespace {

/// Decides about one thing after the other; what was taken is not taken again.
class Adopter {
 public:
  explicit Adopter(const AdoptionGround& ground) : in_(ground) {
    for (auto& registration : in_.registrations)
      registrations_[registration.name] = &registration;
  }

  Adoption decide() {
    auto images = adopt_images(in_);
    out_.images = std::move(images.records);
    current_ = std::move(images.current);
    adopt_guests();
    adopt_registrations();
    adopt_disks();
    adopt_reservations();
    return std::move(out_);
  }

 private:
  bool used_by_another(const std::string& path, const std::string& guest) const {
    return std::any_of(in_.definitions.begin(), in_.definitions.end(), [&](auto& other) {
      return other.first != guest && other.second.find(path) != std::string::npos;
    });
  }
  std::string disk_path(RunnerId id) const {
    return in_.policy.images_path + "/runner/" + std::to_string(id) + "-";
  }

  // --- runners
  RunnerRecord runner(const RunnerName& name) {
    RunnerRecord rec;
    rec.id = name.id;
    rec.profile = name.profile;
    rec.guest_name = runner_guest_name(in_.policy.prefixes, name.profile, name.id);
    rec.registration_name = registration_name(in_.policy.prefixes, rec.guest_name);
    rec.phase = Phase::live;
    auto folder = in_.left.runners.find(name.id);
    auto made = folder == in_.left.runners.end() ? std::nullopt : folder->second.created_at;
    rec.created_at = std::min(made.value_or(in_.now), in_.now);
    return rec;
  }

  bool free(RunnerId id, const std::string& guest) const {
    return !in_.runner_ids.contains(id) && !taken_.contains(id) && !used_by_another(disk_path(id), guest);
  }

  void adopt_guests() {
    auto guests = in_.guests;
    // Of two guests with one id the one that may be working is the more important.
    std::stable_partition(guests.begin(), guests.end(), [](auto& g) { return g.state == GuestState::on; });
    for (auto& guest : guests) {
      auto name = parse_runner_guest(in_.policy.prefixes, guest.name);
      auto* xml = in_.definition(guest.name);
      if (!name || !xml || in_.uuids.contains(guest.uuid) || !free(name->id, guest.name))
        continue;
      auto rec = runner(*name);
      rec.uuid = guest.uuid;
      auto macs = interface_macs(*xml);
      rec.mac = macs.empty() ? "" : macs.front();
      rec.held = in_.size(name->profile, *xml);
      auto snapshot = image_needed_by(*xml, in_.policy.images_path, name->profile);
      if (auto current = current_.find(name->profile); snapshot.empty() && current != current_.end())
        snapshot = current->second;
      if (!snapshot.empty())
        rec.template_guest = template_guest_name(in_.policy.prefixes, name->profile, snapshot);
      else if (in_.hand_made(name->profile))
        rec.template_guest = in_.profile(name->profile)->template_guest;
      inherit_registration(rec, guest.state == GuestState::on);
      taken_.insert(rec.id);
      out_.runners.push_back(std::move(rec));
    }
  }

  void inherit_registration(RunnerRecord& rec, bool on) const {
    auto found = registrations_.find(rec.registration_name);
    auto* registration = found == registrations_.end() ? nullptr : found->second;
    auto folder = in_.left.runners.find(rec.id);
    auto* file = folder == in_.left.runners.end() ? nullptr : &folder->second;
    if (file && !file->registration_name.empty() && file->registration_name != rec.registration_name)
      file = nullptr; // it is for somebody else (G7)
    if (registration)
      rec.registration_id = registration->id;
    else if (file)
      rec.registration_id = file->registration_id; // absent from one listing is not gone
    if (!on)
      return;
    // It may have been fetched under the older monitor, and so it may be running a job.
    rec.jit_served_at = rec.created_at;
    rec.jit_fetches = 1;
    if (!registration)
      return;
    rec.busy_seen = registration->busy;
    bool used = registration->online() || registration->busy;
    bool of_this = file && file->registration_id.value_or(registration->id) == registration->id;
    if (!used && of_this)
      rec.jit_config = file->jit_config;
  }

  void adopt_registrations() {
    for (auto& registration : in_.registrations) {
      auto name = parse_registration(in_.policy.prefixes, registration.name);
      auto rec = name ? runner(*name) : RunnerRecord{};
      if (!name || !free(name->id, rec.guest_name) || in_.has_guest(rec.guest_name))
        continue;
      rec.registration_id = registration.id;
      taken_.insert(rec.id);
      out_.runners.push_back(std::move(rec));
    }
  }

  /// A disk that no guest and no registration explains.
  void adopt_disks() {
    for (auto id : in_.left.disks) {
      if (!free(id, "") || any_guest_has(id))
        continue;
      auto rec = runner({"", id});
      rec.registration_ended = true;
      taken_.insert(id);
      out_.runners.push_back(std::move(rec));
    }
  }

  bool any_guest_has(RunnerId id) const {
    return std::any_of(in_.guests.begin(), in_.guests.end(), [&](auto& g) {
      auto name = parse_runner_guest(in_.policy.prefixes, g.name);
      return name && name->id == id;
    });
  }

  // --- reservations
  void adopt_reservations() {
    std::map<std::string, std::size_t> index; // by unique_id
    for (auto& rec : out_.runners) {
      auto found = registrations_.find(rec.registration_name);
      if (!rec.jit_served_at || found == registrations_.end())
        continue;
      auto read =
          reservation_in(found->second->labels, rec.profile, in_.now, in_.policy.timings.reserve_timeout);
      if (!read || in_.unique_ids.contains(read->request.unique_id))
        continue;
      auto [at, first] = index.try_emplace(read->request.unique_id, out_.reservations.size());
      if (first)
        out_.reservations.push_back(std::move(*read));
      auto& reservation = out_.reservations[at->second];
      if (reservation.request.profile != rec.profile)
        continue;
      reservation.slots.push_back({rec.id, rec.busy_seen ? SlotState::started : SlotState::confirmed});
      reservation.request.count = reservation.request.minimum = static_cast<int>(reservation.slots.size());
    }
  }

  const AdoptionGround& in_;
  Adoption out_;
  std::map<std::string, const Registration*> registrations_;
  std::map<std::string, std::string> current_; ///< by profile: the snapshot that serves
  std::set<RunnerId> taken_;
};

} // namespace

const Profile* AdoptionGround::profile(const std::string& key) const {
  auto it = policy.profiles.find(key);
  return it == policy.profiles.end() ? nullptr : &it->second;
}

bool AdoptionGround::hand_made(const std::string& key) const {
  auto* known = profile(key);
  return known && !known->template_guest.empty();
}

const std::string* AdoptionGround::definition(const std::string& guest) const {
  auto it = definitions.find(guest);
  return it == definitions.end() ? nullptr : &it->second;
}

bool AdoptionGround::has_guest(const std::string& name) const {
  return std::any_of(guests.begin(), guests.end(), [&](auto& guest) { return guest.name == name; });
}

Resources AdoptionGround::size(const std::string& profile_key, const std::string& xml) const {
  auto* known = profile(profile_key);
  return known ? known->requires_ : size_of_guest(xml);
}

Adoption plan_adoption(const AdoptionGround& ground) { return Adopter(ground).decide(); }

} // namespace ci::domain
