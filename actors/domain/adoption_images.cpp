/// Adoption: templates, builds and files of images.
#include "actors/domain/adoption.hpp"
#include "actors/domain/guest_xml.hpp"
#include "actors/domain/names.hpp"

#include <algorithm>

namespace ci::domain {
namespace {

class ImageAdopter {
 public:
  explicit ImageAdopter(const AdoptionGround& ground) : in_(ground) {}

  AdoptedImages decide() {
    adopt_templates();
    settle_current();
    adopt_builds();
    adopt_files();
    return std::move(out_);
  }

 private:
  ImageRecord image(const ImageName& name) const {
    ImageRecord rec;
    rec.profile = name.profile;
    rec.snapshot = name.snapshot;
    rec.rebuild_guest = rebuild_guest_name(in_.policy.prefixes, name.profile, name.snapshot);
    rec.template_guest = template_guest_name(in_.policy.prefixes, name.profile, name.snapshot);
    if (auto* known = in_.profile(name.profile))
      rec.disk_target = known->disk_target;
    rec.ordered_at = snapshot_time(name.snapshot).value_or(in_.now);
    return rec;
  }
  ImageRecord image(const ImageName& name, const GuestObservation& guest) const {
    auto rec = image(name);
    rec.uuid = guest.uuid;
    auto macs = interface_macs(*in_.definition(guest.name));
    rec.mac = macs.empty() ? "" : macs.front();
    return rec;
  }
  void discard(ImageRecord& rec, const char* why) {
    rec.phase = ImagePhase::discarding;
    rec.reason = why;
  }
  bool is_ours(const ImageName& name) const {
    return in_.template_guests.contains(
        template_guest_name(in_.policy.prefixes, name.profile, name.snapshot));
  }
  bool may_be_taken(const std::optional<ImageName>& name, const GuestObservation& guest) const {
    return name && name->profile.find('/') == std::string::npos && !name->profile.starts_with('.') &&
           !in_.hand_made(name->profile) && !in_.uuids.contains(guest.uuid) && !is_ours(*name) &&
           in_.definition(guest.name);
  }

  void adopt_templates() {
    for (auto& guest : in_.guests) {
      auto name = parse_template_guest(in_.policy.prefixes, guest.name);
      if (!may_be_taken(name, guest) || guest.state != GuestState::off)
        continue;
      auto rec = image(*name, guest);
      rec.phase = ImagePhase::ready;
      out_.records.push_back(std::move(rec));
    }
  }

  /// The link names the one that serves; where it names none that is there, the newest does.
  void settle_current() {
    for (auto& [key, linked] : in_.left.current_snapshots)
      if (is_ours({key, linked}) ||
          std::any_of(out_.records.begin(), out_.records.end(), [&, key = &key, linked = &linked](auto& rec) {
            return rec.profile == *key && rec.snapshot == *linked;
          }))
        out_.current[key] = linked;
    const auto linked = out_.current;
    for (auto& rec : out_.records) {
      auto at = linked.find(rec.profile);
      if (at == linked.end())
        out_.current[rec.profile] = std::max(out_.current[rec.profile], rec.snapshot);
      else if (rec.snapshot > at->second)
        discard(rec, "the older monitor had not switched to it");
    }
  }

  /// Whoever began them is gone.
  void adopt_builds() {
    for (auto& guest : in_.guests) {
      auto name = parse_rebuild_guest(in_.policy.prefixes, guest.name);
      if (!may_be_taken(name, guest))
        continue;
      auto rec = image(*name, guest);
      if (in_.has_guest(rec.template_guest))
        continue; // which of the two the files belong to can't be told
      discard(rec, "its build was left over by the older monitor");
      if (guest.state == GuestState::on)
        rec.held = in_.size(name->profile, *in_.definition(guest.name));
      out_.records.push_back(std::move(rec));
    }
  }

  void adopt_files() {
    for (auto& [key, snapshots] : in_.left.image_files)
      for (auto& snapshot : snapshots) {
        auto rec = image({key, snapshot});
        if (!in_.profile(key) || in_.hand_made(key) || !snapshot_time(snapshot) || is_ours({key, snapshot}) ||
            in_.has_guest(rec.template_guest) || in_.has_guest(rec.rebuild_guest) || needed(key, snapshot))
          continue;
        discard(rec, "its files were left over by the older monitor");
        out_.records.push_back(std::move(rec));
      }
  }
  bool needed(const std::string& key, const std::string& snapshot) const {
    const auto folder = in_.policy.images_path + "/base/" + key + "/";
    return std::any_of(in_.definitions.begin(), in_.definitions.end(), [&](auto& guest) {
      return guest.second.find(folder) != std::string::npos &&
             guest.second.find("@" + snapshot) != std::string::npos;
    });
  }

  const AdoptionGround& in_;
  AdoptedImages out_;
};

} // namespace

AdoptedImages adopt_images(const AdoptionGround& ground) { return ImageAdopter(ground).decide(); }

} // namespace ci::domain
