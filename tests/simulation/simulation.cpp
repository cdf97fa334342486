#include "tests/simulation/simulation.hpp"

#include "tests/simulation/scene.hpp"
#include "tests/support/memory_store.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace ci::test {

using namespace std::chrono_literals;

Simulation::Simulation(std::vector<std::string>* trace) : trace_(trace) {
  world_.add_template(scene::template_name);
}

std::optional<Broken> Simulation::run(const Schedule& schedule) {
  std::size_t step = 0;
  try {
    play(schedule, step);
  } catch (const std::exception& error) {
    fail(std::string("G6: the process ends by an exception: ") + error.what());
  }
  return broken_ ? std::optional<Broken>(Broken{*broken_, step}) : std::nullopt;
}

void Simulation::play(const Schedule& schedule, std::size_t& step) {
  first_ = schedule.empty() ? 0 : schedule.front().salt;
  room_ = scene::least_room + static_cast<int>(mix(first_, 90) % 3);
  *policy_ = scene::policy(room_, mix(first_, 96) % 2 == 0);
  policy_->exclusive_reservations = mix(first_, 97) % 4 == 0;
  for (; step < schedule.size() && schedule[step].kind == Step::Kind::leave; ++step)
    leave(schedule[step].salt);
  if (step == 0)
    place_strangers();
  begin();
  if (first_ % 2)
    warm_up();
  for (; step < schedule.size(); ++step) {
    salt_ = schedule[step].salt;
    pass(1us);
    apply(schedule[step]);
    react(false);
    forget_looks();
    check();
    if (broken_)
      return;
  }
  calm_down(mix(first_, 91) % 4 == 0);
  if (!broken_)
    check_end();
  if (!broken_ && mix(first_, 99) % 4 == 0)
    spoil_one_profile();
  if (!broken_)
    check_forgotten();
}

/// They look ours. The registration's name is in the way sooner or later, where the first listings lack it.
void Simulation::place_strangers() {
  world_.guests[scene::foreign_guest] = {"foreign", GuestState::on, "", scene::foreign_address, "", false};
  auto name = scene::foreign_registration(static_cast<int>(mix(first_, 93) % 12));
  stranger_ = world_.make({name, {"x"}, "_work", 1}).value->registration.id;
  hidden_listings_ = static_cast<int>(mix(first_, 94) % 4);
}

void Simulation::begin() {
  waiting_.clear();
  asking_.clear();
  jit_asking_.clear();
  strangers_asking_.clear();
  given_up_.clear();
  jit_too_late_.clear();
  events_.clear();
  for (auto& [id, record] : world_.records)
    record.look_anew(); // an earlier process was told
  wanted_.clear();
  waits_until_ = {};
  adopting_ = last_left_ != 0 && (calm_ || mix(first_ ^ salt_, 95) % 4 != 0);
  start_process();
  hear_policy(std::make_shared<Policy>(*policy_));
  hear_connection(!libvirt_down_, libvirt_down_ ? "made up" : "");
}

void Simulation::apply(const Step& step) {
  auto s = step.salt;
  note(std::string(to_string(step.kind)) + " " + std::to_string(s % 1000));
  switch (step.kind) {
  case Step::Kind::carry:
    return carry_some(s);
  case Step::Kind::answer:
    for (auto n = mix(s, 1) % 3 + 1; n > 0 && deliver_one(mix(s, 10 + n)); --n)
      ;
    return;
  case Step::Kind::commit:
    if (mix(s, 1) % 20 != 0 || !fail_commit(mix(s, 2) % 2 == 0))
      commit_one(true);
    return;
  case Step::Kind::time:
    return pass(Duration(1 + static_cast<std::int64_t>(s % (mix(s, 1) % 4 == 0 ? 90'000 : 6'000))));
  case Step::Kind::guest:
    return guest_step(s);
  case Step::Kind::take:
    return client_take(s);
  case Step::Kind::repeat:
    return client_repeat(s);
  case Step::Kind::release:
    return client_release(s);
  case Step::Kind::jit:
    if (mix(s, 1) % 2 == 0)
      ask_as_stranger(s);
    if (auto guests = own_guests(); !guests.empty())
      ask_jit(guests[s % guests.size()]);
    return;
  case Step::Kind::crash:
    return crash(s);
  case Step::Kind::fault:
    return set_fault(s);
  case Step::Kind::policy:
    return change_policy(s);
  case Step::Kind::lever:
    return operator_step(s);
  case Step::Kind::event:
    return deliver_event(s);
  case Step::Kind::run:
    return run_step(s);
  case Step::Kind::hook:
    return hook_step(s);
  case Step::Kind::leave:
    return;
  case Step::Kind::jump: {
    auto by = Duration(static_cast<std::int64_t>(s % 7'200'000) - 3'600'000);
    wall_offset_ += by;
    clock_jumped_ = true;
    return jumped(by);
  }
  }
}

void Simulation::change_policy(std::uint64_t s) {
  auto& profile = policy_->profiles[scene::profiles[mix(s, 1) % 2]];
  if (mix(s, 2) % 4 == 0)
    profile.image_fingerprint = std::to_string(s); // its folder was changed
  else
    profile.target_count = static_cast<int>(s % static_cast<std::uint64_t>(room_ + 1));
  hear_policy(std::make_shared<Policy>(*policy_));
}

