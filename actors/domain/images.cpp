/// Images: one image from its order to its end.
#include "actors/domain/images.hpp"

#include "actors/domain/identity.hpp"
#include "actors/domain/names.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace ci::domain {
namespace {

/// Renaming and making runners from it are tried so often; then the image is given up.
constexpr int most_tries = 3;

double image_seconds(Time from, Time to) { return std::chrono::duration<double>(to - from).count(); }

} // namespace

const char* to_string(ImagePhase phase) {
  switch (phase) {
  case ImagePhase::building:
    return "building";
  case ImagePhase::sealing:
    return "sealing";
  case ImagePhase::trial:
    return "trial";
  case ImagePhase::ready:
    return "ready";
  case ImagePhase::discarding:
    return "discarding";
  }
  return "?";
}

// --- plumbing

Image* Images::find(const std::string& template_guest) {
  auto it = images_.find(template_guest);
  return it == images_.end() ? nullptr : &it->second;
}

void Images::save(Image& image, std::function<void(Image&)> then) {
  image.committed = false;
  out_.write(store::PutImage{image.rec}, [this, key = image.rec.template_guest, uuid = image.rec.uuid,
                                          saved = ++image.saves, then] {
    auto* committed = find(key);
    if (!committed || committed->rec.uuid != uuid) // another one may have its name by now
      return;
    if (committed->saves == saved)
      committed->committed = true;
    if (then)
      then(*committed);
  });
}

void Images::report(const Image& image, const char* event, const std::string& detail) {
  out_.log(LogLevel::info, event,
           "profile=" + image.rec.profile + " image=" + image.rec.snapshot +
               (detail.empty() ? "" : " detail=\"" + detail + "\""));
}

void Images::place(Image& image, Image::Order kind, Effect effect) {
  image.under_way = kind;
  out_.order(std::move(effect));
}

ImageSpec Images::spec_of(const Policy& policy, const Image& image) const {
  ImageSpec spec;
  auto& rec = image.rec;
  spec.rebuild_guest = rec.rebuild_guest;
  spec.template_guest = rec.template_guest;
  spec.uuid = rec.uuid;
  spec.mac = rec.mac;
  spec.disk_target = rec.disk_target;
  spec.folder = policy.images_path + "/base/" + rec.profile;
  spec.snapshot = rec.snapshot;
  spec.filter = policy.guest_filter;
  spec.deps_folder = policy.image_deps_path;
  if (auto it = policy.profiles.find(rec.profile); it != policy.profiles.end()) {
    spec.recipe = it->second.image;
    spec.sources = it->second.image_sources;
  }
  return spec;
}

// --- the store's side

void Images::load(Time now, const StoreImage& stored) {
  for (auto& [key, value] : stored.notes) {
    if (key.starts_with("image-asked/"))
      asked_[key.substr(12)] = std::min(now, Time(Duration(std::atoll(value.c_str()))));
    if (!key.starts_with("image-trouble/"))
      continue;
    // "<failures> <since> <next try> <why>"
    char* at = nullptr;
    auto failures = std::strtol(value.c_str(), &at, 10);
    auto since = std::strtoll(at, &at, 10), next = std::strtoll(at, &at, 10);
    auto& trouble = trouble_[key.substr(14)];
    trouble.pause.restore(now, static_cast<int>(failures), Time(Duration(next)));
    trouble.since = std::min(now, Time(Duration(since)));
    trouble.why = *at ? at + 1 : "";
  }
  for (auto& rec : stored.images) {
    auto& image = images_[rec.template_guest];
    image.rec = rec;
    image.committed = true;
    image.serves = rec.phase == ImagePhase::ready;
    image.may_start = rec.phase == ImagePhase::building || rec.phase == ImagePhase::discarding;
    if (rec.ordered_at > now) { // the clock was set back
      image.rec.ordered_at = now;
      save(image);
    }
    if (rec.phase == ImagePhase::building) // nobody knows how far it came; the next one begins at once
      discard(image, "the service was restarted during its build");
  }
}

void Images::shift(Duration by) {
  for (auto& [key, image] : images_) {
    image.rec.ordered_at += by;
    if (image.started_at)
      *image.started_at += by;
    image.pause.shift(by);
  }
  for (auto& [profile, at] : asked_) {
    at += by;
    out_.write(store::SetNote{"image-asked/" + profile, std::to_string(at.time_since_epoch().count())});
  }
  for (auto& [profile, link] : links_)
    link.pause.shift(by);
  for (auto& [profile, trouble] : trouble_) {
    trouble.since += by;
    trouble.pause.shift(by);
    remember_trouble(profile);
  }
}

