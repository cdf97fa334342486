/// Core: where images and runners meet: slots for builds, trial runners, idle runners on an old image.
#include "actors/domain/core.hpp"

#include <algorithm>
#include <utility>

namespace ci::domain {

void Core::on_image_prepared(Now now, const std::string& image, const HostReply& reply) {
  see(now);
  images_.on_prepared(now.time, image, reply);
}

void Core::on_image_started(Now now, const std::string& image, const HostReply& reply) {
  see(now);
  images_.on_started(now.time, image, reply);
  addresses_due_ = now.time;
  guests_wanted_ = true;
}

void Core::on_image_sealed(Now now, const std::string& image, const HostReply& reply) {
  see(now);
  images_.on_sealed(now.time, image, reply);
}

void Core::on_image_discarded(Now now, const std::string& image, const HostReply& reply) {
  see(now);
  image_gone_seq_ = next_seq();
  images_.on_discarded(now.time, image, reply);
}

void Core::on_repo_updated(Now now, const HostReply& reply) {
  see(now);
  images_.on_repo_updated(now.time, reply);
}

void Core::rebuild(RequestId request, const lever::RebuildImage& ask) {
  auto it = policy_->profiles.find(ask.profile);
  if (it == policy_->profiles.end())
    return refuse_lever(request, {Refusal::unknown_profile, "There is no such profile.", {}});
  if (!it->second.builds_images())
    return refuse_lever(
        request,
        {Refusal::no_recipe, "The images of this profile are made by hand: it has no image table.", {}});
  images_.ask_rebuild(now_.time, ask.profile, [this, request] { order(effect::AnswerLever{request, {}}); });
  write(store::AppendHistory{{now_.time, "rebuild_asked", 0, ask.profile, ""}});
}

void Core::advance_images() {
  if (!host_up_ || !guests_known_)
    return;
  std::set<std::string> used;
  for (auto& [id, r] : runners_)
    if (!r.rec.guest_removed)
      used.insert(r.rec.template_guest);
  images_.advance(now_.time, *policy_, [&](const std::string& name) { return used.count(name) > 0; });
}

/// Before any runner is ordered: what a build has drained is its own.
void Core::plan_images(const Counts& counts) {
  auto wanted = fitted(counts);
  // Room that neither exists as a guest nor is missing at another profile: builds take none of that.
  auto spare_for = [&](const std::string& key) {
    auto spare = policy_->budget - held();
    for (auto& [other, n] : wanted)
      if (other != key)
        spare -= policy_->profiles.at(other).requires_ * n;
    return spare;
  };
  std::map<std::string, int> targets;
  for (auto& [key, c] : counts)
    targets[key] = c.paused ? 0 : c.target;
  images_.steer(std::move(targets));
  std::vector<std::string> builds = images_.waiting(now_.time, *policy_);
  for (auto& [key, profile] : policy_->profiles) {
    auto& c = counts.at(key);
    auto* image = images_.on_trial(key);
    if (image)
      settle_trial(*image);
    if (c.paused) {
      if (image)
        images_.trial_put_off(*image);
    } else if (image && image->rec.phase == ImagePhase::trial && image->rec.trial_runner == 0)
      plan_trial(*image, profile, c, spare_for(key));
    else if (std::find(builds.begin(), builds.end(), key) != builds.end())
      plan_build(profile, c, spare_for(key));
    else if (!image && !images_.borrows(key))
      replace_outdated(profile, c);
  }
  destroy_of_discarded();
}

/// Orders the runner that has to prove the image, or makes room for it.
void Core::plan_trial(Image& image, const Profile& profile, const ProfileCounts& c, const Resources& spare) {
  auto pause = create_pause_.find(profile.key);
  if (pause != create_pause_.end() && !pause->second.due(now_.time))
    return wake(pause->second.next());
  if (image.rec.held == Resources{} && image_takes_slot(profile.key))
    return; // its last trial runner is not gone yet
  if (!(spare + image.rec.held).holds(profile.requires_))
    return drain_for_image(profile.key, c);
  images_.trial_ordered(image, order_runner(profile, image.rec.template_guest));
}

/// Begins the build that is due, or makes room for it.
void Core::plan_build(const Profile& profile, const ProfileCounts& c, const Resources& spare) {
  if (image_takes_slot(profile.key))
    return; // something is left of the last try
  if (!spare.holds(profile.requires_))
    return drain_for_image(profile.key, c);
  images_.begin(now_.time, *policy_, profile);
}

/// Whether something holds a slot for an image that does not serve, beside one that does. One slot is all that images
/// get (G8); a first image takes none from anyone.
bool Core::image_takes_slot(const std::string& key) const {
  auto serves = images_.template_for(key);
  if (serves.empty() || images_.is_unproven(serves))
    return false;
  return images_.borrows(key) || std::any_of(runners_.begin(), runners_.end(), [&](auto& entry) {
           auto& r = entry.second;
           return r.rec.profile == key && r.holds_budget() && !r.rec.online_at &&
                  images_.is_unproven(r.rec.template_guest);
         });
}

/// The first runner made from it that comes online passes the trial.
void Core::settle_trial(Image& image) {
  for (auto& [id, r] : runners_)
    if (r.rec.template_guest == image.rec.template_guest &&
        (r.rec.online_at || (policy_->dont_register_runners && r.rec.phase == Phase::live)))
      return images_.trial_passed(now_.time, image);
  auto* trial = image.rec.trial_runner ? find(image.rec.trial_runner) : nullptr;
  if (image.rec.trial_runner && (!trial || trial->rec.phase == Phase::destroying))
    images_.trial_runner_lost(now_.time, image.rec.template_guest, "ended", TrialLoss::no_fault);
}

/// Capacity is what can work now. It never falls below the target less one for the sake of an image (G8).
bool Core::spares_one(const ProfileCounts& c) { return c.idle + c.reserved + c.busy >= c.target; }

void Core::drain_for_image(const std::string& key, const ProfileCounts& c) {
  if (!spares_one(c))
    return;
  for (auto id : idle_runners(key)) {
    auto& r = runners_.at(id);
    if (auto* image = images_.on_trial(key); image && image->rec.template_guest == r.rec.template_guest)
      continue;
    return destroy(r, "makes room for an image");
  }
}

void Core::replace_outdated(const Profile& profile, const ProfileCounts& c) {
  auto newest = images_.template_for(profile.key);
  if (!profile.template_guest.empty() || newest.empty() || !spares_one(c))
    return;
  for (auto id : idle_runners(profile.key))
    if (auto& r = runners_.at(id); r.rec.template_guest != newest)
      return destroy(r, "replaced: a newer image serves");
}

/// What was made from an image that failed its trial can't be trusted to come online.
void Core::destroy_of_discarded() {
  for (auto& [id, r] : runners_)
    if ((r.rec.phase == Phase::live || (r.rec.phase == Phase::creating && r.ordered)) && !r.rec.online_at &&
        !r.preparing && !r.starting && images_.is_discarded(r.rec.template_guest))
      destroy(r, "its image failed its trial");
}

} // namespace ci::domain
