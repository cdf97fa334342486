/// Simulation: what must hold after each step, and what must be true in the end.
#include "tests/simulation/scene.hpp"
#include "tests/simulation/simulation.hpp"

#include <algorithm>
#include <cstdlib>

namespace ci::test {

using namespace std::chrono_literals;

void Simulation::check() {
  if (!world_.killed_at_work.empty())
    fail("G1: " + world_.killed_at_work.front() + " was stopped at work");
  if (!world_.stopped_unreleased.empty())
    fail("G1: " + world_.stopped_unreleased.front() + " was stopped while GitHub still had it");
  if (!world_.let_go_early.empty())
    fail("G1: " + world_.let_go_early.front() + " was let go before GitHub had twice called it not busy");
  if (auto used = units_in_use(); used > room_)
    fail("G4: guests of " + std::to_string(used) + " units run, there is room for " + std::to_string(room_));
  check_borrowed();
  check_intents();
  check_secrets();
  if (stranger_)
    check_strangers();
  if (policy_->exclusive_reservations && last_left_ == 0)
    check_exclusive();
  if (auto seen = snapshot()) {
    check_reservations(*seen);
    check_given_up(*seen);
    check_kept(*seen);
    check_shown(*seen);
  }
  check_more();
}

namespace {

/// None: the name is no runner's.
std::optional<RunnerId> runner_of(const std::string& name) {
  const auto dot = name.find_last_of('.');
  if (!name.starts_with("ci-runner-") || dot == std::string::npos)
    return std::nullopt;
  return std::strtoll(name.c_str() + dot + 1, nullptr, 10);
}

RunnerId runner_of_disk(const std::string& disk) {
  return std::strtoll(disk.c_str() + disk.rfind('/') + 1, nullptr, 10);
}

} // namespace

/// G5: what is made has a durable record by then, and keeps it as long as it is there.
void Simulation::check_intents() {
  std::set<RunnerId> known;
  for (auto& r : store_.runners)
    known.insert(r.id);
  auto check = [&](std::optional<RunnerId> id, const std::string& what) {
    if (id && *id > last_left_ && !known.count(*id)) // others are an older monitor's
      fail("G5: " + what + " is there, and no record tells of it");
  };
  for (auto& name : own_guests())
    check(runner_of(name), name);
  for (auto& [id, record] : world_.records)
    if (id != stranger_)
      check(runner_of(record.shown.name), "the registration " + record.shown.name);
  for (auto& disk : world_.disks)
    check(runner_of_disk(disk), "the disk " + disk);
  for (auto& r : store_.runners)
    if (r.id > last_left_ && !r.registration_id && world_.guests.count(r.guest_name))
      fail("G5: " + r.guest_name + " was made before its registration was in the store");
  check_image_intents();
}

std::size_t Simulation::living() const {
  return static_cast<std::size_t>(std::count_if(store_.runners.begin(), store_.runners.end(),
                                                [](auto& r) { return r.phase != Phase::gone; }));
}

/// G12: at no time is more kept than what there is explains.
void Simulation::check_kept(const Snapshot& seen) {
  constexpr std::size_t uncommitted = 10;
  if (seen.runners.size() > living() + uncommitted)
    fail("G12: " + std::to_string(seen.runners.size()) + " runners are shown, and the store keeps " +
         std::to_string(living()));
}

/// G9: readers see no config.
void Simulation::check_shown(const Snapshot& seen) {
  for (auto& view : seen.runners)
    for (auto& [key, text] : view->details)
      if (tells_config(text))
        fail("G9: the " + key + " of runner " + std::to_string(view->id) + " shows a JIT config");
}

/// G7: nobody needs the config of a runner that was online, or whose registration has ended.
void Simulation::check_secrets() {
  for (auto& r : store_.runners)
    if (!r.jit_config.empty() && (r.online_at || r.registration_ended))
      fail("G7: the config of runner " + std::to_string(r.id) + " is kept, which " +
           (r.online_at ? "was online" : "is not registered any more"));
}

/// Looks from before it was decided to destroy a runner say nothing of whether it may be let go.
void Simulation::forget_looks() {
  auto seen = snapshot();
  if (!seen)
    return;
  for (auto& view : seen->runners)
    if (view->details.at("phase") != to_string(Phase::destroying))
      wanted_.insert(view->id);
    else if (wanted_.erase(view->id) > 0)
      for (auto& [id, record] : world_.records)
        if (runner_of(record.shown.name) == view->id)
          record.look_anew();
}

/// G5: what is left of runners that nobody wants is to be gone two minutes after everyone can be asked again.
void Simulation::note_leftovers() {
  calm_turn(1ms);
  auto seen = snapshot();
  if (!seen || broken_)
    return;
  std::set<RunnerId> wanted;
  for (auto& view : seen->runners)
    if (view->details.at("phase") != to_string(Phase::destroying))
      wanted.insert(view->id);
  for (auto& r : store_.runners)
    if (r.registration_id)
      if (auto record = world_.records.find(*r.registration_id);
          record == world_.records.end() || record->second.online)
        used_configs_.insert(r.id);
  auto add = [&](std::optional<RunnerId> id) {
    if (id && !wanted.count(*id))
      leftovers_.insert(*id);
  };
  for (auto& name : own_guests()) {
    add(runner_of(name));
    auto& guest = world_.guests.at(name);
    if (guest.state == GuestState::on && !guest.config.empty())
      at_work_.insert(*runner_of(name));
  }
  for (auto& [id, record] : world_.records)
    if (id != stranger_ && !dead_jobs_.count(id))
      add(runner_of(record.shown.name));
  for (auto& disk : world_.disks)
    add(runner_of_disk(disk));
  left_images_ = unwanted_images();
  long_waiting_ = waiting_;
  asked_to_wait(longest_pause_); // perhaps by an answer that has only now arrived
  leftovers_due_ = std::max({steady_, github_silent_until_, waits_until_}) + 2min;
  note_deletable();
  deletable_due_ = std::max({steady_, clearing_silent_until_, waits_until_}) + 2min;
}

/// Those whose guest is off or never got its config: nothing is asked before they are deleted. One that GitHub denied
/// may have to be listed first.
void Simulation::note_deletable() {
  for (auto& r : store_.runners) {
    const auto record = world_.records.find(r.registration_id.value_or(0));
    const auto guest = world_.guests.find(r.guest_name);
    const bool on = guest != world_.guests.end() && guest->second.state == GuestState::on;
    if (r.phase == Phase::destroying && !(on && r.jit_served_at) && record != world_.records.end() &&
        !record->second.working && !is_denied(record->first))
      deletable_.insert(record->first);
  }
}

void Simulation::check_leftovers() {
  leftovers_due_.reset();
  auto left = [&](std::optional<RunnerId> id) { return id && leftovers_.count(*id) && !at_work_.count(*id); };
  for (auto& name : own_guests())
    if (left(runner_of(name)))
      fail("G5: " + name + " is there two minutes later");
  for (auto& [id, record] : world_.records)
    if (id != stranger_ && left(runner_of(record.shown.name)) && !dead_jobs_.count(id))
      fail("G5: the registration " + record.shown.name + " is there two minutes later");
  for (auto& disk : world_.disks)
    if (left(runner_of_disk(disk)))
      fail("G5: the disk " + disk + " is there two minutes later");
  for (auto& r : store_.runners)
    if (!r.jit_config.empty() && used_configs_.count(r.id))
      fail("G7: the config of runner " + std::to_string(r.id) + " is kept two minutes later");
  for (auto& image : unwanted_images())
    if (left_images_.count(image))
      fail("G5: something of the image " + image + " is there two minutes later");
  if (!left_.runners.empty())
    fail("G5: the older monitor's files of runner " + std::to_string(left_.runners.begin()->first) +
         " are there two minutes later");
  for (auto request : long_waiting_)
    if (waiting_.count(request))
      fail("G10: request " + std::to_string(request) + " waits for two minutes though everyone answers");
  // The looks at one that may be working, and was reserved a moment ago, take longer (spec/runners.md).
  if (!at_work_.empty())
    leftovers_due_ = steady_ + 1min;
  at_work_.clear();
}

/// G11: what takes nothing but deletions goes on when the budget is nearly spent.
void Simulation::check_deletable() {
  deletable_due_.reset();
  for (auto id : deletable_)
    if (auto record = world_.records.find(id); record != world_.records.end())
      fail("G11: the registration " + record->second.shown.name + " is not deleted two minutes later");
}

/// No job but the one that reserved it can name a runner before that has begun.
void Simulation::check_exclusive() {
  for (auto& [id, record] : world_.records)
    if (id != stranger_ && !begun_.count(id) && !lied_about_.count(id))
      for (auto& key : scene::profiles)
        if (has_label(record.shown.labels, key))
          fail("G2: any job may take " + record.shown.name + ", which is for those alone that reserve it");
}

void Simulation::check_strangers() {
  auto guest = world_.guests.find(scene::foreign_guest);
  if (guest == world_.guests.end() || guest->second.state != GuestState::on)
    fail("G5: a guest of somebody else's was touched");
  auto registration = world_.records.find(*stranger_);
  if (registration == world_.records.end() || registration->second.shown.labels != std::vector<std::string>{"x"})
    fail("G5: a registration of somebody else's was touched");
}

void Simulation::check_reservations(const Snapshot& seen) {
  // A runner stands in one open slot at most.
  std::set<RunnerId> taken;
  for (auto& [uid, r] : seen.reservations)
    for (auto& slot : r->slots)
      if (slot.state == SlotState::chosen || slot.state == SlotState::labelled ||
          slot.state == SlotState::confirmed)
        if (!taken.insert(slot.runner).second)
          fail("G2: runner " + std::to_string(slot.runner) + " stands in two reservations");
  if (!resting_)
    for (auto& client : clients_)
      if (!client.promised.empty())
        check_promise(seen, client);
}

/// What was promised is known ever after: by the same id, with the same deadline, and every runner is in it still or
/// has ended.
void Simulation::check_promise(const Snapshot& seen, Client& client) {
  auto r = seen.reservation(client.ask.unique_id);
  if (!r || !r->granted_at || !r->deadline)
    return fail("G3: the reservation " + client.ask.unique_id + " is lost");
  auto lasts = *r->deadline - *r->granted_at;
  if (lasts != client.lasts.value_or(lasts))
    fail("G3: the deadline of " + client.ask.unique_id + " has moved");
  client.lasts = lasts;
  if (!clock_jumped_) {
    if (*r->deadline != client.deadline.value_or(*r->deadline))
      fail("G3: the deadline of " + client.ask.unique_id + " has moved");
    client.deadline = r->deadline;
  }
  if (client.giving_back || !seen.reservations.count(client.ask.unique_id))
    return;
  for (auto id : client.promised)
    if (std::any_of(seen.runners.begin(), seen.runners.end(), [id](auto& view) { return view->id == id; }) &&
        std::none_of(r->slots.begin(), r->slots.end(), [&](auto& s) { return s.runner == id; }))
      fail("G3: " + client.ask.unique_id + " lost runner " + std::to_string(id));
}

void Simulation::check_end() {
  auto seen = snapshot();
  if (!seen)
    return fail("G10: there is nothing to read");
  std::set<std::string> guests, registrations, disks;
  std::map<std::string, int> idle;
  for (auto& r : seen->runners) {
    if (r->guest_name) {
      guests.insert(*r->guest_name);
      registrations.insert(*r->guest_name + "@ci0");
    }
    disks.insert("/var/lib/libvirt/images/runner/" + std::to_string(r->id) + "-");
    idle[r->profile] += r->status == Status::Idle;
    if (r->status != Status::Idle) {
      auto line = "  end: runner " + std::to_string(r->id) + " " + to_string(r->status);
      for (auto& [key, value] : r->details)
        line += " " + key + "=" + value;
      note(line);
    }
  }
  for (auto& [uid, r] : seen->reservations)
    note("  end: reservation " + uid + " " + r->state);
  if (idle != scene::targets)
    fail("G5: " + std::to_string(idle["linux"]) + " and " + std::to_string(idle["win"]) +
         " runners are idle in the end");
  check_images_end(*seen);
  auto own = own_guests();
  if (std::set<std::string>(own.begin(), own.end()) != guests)
    fail("G5: guests and runners differ in the end");
  std::set<std::string> at_github;
  for (auto& [id, r] : world_.records)
    if (id != stranger_) {
      at_github.insert(r.shown.name);
      if (has_reservation_label(r.shown.labels))
        fail("G5: a reservation label is left over on " + r.shown.name);
    }
  if (at_github != registrations)
    fail("G5: registrations and runners differ in the end");
  if (world_.disks != disks)
    fail("G5: disks and runners differ in the end");
  if (!seen->reservations.empty())
    fail("G5: a reservation never ends");
  if (!waiting_.empty())
    fail("G10: " + std::to_string(waiting_.size()) + " requests were never answered");
}

/// More than a week later nothing is remembered but what there is.
void Simulation::check_forgotten() {
  resting_ = true;
  rest_begins();
  for (int day = 0; day < 9 && !broken_; ++day)
    calm_turn(24h);
  calm_turn(1s);
  if (broken_)
    return;
  auto seen = snapshot();
  if (store_.runners.size() != seen->runners.size())
    fail("G12: the store keeps " + std::to_string(store_.runners.size()) + " runners");
  if (!store_.reservations.empty() || !seen->spent.empty())
    fail("G12: " + std::to_string(store_.reservations.size()) + " reservations are kept");
  check_end_more();
}

} // namespace ci::test