void Images::remember_trouble(const std::string& profile) {
  auto it = trouble_.find(profile);
  std::string value;
  if (it != trouble_.end())
    value = std::to_string(it->second.pause.failures()) + " " +
            std::to_string(it->second.since.time_since_epoch().count()) + " " +
            std::to_string(it->second.pause.next().time_since_epoch().count()) + " " + it->second.why;
  out_.write(store::SetNote{"image-trouble/" + profile, std::move(value)});
}

void Images::adopt(const ImageRecord& rec) {
  hand_made_.erase(rec.profile); // the next listing finds those that are still others'
  if (auto others = foreign_.find(rec.profile); others != foreign_.end())
    std::erase(others->second, rec.snapshot);
  auto& image = images_[rec.template_guest];
  image.rec = rec;
  image.prepared = true;
  save(image, [](Image& committed) { committed.serves = committed.rec.phase == ImagePhase::ready; });
  report(image, "image_adopted", rec.reason);
}

// --- observations

void Images::saw(Image& image, const GuestObservation& seen) {
  image.may_start &= seen.state != GuestState::on;
  if (image.under_way != Image::Order::none || seen.read_at <= image.guest_as_of)
    return; // it may have been read before the order's end
  image.guest = seen.state;
  image.guest_known = true;
  image.guest_reason = seen.reason;
  image.guest_as_of = seen.read_at;
}

void Images::on_guest(const GuestObservation& seen) {
  for (auto& [key, image] : images_)
    if (seen.uuid == image.rec.uuid && (seen.name == image.rec.rebuild_guest || seen.name == key))
      // Its other name may be there while this one is gone: only a listing tells of an end.
      if (seen.state != GuestState::absent)
        saw(image, seen);
}

void Images::on_listing(const GuestListing& listing, const Prefixes& prefixes) {
  std::erase_if(removed_, [&](auto& guest) { return guest.second < listing.started_at; });
  hand_made_.clear();
  foreign_.clear();
  std::map<std::string, const GuestObservation*> by_uuid;
  for (auto& guest : listing.guests) {
    if (owns(guest.name, guest.uuid)) {
      by_uuid[guest.uuid] = &guest;
      continue;
    }
    auto name = parse_template_guest(prefixes, guest.name);
    if (!name || guest.state != GuestState::off)
      continue;
    foreign_[name->profile].push_back(name->snapshot);
    auto& newest = hand_made_[name->profile];
    if (newest.empty() || parse_template_guest(prefixes, newest)->snapshot < name->snapshot)
      newest = guest.name;
  }
  for (auto& [key, image] : images_) {
    auto it = by_uuid.find(image.rec.uuid);
    if (it != by_uuid.end())
      saw(image, *it->second);
    else
      saw(image, {key, image.rec.uuid, GuestState::absent, "not listed", listing.started_at});
  }
}

bool Images::owns(const std::string& guest, const std::string& uuid) const {
  if (removed_.contains(uuid))
    return true;
  for (auto& [key, image] : images_)
    if (image.rec.uuid == uuid && (guest == image.rec.rebuild_guest || guest == key))
      return true;
  return false;
}

const std::string* Images::profile_of_rebuild(const std::string& guest) const {
  for (auto& [key, image] : images_)
    if (image.rec.phase == ImagePhase::building && guest == image.rec.rebuild_guest &&
        image.guest == GuestState::on)
      return &image.rec.profile;
  return nullptr;
}

// --- the life of one image

void Images::begin(Time now, const Policy& policy, const Profile& profile) {
  auto snapshot = snapshot_for(now, profile.key);
  auto template_guest = template_guest_name(policy.prefixes, profile.key, snapshot);
  auto& image = images_[template_guest];
  auto& rec = image.rec;
  rec.profile = profile.key;
  rec.snapshot = snapshot;
  rec.rebuild_guest = rebuild_guest_name(policy.prefixes, profile.key, snapshot);
  rec.template_guest = template_guest;
  auto high = out_.random(), low = out_.random();
  rec.uuid = uuid_v4(high, low);
  rec.mac = mac_address(out_.random());
  rec.disk_target = profile.disk_target;
  rec.fingerprint = profile.image_fingerprint;
  rec.held = profile.requires_;
  rec.ordered_at = now;
  auto why = due(now, policy, profile).value_or("");
  save(image);
  report(image, "image_ordered", why);
}

