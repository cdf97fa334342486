/// Images: which one serves, when a new one is due, which ones go.
#include "actors/domain/images.hpp"
#include "actors/domain/names.hpp"

#include <algorithm>

namespace ci::domain {
namespace {

/// Templates of a profile that are kept, the serving one included (spec/runners.md).
constexpr std::size_t kept_templates = 3;

/// The minute of the day, UTC.
int minute_of_day(Time t) {
  using namespace std::chrono;
  return static_cast<int>(duration_cast<minutes>(t - floor<days>(t)).count());
}

} // namespace

// --- which one serves

const Image* Images::serving(const std::string& profile) const {
  const Image* newest = nullptr;
  for (auto& [key, image] : images_)
    if (image.rec.profile == profile && image.serves &&
        (!image.guest_known || image.guest == GuestState::off) &&
        (!newest || newest->rec.snapshot < image.rec.snapshot))
      newest = &image;
  return newest;
}

std::string Images::template_for(const std::string& profile) const {
  auto* ours = serving(profile);
  if (auto other = hand_made_.find(profile); other != hand_made_.end()) {
    auto snapshot = other->second.substr(other->second.rfind('@') + 1);
    if (!ours || ours->rec.snapshot < snapshot)
      return other->second;
  }
  if (ours)
    return ours->rec.template_guest;
  // A first image has no old one to fall back on: its trial runners are all there is.
  for (auto& [key, image] : images_)
    if (image.rec.profile == profile &&
        ((image.rec.phase == ImagePhase::trial && image.rec.trial_runner != 0) ||
         (image.rec.phase == ImagePhase::ready && !image.serves)))
      return key;
  return {};
}

std::optional<std::string> Images::disk_target(const std::string& template_guest) const {
  auto it = images_.find(template_guest);
  if (it == images_.end())
    return std::nullopt;
  return it->second.rec.disk_target;
}

bool Images::is_unproven(const std::string& template_guest) const {
  auto it = images_.find(template_guest);
  return it != images_.end() && it->second.rec.phase != ImagePhase::ready;
}

bool Images::is_discarded(const std::string& template_guest) const {
  auto it = images_.find(template_guest);
  return it != images_.end() && it->second.rec.phase == ImagePhase::discarding;
}

bool Images::under_way(const std::string& profile) const {
  return std::any_of(images_.begin(), images_.end(), [&](auto& entry) {
    auto phase = entry.second.rec.phase;
    return entry.second.rec.profile == profile &&
           (phase == ImagePhase::building || phase == ImagePhase::sealing || phase == ImagePhase::trial);
  });
}

bool Images::borrows(const std::string& profile) const {
  return std::any_of(images_.begin(), images_.end(), [&](auto& entry) {
    return entry.second.rec.profile == profile && !(entry.second.rec.held == Resources{});
  });
}

Resources Images::held() const {
  Resources total;
  for (auto& [key, image] : images_)
    total += image.rec.held;
  return total;
}

bool Images::orders_under_way() const {
  return repo_ == Repo::updating || std::any_of(images_.begin(), images_.end(), [](auto& entry) {
           return entry.second.under_way != Image::Order::none;
         });
}

// --- when a new one is due

std::optional<Time> Images::made_at(const std::string& profile) const {
  auto name = template_for(profile);
  // A name is the time that the clock showed, which may have been wrong, and only orders images.
  if (auto ours = images_.find(name); ours != images_.end())
    return ours->second.rec.ordered_at;
  return name.empty() ? std::nullopt : snapshot_time(name.substr(name.rfind('@') + 1));
}

std::string Images::snapshot_for(Time now, const std::string& profile) const {
  std::string newest;
  for (auto& [key, image] : images_)
    if (image.rec.profile == profile)
      newest = std::max(newest, image.rec.snapshot);
  if (auto others = foreign_.find(profile); others != foreign_.end())
    for (auto& snapshot : others->second)
      newest = std::max(newest, snapshot);
  auto name = snapshot_name(now);
  // The clock may have been set back.
  if (auto last = newest < name ? std::nullopt : snapshot_time(newest))
    name = snapshot_name(*last + std::chrono::seconds(1));
  return name;
}

std::optional<std::string> Images::due(Time now, const Policy& policy, const Profile& profile) const {
  auto target = targets_.find(profile.key);
  if (target == targets_.end() || target->second == 0 || !profile.builds_images() ||
      policy.dont_create_runners)
    return std::nullopt;
  auto made = made_at(profile.key);
  if (!made)
    return "there is no image of it yet";
  if (auto asked = asked_.find(profile.key); asked != asked_.end())
    return "it was asked for";
  if (now - *made > policy.timings.base_image_max_age)
    return "the image is older than base_image_max_age";
  auto* ours = serving(profile.key);
  if (ours && ours->rec.template_guest == template_for(profile.key) &&
      !ours->rec.fingerprint.empty() && ours->rec.fingerprint != profile.image_fingerprint)
    return "the profile's folder or image table has changed";
  out_.wake(*made + policy.timings.base_image_max_age + Duration{1});
  return std::nullopt;
}

std::string Images::held_back(Time now, const Policy& policy, const Profile& profile) const {
  auto asked = asked_.count(profile.key) > 0;
  if (!asked && policy.build_window && !policy.build_window->contains(minute_of_day(now))) {
    out_.wake(now + std::chrono::minutes(1));
    return "build_window";
  }
  auto trouble = trouble_.find(profile.key);
  if (trouble != trouble_.end() && !trouble->second.pause.due(now)) {
    out_.wake(trouble->second.pause.next());
    return "the next try after a failure";
  }
  return {};
}

std::vector<std::string> Images::waiting(Time now, const Policy& policy) {
  std::vector<std::string> result;
  bool any_runs = false;
  for (auto& [key, profile] : policy.profiles) {
    any_runs |= under_way(key);
    if (!under_way(key) && due(now, policy, profile) && held_back(now, policy, profile).empty())
      result.push_back(key);
  }
  for (auto& [key, image] : images_)
    any_runs |= !(image.rec.held == Resources{});
  if (result.empty()) {
    if (!any_runs && repo_ == Repo::fresh)
      repo_ = Repo::stale; // the round is over
    return result;
  }
  if (policy.repo_to_update.empty() || repo_ == Repo::fresh || any_runs)
    return repo_ == Repo::updating ? std::vector<std::string>{} : result;
  if (repo_ == Repo::stale) {
    repo_ = Repo::updating;
    out_.order(effect::UpdateRepo{policy.repo_to_update});
  }
  return {};
}

void Images::on_repo_updated(Time, const HostReply& reply) {
  // A build with yesterday's checkout is worth more than none.
  if (!reply)
    out_.log(LogLevel::warn, "repo_update_failed", "error=\"" + reply.error + "\"");
  repo_ = Repo::fresh;
}

void Images::ask_rebuild(Time now, const std::string& profile, std::function<void()> then) {
  asked_[profile] = now;
  if (auto trouble = trouble_.find(profile); trouble != trouble_.end()) {
    // Who asks for it has mended something.
    trouble->second.pause.restore(now, trouble->second.pause.failures(), now);
    remember_trouble(profile);
  }
  out_.write(store::SetNote{"image-asked/" + profile, std::to_string(now.time_since_epoch().count())},
             std::move(then));
}

// --- which ones go

void Images::prune(const std::string& profile) {
  std::vector<std::string> snapshots;
  if (auto others = foreign_.find(profile); others != foreign_.end())
    snapshots = others->second;
  for (auto& [key, image] : images_)
    if (image.rec.profile == profile && image.rec.phase == ImagePhase::ready)
      snapshots.push_back(image.rec.snapshot);
  if (snapshots.size() <= kept_templates)
    return;
  std::sort(snapshots.rbegin(), snapshots.rend());
  auto& oldest_kept = snapshots[kept_templates - 1];
  auto* serves = serving(profile);
  for (auto& [key, image] : images_)
    if (image.rec.profile == profile && image.rec.phase == ImagePhase::ready && image.committed &&
        &image != serves && image.rec.snapshot < oldest_kept)
      discard(image, "three newer images are kept");
}

// --- the older monitor's side

/// Kept up to date, so that the older system can take over again.
void Images::link(Time now, const Policy& policy) {
  for (auto& [key, profile] : policy.profiles) {
    auto* ours = profile.template_guest.empty() ? serving(key) : nullptr;
    if (!ours || ours->rec.template_guest != template_for(key))
      continue;
    auto& link = links_[key];
    if (link.under_way || link.snapshot == ours->rec.snapshot)
      continue;
    if (!link.pause.due(now)) {
      out_.wake(link.pause.next());
      continue;
    }
    link.under_way = true;
    out_.order(effect::LinkSnapshot{key, ours->rec.snapshot});
  }
}

void Images::on_linked(Time now, const std::string& profile, const std::string& snapshot, const std::string& error) {
  auto& link = links_[profile];
  link.under_way = false;
  if (error.empty()) {
    link.snapshot = snapshot;
    link.pause.succeeded();
    return;
  }
  if (link.pause.failures() == 0)
    out_.log(LogLevel::warn, "snapshot_not_linked", "profile=" + profile + " error=\"" + error + "\"");
  link.pause.failed(now);
}

// --- what readers see

ImageView Images::view(Time now, const Policy& policy, const Profile& profile) const {
  ImageView view;
  view.template_guest = profile.template_guest.empty() ? template_for(profile.key) : profile.template_guest;
  const Image* newest = nullptr;
  for (auto& [key, image] : images_)
    if (image.rec.profile == profile.key && image.rec.phase != ImagePhase::discarding &&
        (!newest || newest->rec.snapshot < image.rec.snapshot))
      newest = &image;
  auto* ours = serving(profile.key);
  bool hand_made = !view.template_guest.empty() && (!ours || ours->rec.template_guest != view.template_guest);
  if (newest && newest->rec.phase != ImagePhase::ready)
    view.state = to_string(newest->rec.phase);
  else if (!view.template_guest.empty())
    view.state = hand_made && !images_.count(view.template_guest) ? "hand-made" : "ready";
  if (auto trouble = trouble_.find(profile.key); trouble != trouble_.end()) {
    view.trouble = trouble->second.why;
    view.failures = trouble->second.pause.failures();
    view.trouble_since = trouble->second.since;
    view.next_try = trouble->second.pause.next();
  }
  if (auto why = due(now, policy, profile); why && !under_way(profile.key)) {
    view.due = *why;
    view.waits_for = held_back(now, policy, profile);
    if (view.waits_for.empty())
      view.waits_for = repo_ == Repo::updating ? "the update of main_repo_path" : "a free slot of the host";
  } else if (asked_.count(profile.key) && profile.builds_images() && !under_way(profile.key)) {
    view.due = "it was asked for";
    view.waits_for = policy.dont_create_runners ? "the end of dont_create_runners" : "runners of it to be wanted";
  }
  return view;
}

} // namespace ci::domain
