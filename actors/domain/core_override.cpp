/// Core: policy overrides, from their grant to their end.
#include "actors/domain/core.hpp"

#include <algorithm>
#include <utility>

namespace ci::domain {
namespace {

std::string listed(const ProfileNumbers& numbers) {
  std::string text;
  for (auto& [key, number] : numbers)
    text += (text.empty() ? "" : ", ") + key + " " + std::to_string(number);
  return text;
}

} // namespace

/// What every profile is steered to: the configured count, or the override's.
int Core::target_of(const Profile& profile) const {
  if (override_)
    if (auto it = override_->targets.find(profile.key); it != override_->targets.end())
      return it->second;
  return profile.target_count;
}

OverrideGround Core::override_ground() const {
  OverrideGround ground;
  ground.budget = steerable(); // it lasts for hours: what is on its way out will be gone
  std::map<std::string, OverrideProfile> profiles;
  for (auto& [key, profile] : policy_->profiles)
    profiles[key] = {key, profile.target_count, 0, 0, profile.requires_, paused_.count(key) > 0};
  for (auto& [id, r] : runners_) {
    auto it = profiles.find(r.rec.profile);
    auto s = status(r);
    if (it == profiles.end() || (s != Status::Busy && s != Status::Reserved))
      continue;
    ++it->second.critical;
    it->second.delivered += override_ && override_->has_delivered(r.rec.profile, id);
  }
  for (auto& [key, profile] : profiles)
    ground.profiles.push_back(std::move(profile));
  return ground;
}

/// Differs where an active override has to be fitted anew.
std::string Core::override_mark() const {
  auto mark = settings_mark(*policy_);
  for (auto& key : paused_)
    mark += " paused=" + key;
  return mark;
}

void Core::keep_override(std::function<void()> then) {
  override_view_.reset();
  write(store::SetNote{override_note, override_ ? to_note(*override_) : ""}, std::move(then));
}

void Core::remember_override(const char* event, const std::string& detail) {
  write(store::AppendHistory{{now_.time, event, 0, "", detail}});
  log(LogLevel::info, event, "detail=\"" + detail + "\"");
}

void Core::start_override(RequestId request, const lever::StartOverride& ask) {
  if (override_)
    return refuse_lever(
        request,
        {Refusal::override_active, "Another policy override is active; cancel it, or wait for its end.", {}});
  auto decision = decide_override(ask.counts, override_ground());
  if (decision.refusal != OverrideRefusal::none)
    return refuse_lever(request, verdict_of(decision));
  Override fresh;
  fresh.created_at = now_.time;
  fresh.asked = ask.counts;
  fresh.granted = decision.granted;
  fresh.targets = decision.targets;
  fresh.settings = override_mark();
  override_ = std::move(fresh);
  keep_override([this, request, granted = decision.granted] {
    order(effect::AnswerLever{request, {{}, granted}});
  });
  remember_override("override_granted", listed(decision.granted));
}

void Core::cancel_override(RequestId request) {
  if (!override_)
    return order(effect::AnswerLever{request, {}});
  auto granted = override_->granted;
  end_override("cancelled", [this, request, granted] { order(effect::AnswerLever{request, {{}, granted}}); });
}

void Core::end_override(const std::string& why, std::function<void()> then) {
  override_.reset();
  keep_override(std::move(then));
  remember_override("override_ended", why);
}

/// Takes note of idle runners of its profiles, the oldest first.
void Core::note_delivered() {
  if (!override_)
    return;
  bool changed = false;
  for (auto& [id, r] : runners_)
    if (status(r) == Status::Idle)
      changed |= override_->deliver(r.rec.profile, id);
  if (changed)
    keep_override();
}

void Core::advance_override() {
  if (!override_)
    return;
  for (auto& [key, count] : override_->asked)
    if (!policy_->profiles.count(key))
      return end_override("its profile " + key + " is configured no more");
  auto end = override_->created_at + policy_->timings.policy_override_max_age;
  if (now_.time >= end)
    return end_override("its time was up");
  wake(end);
  if (!ready())
    return; // what runs is not known yet
  note_delivered();
  bool any_left = false;
  for (auto& [key, ids] : override_->delivered)
    for (auto id : ids)
      if (auto* r = find(id))
        any_left |= r->holds_budget();
  if (override_->complete() && !any_left)
    return end_override("all that was granted was delivered, and has ended");
  if (override_->settings != override_mark())
    refit_override();
}

void Core::refit_override() {
  auto decision = decide_override(override_->asked, override_ground());
  if (decision.refusal != OverrideRefusal::none)
    return end_override("fitted anew: " + verdict_of(decision).detail);
  override_->granted = decision.granted;
  override_->targets = decision.targets;
  override_->settings = override_mark();
  keep_override();
  remember_override("override_refitted", listed(override_->granted));
}

} // namespace ci::domain