void Images::advance(Time now, const Policy& policy, const std::function<bool(const std::string&)>& in_use) {
  std::set<std::string> profiles;
  for (auto& [key, image] : images_) {
    profiles.insert(image.rec.profile);
    advance(now, policy, image);
    give_slot_back(image);
    if (image.rec.phase != ImagePhase::discarding || !(image.committed || image.stored_building) ||
        image.under_way != Image::Order::none || in_use(key))
      continue;
    if (!image.pause.due(now))
      out_.wake(image.pause.next());
    else
      place(image, Image::Order::discard, effect::DiscardImage{spec_of(policy, image)});
  }
  for (auto& profile : profiles)
    prune(profile);
  link(now, policy);
}

void Images::advance(Time now, const Policy& policy, Image& image) {
  auto phase = image.rec.phase;
  if (!image.committed || image.under_way != Image::Order::none || phase == ImagePhase::ready ||
      phase == ImagePhase::discarding)
    return;
  auto profile = policy.profiles.find(image.rec.profile);
  if (profile == policy.profiles.end())
    return discard(image, "its profile is configured no more");
  if (phase == ImagePhase::building)
    advance_building(now, policy, profile->second.image.build_timeout, image);
  else if (phase == ImagePhase::sealing)
    advance_sealing(now, policy, image);
}

void Images::advance_building(Time now, const Policy& policy, Duration build_timeout, Image& image) {
  if (!image.prepared)
    return place(image, Image::Order::prepare, effect::PrepareImage{spec_of(policy, image)});
  if (!image.started_at) {
    image.may_start = true;
    return place(image, Image::Order::start, effect::StartImage{spec_of(policy, image)});
  }
  if (image.guest == GuestState::absent)
    return fail(now, image, "the rebuild guest is gone");
  if (image.guest == GuestState::off && image.guest_reason != "shutdown")
    return fail(now, image, "the rebuild guest did not shut itself down, but ended: " + image.guest_reason);
  if (image.guest == GuestState::off) {
    image.rec.phase = ImagePhase::sealing;
    save(image);
    out_.order(effect::Seconds{"ci_monitor_image_build_seconds",
                               {{"profile", image.rec.profile}},
                               image_seconds(image.rec.ordered_at, now)});
    return report(image, "image_built", "");
  }
  auto deadline = *image.started_at + build_timeout;
  if (now < deadline)
    return out_.wake(deadline);
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(build_timeout);
  fail(now, image,
       "the rebuild guest did not shut itself down within " + std::to_string(seconds.count()) + " s");
}

void Images::advance_sealing(Time now, const Policy& policy, Image& image) {
  if (!image.pause.due(now))
    return out_.wake(image.pause.next());
  place(image, Image::Order::seal, effect::SealImage{spec_of(policy, image)});
}

void Images::on_prepared(Time now, const std::string& key, const HostReply& reply) {
  auto* image = find(key);
  if (!image)
    return;
  image->under_way = Image::Order::none;
  image->prepared = true;
  if (!reply && image->rec.phase == ImagePhase::building)
    fail_order(now, *image, "making its disk: ", reply);
}

void Images::on_started(Time now, const std::string& key, const HostReply& reply) {
  auto* image = find(key);
  if (!image)
    return;
  image->under_way = Image::Order::none;
  image->guest_as_of = reply.finished_at;
  image->started_at = now;
  image->guest = GuestState::on; // or may be, for all that is known
  image->guest_known = true;
  image->may_start &= !reply;
  if (image->rec.phase != ImagePhase::building)
    return;
  if (!reply)
    return fail_order(now, *image, "starting its rebuild guest: ", reply);
  report(*image, "image_started", "");
}

void Images::on_sealed(Time now, const std::string& key, const HostReply& reply) {
  auto* image = find(key);
  if (!image)
    return;
  image->under_way = Image::Order::none;
  image->guest_as_of = reply.finished_at;
  if (image->rec.phase != ImagePhase::sealing)
    return;
  if (!reply) {
    image->pause.failed(now);
    if (!reply.cut_short && ++image->seal_failures >= most_tries)
      fail(now, *image, "renaming its rebuild guest: " + reply.error);
    return;
  }
  image->pause.succeeded();
  image->guest = GuestState::off;
  image->guest_known = true;
  image->rec.phase = ImagePhase::trial;
  save(*image);
  report(*image, "image_on_trial", "");
}

