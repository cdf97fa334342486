/// Simulation: what guests and their jobs do by themselves.
#include "tests/simulation/scene.hpp"
#include "tests/simulation/simulation.hpp"

namespace ci::test {

std::vector<std::string> Simulation::own_guests() const {
  std::vector<std::string> names;
  for (auto& [name, g] : world_.guests)
    if (g.own && name.starts_with("ci-runner-"))
      names.push_back(name);
  return names;
}

/// By all guests that run, but for the stranger.
int Simulation::units_in_use() const {
  int units = 0;
  for (auto& [name, g] : world_.guests)
    if (name != scene::foreign_guest && g.state == GuestState::on)
      units += scene::units.at(scene::profile_of(name));
  return units;
}

void Simulation::observe(const std::string& guest) {
  auto it = world_.guests.find(guest);
  if (it != world_.guests.end())
    events_.push_back({guest, it->second.uuid, it->second.state, it->second.reason, steady_});
  else
    events_.push_back({guest, "", GuestState::absent, "undefined", steady_});
  if (events_.size() > 20)
    events_.pop_front(); // some are lost
}

void Simulation::power_off(const std::string& name) {
  world_.power_off(name);
  observe(name);
}

void Simulation::deliver_event(std::uint64_t s) {
  if (mix(s, 1) % 4 == 0)
    if (auto guests = mix(s, 4) % 4 == 0 ? rebuild_guests() : own_guests(); !guests.empty())
      observe(guests[s % guests.size()]);
  if (events_.empty())
    return;
  auto at = events_.begin() + static_cast<std::ptrdiff_t>(mix(s, 2) % events_.size());
  hear_guest(*at);
  if (mix(s, 3) % 4 != 0) // else it comes again
    events_.erase(at);
}

void Simulation::ask_jit(const std::string& guest) {
  auto& g = world_.guests.at(guest);
  if (g.state != GuestState::on || g.address.empty())
    return;
  auto request = next_request();
  jit_asking_[request] = guest;
  if (auto* record = world_.record_of(g); record && record->shown.online())
    jit_too_late_.insert(request);
  hear_jit(request, g.address);
}

/// Whose address is no guest's of ours, now or later.
void Simulation::ask_as_stranger(std::uint64_t s) {
  auto& address = mix(s, 2) % 2 ? scene::foreign_address : scene::free_address;
  note("  " + address + " asks");
  const auto request = next_request();
  strangers_asking_[request] = address;
  if (mix(s, 3) % 4 != 0)
    hear_jit(request, address);
  else
    hear_boot(request, address);
}

void Simulation::answered(RequestId request, const BootAnswer& answer) {
  waiting_.erase(request);
  if (auto stranger = strangers_asking_.extract(request); stranger && answer.script)
    fail("G7: " + stranger.mapped() + " is no guest's of ours, and got a boot script");
}

void Simulation::answered(RequestId request, const JitAnswer& answer) {
  waiting_.erase(request);
  if (auto stranger = strangers_asking_.extract(request); stranger && !answer.encoded_jit_config.empty())
    fail("G7: " + stranger.mapped() + " is no guest's of ours, and got " + answer.encoded_jit_config);
  auto it = jit_asking_.find(request);
  if (it == jit_asking_.end())
    return;
  auto name = it->second;
  jit_asking_.erase(it);
  auto& config = answer.encoded_jit_config;
  bool too_late = jit_too_late_.erase(request) > 0;
  if (config.empty())
    return;
  auto guest = world_.guests.find(name);
  if (guest == world_.guests.end() || guest->second.state != GuestState::on)
    return; // nobody reads it: its connection ended with it, whoever has its address now
  if (config.find("-of-" + name + "@") == std::string::npos)
    fail("G7: " + name + " got " + config);
  if (too_late)
    fail("G7: " + name + " got the config of a runner that was online");
  guest->second.config = config;
}

void Simulation::guest_dies(const std::string& name) {
  note("  " + name + " crashes");
  auto* record = world_.record_of(world_.guests.at(name));
  bool working = record && record->working;
  world_.power_off(name, "crashed");
  observe(name);
  if (!working)
    return;
  record->working = true; // GitHub does not know
  dead_jobs_.insert(record->shown.id);
}

void Simulation::guest_step(std::uint64_t s) {
  auto guests = own_guests(), builds = rebuild_guests();
  if (guests.empty() && builds.empty())
    return;
  if (auto n = s % (guests.size() + builds.size()); n >= guests.size())
    return rebuild_step(builds[n - guests.size()], s);
  auto& name = guests[s % (guests.size() + builds.size())];
  auto& g = world_.guests.at(name);
  if (g.state != GuestState::on)
    return;
  auto* record = world_.record_of(g);
  if (mix(s, 9) % 40 == 0) {
    guest_dies(name);
  } else if (g.config.empty()) {
    if (mix(s, 8) % 4 == 0)
      hear_boot(next_request(), g.address);
    ask_jit(name);
  } else if (!record) {
    note("  " + name + " has no registration and powers off");
    power_off(name);
  } else if (!record->online) {
    world_.go_online(name);
  } else if (!record->working) {
    const bool exclusive = policy_->exclusive_reservations; // then no other job could name it
    if (exclusive && !job_for(*record))
      return;
    note("  " + name + " begins a job");
    begin_job(name, exclusive || mix(s, 4) % 5 != 0, mix(s, 1) % 3 != 0);
  } else if (mix(s, 2) % 3 == 0)
    record->shown.busy = true;
  else {
    note("  " + name + " ends its job");
    end_job(name);
    if (mix(s, 3) % 4 != 0)
      power_off(name);
  }
}

/// In the calm each does what it should.
void Simulation::guest_duty(const std::string& name) {
  auto& g = world_.guests.at(name);
  if (g.state != GuestState::on)
    return;
  auto* record = world_.record_of(g);
  if (g.config.empty())
    ask_jit(name);
  else if (!record)
    power_off(name);
  else if (record->working || lied_about_.count(record->shown.id)) {
    end_job(name);
    power_off(name);
  } else if (record->online && job_for(*record)) {
    begin_job(name, true, true);
  } else {
    record->online = true;
    record->shown.status = "online";
    record->shown.busy = false;
  }
}

} // namespace ci::test
