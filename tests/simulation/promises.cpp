/// Simulation: what must hold after each step, and what must be true in the end.
#include "tests/simulation/scene.hpp"
#include "tests/simulation/simulation.hpp"

#include <algorithm>

namespace ci::test {

using namespace std::chrono_literals;

void Simulation::check() {
  if (!world_.killed_at_work.empty())
    fail("G1: " + world_.killed_at_work.front() + " was stopped at work");
  if (!world_.stopped_unreleased.empty())
    fail("G1: " + world_.stopped_unreleased.front() + " was stopped while GitHub still had it");
  // Image builds are guests of ours too: they will count here, and G8 will be checked beside it.
  auto on = std::count_if(world_.guests.begin(), world_.guests.end(), [](auto& named) {
    return named.second.own && named.second.state == GuestState::on;
  });
  if (on > scene::room)
    fail("G4: " + std::to_string(on) + " guests run, there is room for " + std::to_string(scene::room));
  if (!world_.guests.count(scene::foreign_guest) || world_.find(scene::foreign_registration).value->empty() ||
      world_.guests.at(scene::foreign_guest).state != GuestState::on)
    fail("G5: something foreign was touched");
  if (auto seen = snapshot())
    check_reservations(*seen);
  check_more();
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
  // Of each promise that lives, every runner is in its reservation still, or has ended.
  for (auto& client : clients_) {
    auto it = seen.reservations.find(client.ask.unique_id);
    if (client.promised.empty() || client.giving_back || it == seen.reservations.end())
      continue;
    for (auto id : client.promised)
      if (std::any_of(seen.runners.begin(), seen.runners.end(), [id](auto& r) { return r->id == id; }) &&
          std::none_of(it->second->slots.begin(), it->second->slots.end(),
                       [&](auto& s) { return s.runner == id; }))
        fail("G3: " + client.ask.unique_id + " lost runner " + std::to_string(id));
  }
}

void Simulation::check_end() {
  auto seen = snapshot();
  if (!seen)
    return fail("G10: there is nothing to read");
  std::set<std::string> guests, registrations, disks;
  int idle = 0;
  for (auto& r : seen->runners) {
    if (r->guest_name) {
      guests.insert(*r->guest_name);
      registrations.insert(*r->guest_name + "@ci0");
    }
    disks.insert("/var/lib/libvirt/images/runner/" + std::to_string(r->id) + "-");
    idle += r->status == Status::Idle;
    if (r->status != Status::Idle) {
      auto line = "  end: runner " + std::to_string(r->id) + " " + to_string(r->status);
      for (auto& [key, value] : r->details)
        line += " " + key + "=" + value;
      note(line);
    }
  }
  for (auto& [uid, r] : seen->reservations)
    note("  end: reservation " + uid + " " + r->state);
  if (idle != scene::target)
    fail("G5: " + std::to_string(idle) + " runners are idle in the end");
  auto own = own_guests();
  if (std::set<std::string>(own.begin(), own.end()) != guests)
    fail("G5: guests and runners differ in the end");
  std::set<std::string> at_github;
  for (auto& [id, r] : world_.records)
    if (r.shown.name != scene::foreign_registration) {
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
  rest_begins();
  for (int day = 0; day < 9 && !broken_; ++day)
    calm_turn(24h);
  calm_turn(1s);
  if (broken_)
    return;
  auto seen = snapshot();
  if (store_.runners.size() != seen->runners.size())
    fail("G12: the store keeps " + std::to_string(store_.runners.size()) + " runners");
  if (!store_.reservations.empty() || !seen->spent->empty())
    fail("G12: " + std::to_string(store_.reservations.size()) + " reservations are kept");
  check_end_more();
}

} // namespace ci::test