void Images::on_discarded(Time now, const std::string& key, const HostReply& reply) {
  auto* image = find(key);
  if (!image)
    return;
  image->under_way = Image::Order::none;
  image->guest_as_of = reply.finished_at;
  if (!reply) {
    image->pause.failed(now);
    out_.log(LogLevel::warn, "image_discard_failed",
             "profile=" + image->rec.profile + " image=" + image->rec.snapshot + " error=\"" + reply.error +
                 "\"");
    return;
  }
  out_.write(store::DropImage{key});
  report(*image, "image_discarded", image->rec.reason);
  if (!image->rec.uuid.empty())
    removed_[image->rec.uuid] = reply.finished_at;
  images_.erase(key);
}

void Images::discard(Image& image, const std::string& why) {
  image.stored_building = image.rec.phase == ImagePhase::building;
  image.rec.phase = ImagePhase::discarding;
  image.rec.reason = why;
  image.serves = false;
  image.pause.succeeded();
  if (guest_ended(image))
    image.rec.held = {};
  save(image);
  report(image, "image_discarding", why);
}

/// A start whose answer is lost, or was cut off by the end of a process, goes on at libvirt: a guest that is off
/// but was never seen on may come on yet (G4).
bool Images::guest_ended(const Image& image) {
  return image.under_way == Image::Order::none && image.guest_known && image.guest != GuestState::on &&
         !image.may_start;
}

/// What is to be deleted holds its slot until its guest has ended, or is deleted.
void Images::give_slot_back(Image& image) {
  if (image.rec.phase != ImagePhase::discarding || image.rec.held == Resources{} || !guest_ended(image))
    return;
  image.rec.held = {};
  save(image);
}

/// Who was ended in the middle of an order leaves no trouble behind: the next build begins at once.
void Images::fail_order(Time now, Image& image, const char* what, const HostReply& reply) {
  if (reply.cut_short)
    discard(image, what + reply.error);
  else
    fail(now, image, what + reply.error);
}

void Images::fail(Time now, Image& image, const std::string& why) {
  auto& profile = image.rec.profile;
  auto [it, first] = trouble_.try_emplace(profile);
  if (first)
    it->second.since = now;
  it->second.pause.failed(now);
  it->second.why = why;
  remember_trouble(profile);
  out_.log(LogLevel::warn, "image_failed",
           "profile=" + profile + " image=" + image.rec.snapshot + " error=\"" + why +
               "\" next_try=" + rfc3339(it->second.pause.next()));
  out_.order(effect::Count{"ci_monitor_image_builds_total", {{"profile", profile}, {"outcome", "failed"}}});
  out_.write(store::AppendHistory{{now, "image_failed", 0, profile, why}});
  discard(image, why);
}

// --- the trial

Image* Images::on_trial(const std::string& profile) {
  for (auto& [key, image] : images_)
    if (image.rec.profile == profile && image.rec.phase == ImagePhase::trial && image.committed)
      return &image;
  return nullptr;
}

void Images::trial_ordered(Image& image, RunnerId runner) {
  image.rec.trial_runner = runner;
  image.rec.held = {};
  save(image);
}

void Images::trial_put_off(Image& image) {
  if (image.rec.phase != ImagePhase::trial || image.rec.held == Resources{})
    return;
  image.rec.held = {};
  save(image);
}

void Images::trial_passed(Time now, Image& image) {
  auto& profile = image.rec.profile;
  image.rec.phase = ImagePhase::ready;
  image.rec.held = {};
  image.rec.trial_runner = 0;
  save(image, [](Image& committed) { committed.serves = committed.rec.phase == ImagePhase::ready; });
  if (trouble_.erase(profile) > 0)
    remember_trouble(profile);
  if (auto asked = asked_.find(profile); asked != asked_.end() && asked->second <= image.rec.ordered_at) {
    asked_.erase(asked);
    out_.write(store::SetNote{"image-asked/" + profile, ""});
  }
  report(image, "image_ready", "");
  out_.order(effect::Count{"ci_monitor_image_builds_total", {{"profile", profile}, {"outcome", "ready"}}});
  out_.write(store::AppendHistory{{now, "image_ready", 0, profile, image.rec.snapshot}});
}

void Images::trial_runner_lost(Time now, const std::string& key, const std::string& why, TrialLoss loss) {
  auto* image = find(key);
  if (!image || image->rec.phase != ImagePhase::trial)
    return;
  if (loss == TrialLoss::never_online)
    return fail(now, *image, "a runner made from it " + why);
  if (loss == TrialLoss::not_made && ++image->runner_failures >= most_tries)
    return fail(now, *image, "no trial runner could be made: " + why);
  image->rec.trial_runner = 0;
  save(*image);
}

} // namespace ci::domain