void Simulation::carry_some(std::uint64_t s) {
  for (auto n = mix(s, 1) % 3 + 1; n > 0; --n) {
    auto dice = mix(s, 20 + n) % 30;
    auto fault = dice == 0   ? Fault::before
                 : dice == 1 ? Fault::after
                 : dice == 2 ? Fault::twice
                             : Fault::none;
    if (!carry_one(mix(s, 30 + n), fault))
      return;
  }
}

/// What was ordered may still happen, what was written may be on disk without anyone having heard of it.
void Simulation::crash(std::uint64_t s) {
  for (auto n = mix(s, 1) % 4; n > 0 && carry_one(mix(s, 10 + n), Fault::none); --n)
    ;
  for (auto n = mix(s, 2) % 3; n > 0 && commit_one(false); --n)
    ;
  if (mix(s, 3) % 4 == 0)
    pass(std::chrono::seconds(mix(s, 4) % 600)); // nobody starts it
  begin();
}

void Simulation::set_fault(std::uint64_t s) {
  switch (s % 5) {
  case 0:
    github_down_ = !github_down_;
    break;
  case 1:
    lie_about_busy(s);
    break;
  case 2: // calls one offline that is not
    if (!world_.records.empty())
      std::next(world_.records.begin(), static_cast<std::ptrdiff_t>(mix(s, 1) % world_.records.size()))
          ->second.shown.status = "offline";
    jit_too_late_.clear();
    break;
  case 3:
    libvirt_down_ = !libvirt_down_;
    hear_connection(!libvirt_down_, libvirt_down_ ? "made up" : "");
    break;
  case 4: {
    bool well = mix(s, 1) % 2;
    hear_store(well, well ? "" : "made up");
    break;
  }
  }
}

/// Of all that work, of one, or of one that does not.
void Simulation::lie_about_busy(std::uint64_t s) {
  auto chosen = world_.records.begin();
  if (!world_.records.empty())
    std::advance(chosen, static_cast<std::ptrdiff_t>(mix(s, 1) % world_.records.size()));
  switch (mix(s, 2) % 4) {
  case 0:
  case 1:
    for (auto& [id, r] : world_.records)
      r.shown.busy = false;
    return;
  case 2:
    if (chosen != world_.records.end())
      chosen->second.shown.busy = false;
    return;
  default:
    if (chosen == world_.records.end() || chosen->first == stranger_)
      return;
    chosen->second.shown.busy = true;
    lied_about_.insert(chosen->first); // it counts as Busy for good
  }
}

void Simulation::commit_to_store(const StoreBatch& batch) {
  for (auto& op : batch) {
    if (auto* put = std::get_if<store::PutReservation>(&op))
      note_grant(put->reservation);
    else if (auto* line = std::get_if<store::AppendHistory>(&op); line && tells_config(line->event.detail))
      fail("G9: the history holds a JIT config");
  }
  test::commit(store_, batch);
}

GithubReply<RegistrationListing> Simulation::list_registrations() {
  auto reply = world_.list(steady_);
  auto& runners = reply.value->runners;
  if (stranger_ && hidden_listings_ > 0) {
    --hidden_listings_;
    std::erase_if(runners, [&](auto& r) { return r.id == stranger_; });
  }
  if (!calm_ && !runners.empty() && mix(salt_, 11) % 20 == 0)
    if (auto one = runners.begin() + static_cast<std::ptrdiff_t>(mix(salt_, 12) % runners.size()); !is_denied(one->id))
      runners.erase(one);
  return reply;
}

/// Of one registration GitHub is wrong in its lists or by its id, not in both ways.
bool Simulation::denies(RegistrationId id) const { return !calm_ && is_denied(id) && mix(salt_, 16) % 8 == 0; }

GithubReply<Registration> Simulation::look_at(RegistrationId id) {
  if (denies(id))
    return GithubReply<Registration>::failed(World::error(GithubError::Kind::not_found, 404));
  return world_.look(id, steady_, false);
}

void Simulation::hear_look(const GithubReply<Registration>& reply) {
  if (!reply || !reply.value->busy)
    return;
  if (auto record = world_.records.find(reply.value->id); record != world_.records.end())
    record->second.look_anew();
}

GithubReply<Done> Simulation::unregister(RegistrationId id) {
  if (denies(id))
    return GithubReply<Done>::failed(World::error(GithubError::Kind::not_found, 404));
  world_.deletes_by_shown = mix(salt_, 17) % 2 == 0;
  return world_.unregister(id);
}

GuestListing Simulation::list_guests() {
  auto listing = world_.list_guests(steady_);
  auto& guests = listing.guests;
  std::vector<std::string> runners;
  for (auto& [name, guest] : world_.guests)
    if (guest.own)
      runners.push_back(name);
  // What is not listed when a host is taken over stays a stranger, which is another story.
  if (full_lists_ > 0)
    --full_lists_;
  else if (!calm_ && last_left_ == 0 && !runners.empty() && mix(salt_, 13) % 20 == 0) {
    full_lists_ = 4; // some are asked for addresses alone
    std::erase_if(guests, [&](auto& seen) { return seen.name == runners[mix(salt_, 14) % runners.size()]; });
  }
  return listing;
}

