/// Core: how many of what.
#include "actors/domain/core.hpp"

#include <algorithm>
#include <set>

namespace ci::domain {
namespace {

/// Failures in a row to read the definitions of guests that only look ours: so long nothing is made, some 14 s.
constexpr int most_waits_for_sizes = 3;

} // namespace

Core::Counts Core::count() const {
  std::map<std::string, ProfileCounts> counts;
  for (auto& [key, profile] : policy_->profiles)
    counts[key].target = target_of(profile);
  std::map<std::string, int> off;
  for (auto& [id, r] : runners_) {
    if (r.rec.profile.empty())
      continue; // nothing but a disk that was left over
    auto& c = counts[r.rec.profile];
    switch (status(r)) {
    case Status::StartedOrCrashed:
      ++c.started_or_crashed;
      break;
    case Status::DoneOrUnregistered:
      ++c.done_or_unregistered;
      break;
    case Status::Invalid:
      ++c.invalid;
      break;
    case Status::Busy:
      ++c.busy;
      break;
    case Status::Reserved:
      ++c.reserved;
      break;
    case Status::Idle:
      ++c.idle;
      break;
    }
    // A runner whose guest is off is replaced at once, whatever remains to be deleted of it.
    if (status(r) != Status::Invalid && r.rec.phase != Phase::creating && r.guest_off())
      ++off[r.rec.profile];
  }
  for (auto& [key, c] : counts) {
    c.healthy = c.started_or_crashed + c.idle + c.reserved + c.busy + c.done_or_unregistered;
    c.excess_healthy = std::max(0, c.healthy - c.target);
    c.wanted = std::max(0, c.target - (c.healthy - off[key]));
    c.paused = paused_.count(key) > 0;
    if (auto it = create_trouble_.find(key); it != create_trouble_.end())
      c.trouble = it->second;
  }
  return counts;
}

/// The host's budget less what others hold: strangers, builds, runners of profiles that are no more.
Resources Core::steerable() const {
  auto budget = policy_->budget - images_.held();
  for (auto& [id, r] : runners_)
    if (r.holds_budget() && !policy_->profiles.count(r.rec.profile))
      budget -= r.rec.held;
  return budget - held_by_unclaimed();
}

/// What there is room for now: less what is on its way out.
Resources Core::plannable() const {
  auto budget = steerable();
  for (auto& [id, r] : runners_)
    if (r.holds_budget() && r.rec.phase == Phase::destroying && policy_->profiles.count(r.rec.profile))
      budget -= r.rec.held;
  return budget;
}

std::map<std::string, int> Core::fitted(const Counts& counts) const {
  std::vector<FitProfile> profiles;
  for (auto& [key, profile] : policy_->profiles) {
    auto& c = counts.at(key);
    int critical = c.reserved + c.busy;
    // A paused profile keeps what it has, and takes no more room.
    int target = c.paused ? std::max(0, c.target - c.wanted) : c.target;
    int wanted = c.paused ? 0 : c.wanted;
    profiles.push_back({key, std::max(target, critical), critical, true, wanted, profile.requires_});
  }
  // What builds have borrowed is missing at their own profile, not at another one.
  auto budget = plannable();
  Resources scenario;
  for (auto& p : profiles)
    scenario += p.each * p.count;
  if (!budget.holds(scenario))
    for (auto& p : profiles)
      if (images_.borrows(p.key) && p.count > p.critical) {
        --p.count;
        p.extra = std::max(0, p.extra - 1);
      }
  return fit(std::move(profiles), budget).granted;
}

void Core::destroy_excess(const Counts& counts) {
  std::map<std::string, int> going;
  for (auto& [id, r] : runners_)
    if (r.rec.phase == Phase::destroying && status(r) != Status::Invalid)
      ++going[r.rec.profile];
  for (auto& [key, c] : counts) {
    int excess = c.excess_healthy - going[key];
    for (auto id : idle_runners(key)) {
      if (excess-- <= 0)
        break;
      destroy(runners_.at(id), "more runners than its profile's target");
    }
  }
}

void Core::plan() {
  // Before all that was taken over is durable, what is not in order with it is not on its way out either: nobody
  // would know how many are too many.
  if (!ready() || adopting() || adoption_uncommitted_)
    return;
  auto counts = count();
  if (policy_->destroy_all_non_busy_runners) {
    for (auto& [id, r] : runners_) {
      auto s = status(r);
      if (r.rec.phase == Phase::live && (s == Status::Idle || s == Status::StartedOrCrashed))
        destroy(r, "all runners that are not busy are to be destroyed");
    }
  } else
    destroy_excess(counts);
  if (policy_->dont_create_runners || !host_up_ || reading_guests_)
    return;
  if (read_pause_.failures() > 0 && read_pause_.failures() <= most_waits_for_sizes)
    return; // what strangers take is not known yet; but it need not ever be
  if (ids_in_doubt_ && !registrations_known_ && !policy_->dont_register_runners)
    return; // which ids are taken is not known yet
  plan_images(count()); // without those that were just let go
  counts = count();
  int under_way = 0;
  std::set<std::string> being_made;
  for (auto& [id, r] : runners_) {
    const bool creating = r.rec.phase == Phase::creating;
    if (creating)
      being_made.insert(r.rec.profile);
    under_way += creating || r.preparing || r.starting; // what was ordered of one that was given up goes on
  }
  for (auto& [key, c] : counts)
    if (c.paused || (c.wanted <= 0 && !create_pause_.count(key))) {
      vacancies_.erase(key); // they are not to be filled, and it is not that this is tried in vain
      if (!being_made.count(key))
        create_trouble_.erase(key);
    }
  auto room = policy_->budget - held();
  for (auto& [key, wanted] : fitted(counts)) {
    auto& profile = policy_->profiles.at(key);
    auto trouble = [&, key = key](std::string why) { create_trouble_[key] = std::move(why); };
    if (wanted <= 0)
      continue;
    if (auto pause = create_pause_.find(key); pause != create_pause_.end() && !pause->second.due(now_.time)) {
      wake(pause->second.next());
      continue;
    }
    bool hand_made = !profile.template_guest.empty();
    auto from = hand_made ? profile.template_guest : images_.template_for(key);
    bool going = hand_made && images_.is_discarded(from);
    if (from.empty() || going || (hand_made && off_guests_.count(from) == 0)) {
      trouble(!hand_made ? "there is no image of it yet"
              : going    ? "its template guest " + from + " is an image that is being deleted"
                         : "its template guest " + from + " does not exist or is not shut off");
      continue;
    }
    for (int i = 0; i < wanted && under_way < policy_->max_parallel_creates; ++i, ++under_way) {
      if (auto held = writes_held(WritePurpose::creating, 1);
          held > Duration{0} && !policy_->dont_register_runners) {
        trouble(waits_for_limits);
        wake(now_.time + held);
        break;
      }
      if (!room.holds(profile.requires_)) {
        trouble("the host's budget is used up");
        break;
      }
      room -= profile.requires_;
      order_runner(profile, from);
    }
  }
}

} // namespace ci::domain