/// All faults end, every guest does its duty, and half an hour passes. What an older monitor left is taken over at the
/// latest now.
void Simulation::calm_down(bool with_builds) {
  calm_ = true;
  if (mix(first_, 98) % 6 == 0)
    long_outage();
  note("calm");
  github_down_ = libvirt_down_ = false;
  for (auto& [id, record] : world_.records)
    record.shown.busy = record.working;
  if (last_left_ != 0)
    begin();
  hear_connection(true, "");
  hear_store(true, "");
  for (auto& [key, target] : scene::targets)
    policy_->profiles[key].target_count = target;
  hear_policy(std::make_shared<Policy>(*policy_));
  note_leftovers();
  for (int turn = 0; turn < 24 && !broken_; ++turn) // a listing may be waited for that never comes, and nobody be heard
    calm_turn(5s);
  hear_lever(next_request(), lever::CancelOverride{});
  for (auto& key : scene::profiles)
    hear_lever(next_request(), lever::SetPaused{key, false});
  for (int turn = 0; turn < 26 && !broken_; ++turn)
    calm_turn(5s);
  lapse_dead_jobs();
  for (int turn = 0; (turn < 40 || steady_ < waits_until_ + 30min) && !broken_; ++turn)
    calm_turn(45s);
  if (with_builds)
    try_builds();
}

/// GitHub is away for a quarter of an hour: long enough for whoever asks it to have grown long pauses.
void Simulation::long_outage() {
  note("long outage");
  github_down_ = true;
  libvirt_down_ = false;
  hear_connection(true, "");
  for (int turn = 0; turn < 20 && !broken_; ++turn)
    calm_turn(45s);
}

/// New images are asked for: first all builds fail, for half an hour, then they end well.
void Simulation::try_builds() {
  for (bool fail : {true, false}) {
    builds_fail_ = fail;
    for (auto& key : scene::profiles)
      hear_lever(next_request(), lever::RebuildImage{key});
    for (int turn = 0; turn < 40 && !broken_; ++turn)
      calm_turn(45s);
    if (fail && !broken_)
      check_failing_builds();
  }
}

/// G6: where for so long nothing of one profile can be made that its pauses are long, another's runners that end are
/// replaced as soon as ever.
void Simulation::spoil_one_profile() {
  const auto which = mix(first_, 100) % 2;
  const auto& spoilt = scene::profiles[which];
  const auto& sound = scene::profiles[1 - which];
  note("no runner of " + spoilt + " can be made");
  (mix(first_, 101) % 2 ? world_.unregistrable : world_.undefinable) = "ci-runner-" + spoilt + ".";
  end_runners(spoilt);
  for (int turn = 0; turn < 12 && !broken_; ++turn)
    calm_turn(45s);
  end_runners(sound);
  for (int turn = 0; turn < 6 && !broken_; ++turn)
    calm_turn(5s);
  if (auto seen = snapshot(); !broken_ && seen)
    if (auto idle = seen->profiles.at(sound).idle; idle != scene::targets.at(sound))
      fail("G6: while no runner of " + spoilt + " can be made, " + sound + " has " + std::to_string(idle) +
           " idle runners");
  world_.unregistrable = world_.undefinable = "";
  for (int turn = 0; turn < 40 && !broken_; ++turn)
    calm_turn(45s);
  if (!broken_)
    check_end();
}

/// All of that profile, at once; libvirt tells of each.
void Simulation::end_runners(const std::string& profile) {
  events_.clear();
  for (auto& name : own_guests())
    if (scene::profile_of(name) == profile)
      power_off(name);
  for (auto& seen : std::exchange(events_, {}))
    hear_guest(seen);
}

/// Every other schedule meets a pool that is full and idle.
void Simulation::warm_up() {
  calm_ = true;
  for (int turn = 0; turn < 10 && !broken_; ++turn)
    calm_turn(5s);
  calm_ = false;
}

void Simulation::calm_turn(Duration by) {
  for (auto& name : own_guests())
    guest_duty(name);
  for (auto& name : rebuild_guests())
    rebuild_duty(name);
  for (int round = 0; !broken_; ++round) {
    react(true);
    forget_looks();
    if (!busy())
      break;
    if (round == 1000)
      fail("G10: it never comes to rest");
    while (commit_one(true))
      ;
    while (carry_one(0, Fault::none))
      pass(1us);
    while (deliver_one(0))
      ;
    check();
  }
  if (leftovers_due_ && steady_ >= *leftovers_due_)
    check_leftovers();
  if (deletable_due_ && steady_ >= *deletable_due_)
    check_deletable();
  pass(by);
}

void Simulation::lapse_dead_jobs() {
  for (auto id : dead_jobs_)
    if (auto it = world_.records.find(id); it != world_.records.end())
      it->second.working = it->second.shown.busy = false;
}

} // namespace ci::test
