#include "tests/simulation/simulation.hpp"

#include <algorithm>

namespace ci::test {
namespace {

using namespace std::chrono_literals;

const std::string template_name = "ci-template-linux@2026-01-01T00:00:00.000000000Z";
const std::string foreign_guest = "ci-runner-linux.900";
const std::string foreign_registration = "ci-runner-linux.901@ci0";
constexpr int target = 3, room = 5;

/// A cheap way to many independent choices from one salt.
std::uint64_t mix(std::uint64_t salt, std::uint64_t n) {
  auto x = salt + 0x9e3779b97f4a7c15ULL * (n + 1);
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

} // namespace

const char* to_string(Step::Kind k) {
  constexpr const char* names[] = {"carry", "answer", "commit", "time",  "guest",  "take",  "repeat",
                                   "release", "jit",  "crash",  "fault", "policy", "event", "jump"};
  return names[static_cast<int>(k)];
}

Schedule make_schedule(std::uint64_t seed, std::size_t steps) {
  using K = Step::Kind;
  // Ordinary progress is common, disasters are rare.
  static const std::vector<std::pair<K, int>> weights = {
      {K::carry, 30}, {K::answer, 30}, {K::commit, 20}, {K::time, 12}, {K::guest, 16}, {K::take, 5},   {K::repeat, 3},
      {K::release, 2}, {K::jit, 3},    {K::crash, 1},   {K::fault, 2}, {K::policy, 1}, {K::event, 3}, {K::jump, 1}};
  int total = 0;
  for (auto& [kind, weight] : weights)
    total += weight;
  Schedule schedule(steps);
  for (std::size_t i = 0; i < steps; ++i) {
    int at = static_cast<int>(mix(seed, 2 * i) % static_cast<std::uint64_t>(total));
    for (auto& [kind, weight] : weights) {
      if (at < weight) {
        schedule[i].kind = kind;
        break;
      }
      at -= weight;
    }
    schedule[i].salt = mix(seed, 2 * i + 1);
  }
  return schedule;
}

Simulation::Simulation(std::vector<std::string>* trace) : trace_(trace) {
  policy_->prefixes.registration_suffix = "ci0";
  policy_->budget = {room + 1, std::int64_t{1} << 40}; // one for the foreign guest
  policy_->timings.reserve_timeout = 60s;
  auto& p = policy_->profiles["linux"];
  p.key = "linux";
  p.target_count = target;
  p.github_runner_label = "linux";
  p.requires_ = {1, 0};
  p.boot_script = std::make_shared<const std::string>("boot");
  world_.add_template(template_name);
  world_.guests[foreign_guest] = {"foreign", GuestState::on, "", "10.9.0.1", "", false};
  world_.make({foreign_registration, {"x"}, "_work", 1});
}

std::optional<Broken> Simulation::run(const Schedule& schedule) {
  start_process();
  for (std::size_t i = 0; i < schedule.size() && !broken_; ++i) {
    salt_ = schedule[i].salt;
    steady_ += 1us;
    apply(schedule[i]);
    crank();
    check();
    if (broken_)
      return Broken{*broken_, i};
  }
  calm_down();
  if (!broken_)
    check_end();
  if (broken_)
    return Broken{*broken_, schedule.size()};
  return std::nullopt;
}

void Simulation::start_process() {
  ++process_;
  orders_.clear();
  commits_.clear();
  asking_.clear();
  jit_asking_.clear();
  core_ = std::make_unique<Core>([this] { return ids_(); });
  core_->on_loaded(now(), store_);
  core_->on_policy(now(), std::make_shared<Policy>(*policy_));
  core_->on_host(now(), true, "");
  crank();
}

void Simulation::crank() {
  core_->crank(now());
  for (auto& effect : core_->drain())
    take_in(std::move(effect));
}

void Simulation::take_in(Effect effect) {
  if (auto* e = std::get_if<effect::Commit>(&effect))
    commits_.push_back(std::move(e->batch));
  else if (auto* t = std::get_if<effect::AnswerTake>(&effect))
    answered(t->request, t->answer);
  else if (auto* j = std::get_if<effect::AnswerJit>(&effect)) {
    auto it = jit_asking_.find(j->request);
    if (it == jit_asking_.end())
      return;
    auto guest = world_.guests.find(it->second);
    if (!j->answer.encoded_jit_config.empty()) {
      // G7: whose is it?
      if (j->answer.encoded_jit_config.find("-of-" + it->second + "@") == std::string::npos)
        fail("G7: " + it->second + " got " + j->answer.encoded_jit_config);
      if (guest != world_.guests.end() && guest->second.state == GuestState::on)
        guest->second.config = j->answer.encoded_jit_config;
    }
    jit_asking_.erase(it);
  } else if (std::holds_alternative<effect::Log>(effect)) {
    auto& l = std::get<effect::Log>(effect);
    note("    " + l.event + " " + l.fields);
  } else if (!std::holds_alternative<effect::Publish>(effect) && !std::holds_alternative<effect::Count>(effect) &&
             !std::holds_alternative<effect::Seconds>(effect) && !std::holds_alternative<effect::AnswerBoot>(effect) &&
             !std::holds_alternative<effect::AnswerRelease>(effect) && !std::holds_alternative<effect::AnswerLever>(effect))
    orders_.push_back(std::move(effect));
}

// --- steps -----------------------------------------------------------------------------------------------------------

void Simulation::apply(const Step& step) {
  auto s = step.salt;
  note(std::string(to_string(step.kind)) + " " + std::to_string(s % 1000));
  switch (step.kind) {
  case Step::Kind::carry:
    if (!orders_.empty()) {
      auto dice = mix(s, 1) % 20;
      carry(s % orders_.size(), github_down_ || dice == 0 ? Fault::before : dice == 1 ? Fault::after : Fault::none);
    }
    break;
  case Step::Kind::answer:
    if (!answers_.empty()) {
      auto index = static_cast<std::ptrdiff_t>(s % answers_.size());
      auto answer = std::move(answers_[static_cast<std::size_t>(index)]);
      answers_.erase(answers_.begin() + index);
      note("  " + answer.what);
      if (answer.process == process_)
        answer.deliver();
    }
    break;
  case Step::Kind::commit:
    if (!commits_.empty())
      commit_one(true);
    break;
  case Step::Kind::time: {
    auto by = Duration(1 + static_cast<std::int64_t>(s % (mix(s, 1) % 4 == 0 ? 90'000 : 6'000)));
    time_ += by;
    steady_ += by;
    break;
  }
  case Step::Kind::guest:
    guest_step(s);
    break;
  case Step::Kind::take:
    client_take(s);
    break;
  case Step::Kind::repeat:
    client_repeat(s);
    break;
  case Step::Kind::release:
    if (!clients_.empty()) {
      auto& client = clients_[s % clients_.size()];
      client.giving_back = true;
      core_->release(now(), next_request_++, client.ask.unique_id);
    }
    break;
  case Step::Kind::jit:
    if (auto guests = own_guests(); !guests.empty())
      ask_jit(guests[s % guests.size()], s);
    break;
  case Step::Kind::crash:
    // What was ordered may still happen, what was written may be on disk without anyone having heard of it.
    for (auto n = mix(s, 1) % 4; n > 0 && !orders_.empty(); --n)
      carry(mix(s, n) % orders_.size(), Fault::none);
    for (auto n = mix(s, 2) % 3; n > 0 && !commits_.empty(); --n)
      commit_one(false);
    start_process();
    break;
  case Step::Kind::fault:
    switch (s % 4) {
    case 0:
      github_down_ = !github_down_;
      break;
    case 1: // lies about everyone's busy
      for (auto& [id, r] : world_.records)
        r.shown.busy = false;
      break;
    case 2: // calls one offline that is not
      if (!world_.records.empty())
        std::next(world_.records.begin(), static_cast<std::ptrdiff_t>(mix(s, 1) % world_.records.size()))
            ->second.shown.status = "offline";
      break;
    case 3:
      core_->on_host(now(), false, "made up");
      core_->on_host(now(), true, "");
      break;
    }
    break;
  case Step::Kind::policy:
    policy_->profiles["linux"].target_count = static_cast<int>(s % (room + 1));
    core_->on_policy(now(), std::make_shared<Policy>(*policy_));
    break;
  case Step::Kind::event:
    if (auto guests = own_guests(); !guests.empty()) {
      auto& name = guests[s % guests.size()];
      auto& g = world_.guests.at(name);
      core_->on_guest(now(), {name, g.uuid, g.state, g.reason, steady_});
    }
    break;
  case Step::Kind::jump: {
    auto by = Duration(static_cast<std::int64_t>(s % 7'200'000) - 3'600'000);
    time_ += by;
    core_->on_clock_jump(now(), by);
    break;
  }
  }
}

template <class Reply, class Act>
Reply Simulation::at_github(Fault fault, Act act) {
  using Kind = GithubError::Kind;
  if (fault == Fault::before) {
    constexpr Kind kinds[] = {Kind::server, Kind::unreachable, Kind::limited, Kind::unauthorized, Kind::malformed};
    return Reply::failed(World::error(kinds[mix(salt_, 5) % 5]));
  }
  auto reply = act();
  if (fault == Fault::after)
    return Reply::failed(World::error(mix(salt_, 6) % 2 ? Kind::unreachable : Kind::server));
  return reply;
}

template <class Act>
HostReply Simulation::at_host(Fault fault, Act act) {
  if (fault == Fault::before)
    return {"made up", steady_};
  auto reply = act();
  steady_ += 1us;
  reply.finished_at = steady_;
  if (fault == Fault::after)
    reply.error = "its answer was lost";
  return reply;
}

template <class Report>
void Simulation::answer_with(const char* what, Report report) {
  answers_.push_back({process_, std::move(report), what});
}

void Simulation::carry(std::size_t index, Fault fault) {
  auto order = std::move(orders_[index]);
  orders_.erase(orders_.begin() + static_cast<std::ptrdiff_t>(index));
  std::visit(
      [&](auto& e) {
        using E = std::decay_t<decltype(e)>;
        if constexpr (std::is_same_v<E, effect::ListRegistrations>) {
          auto reply = at_github<GithubReply<RegistrationListing>>(fault, [&] { return world_.list(steady_); });
          answer_with("listed", [=, this] { core_->on_registration_listing(now(), reply); });
        } else if constexpr (std::is_same_v<E, effect::Look>) {
          auto reply = at_github<GithubReply<Registration>>(fault, [&] { return world_.look(e.registration); });
          answer_with("looked", [=, this] { core_->on_looked(now(), e.runner, reply); });
        } else if constexpr (std::is_same_v<E, effect::LookSlot>) {
          auto reply = at_github<GithubReply<Registration>>(fault, [&] { return world_.look(e.registration); });
          answer_with("slot looked", [=, this] { core_->on_slot_looked(now(), e.unique_id, e.runner, reply); });
        } else if constexpr (std::is_same_v<E, effect::FindRegistration>) {
          auto reply = at_github<GithubReply<std::vector<Registration>>>(fault, [&] { return world_.find(e.name); });
          answer_with("found", [=, this] { core_->on_found(now(), e.runner, reply); });
        } else if constexpr (std::is_same_v<E, effect::Register>) {
          auto reply = at_github<GithubReply<JitRegistration>>(fault, [&] { return world_.make(e.request); });
          answer_with("registered", [=, this] { core_->on_registered(now(), e.runner, reply); });
        } else if constexpr (std::is_same_v<E, effect::Unregister>) {
          auto reply = at_github<GithubReply<Done>>(fault, [&] { return world_.unregister(e.registration); });
          answer_with("unregistered", [=, this] { core_->on_unregistered(now(), e.runner, reply); });
        } else if constexpr (std::is_same_v<E, effect::Label>) {
          auto reply = at_github<GithubReply<std::vector<std::string>>>(
              fault, [&] { return world_.label(e.registration, e.labels); });
          answer_with("labelled", [=, this] { core_->on_labelled(now(), e.unique_id, e.runner, reply); });
        } else if constexpr (std::is_same_v<E, effect::Unlabel>) {
          auto reply = at_github<GithubReply<Done>>(fault, [&] { return world_.unlabel(e.registration, e.labels); });
          answer_with("unlabelled", [=, this] { core_->on_unlabelled(now(), e.unique_id, e.runner, reply); });
        } else if constexpr (std::is_same_v<E, effect::ListGuests>) {
          std::optional<GuestListing> listing;
          if (fault == Fault::none)
            listing = world_.list_guests(steady_);
          answer_with("guests", [=, this] { core_->on_guest_listing(now(), listing, listing ? "" : "made up"); });
        } else if constexpr (std::is_same_v<E, effect::ListAddresses>) {
          std::optional<AddressListing> listing;
          if (fault == Fault::none)
            listing = world_.addresses(steady_);
          answer_with("addresses", [=, this] { core_->on_addresses(now(), listing, listing ? "" : "made up"); });
        } else if constexpr (std::is_same_v<E, effect::Prepare>) {
          auto reply = at_host(fault, [&] { return world_.prepare(e.spec, steady_); });
          answer_with("prepared", [=, this] { core_->on_prepared(now(), e.runner, reply); });
        } else if constexpr (std::is_same_v<E, effect::Start>) {
          auto reply = at_host(fault, [&] { return world_.start(e.spec, steady_); });
          answer_with("started", [=, this] { core_->on_started(now(), e.runner, reply); });
        } else if constexpr (std::is_same_v<E, effect::Remove>) {
          auto reply = at_host(fault, [&] {
            auto g = world_.guests.find(e.spec.name);
            // G1: GitHub has let go of a guest that is stopped.
            if (g != world_.guests.end() && g->second.state == GuestState::on && g->second.uuid == e.spec.uuid)
              for (auto& [id, r] : world_.records)
                if (r.shown.name == e.spec.name + "@ci0" && !g->second.config.empty())
                  fail("G1: " + e.spec.name + " is stopped while GitHub still has it");
            return world_.remove(e.spec, steady_);
          });
          answer_with("removed", [=, this] { core_->on_removed(now(), e.runner, reply); });
        }
      },
      order);
}

void Simulation::commit_one(bool acknowledge) {
  for (auto& op : commits_.front())
    std::visit(
        [&](auto& x) {
          using X = std::decay_t<decltype(x)>;
          if constexpr (std::is_same_v<X, store::PutRunner>) {
            std::erase_if(store_.runners, [&](auto& r) { return r.id == x.runner.id; });
            store_.runners.push_back(x.runner);
          } else if constexpr (std::is_same_v<X, store::DropRunner>) {
            std::erase_if(store_.runners, [&](auto& r) { return r.id == x.id; });
          } else if constexpr (std::is_same_v<X, store::PutReservation>) {
            std::erase_if(store_.reservations,
                          [&](auto& r) { return r.request.unique_id == x.reservation.request.unique_id; });
            store_.reservations.push_back(x.reservation);
          } else if constexpr (std::is_same_v<X, store::DropReservation>) {
            std::erase_if(store_.reservations, [&](auto& r) { return r.request.unique_id == x.unique_id; });
          } else if constexpr (std::is_same_v<X, store::SetNextId>) {
            store_.next_id = std::max(store_.next_id, x.next);
          } else if constexpr (std::is_same_v<X, store::ShiftTimes>) {
            auto move = [&](auto& t) {
              if (t)
                *t += x.by;
            };
            for (auto& r : store_.runners) {
              r.created_at += x.by;
              move(r.jit_served_at);
              move(r.online_at);
              move(r.ended_at);
            }
            for (auto& r : store_.reservations) {
              r.created_at += x.by;
              move(r.granted_at);
              move(r.deadline);
              move(r.ended_at);
            }
          }
        },
        op);
  commits_.pop_front();
  if (acknowledge)
    core_->on_committed(now());
}

std::vector<std::string> Simulation::own_guests() const {
  std::vector<std::string> names;
  for (auto& [name, g] : world_.guests)
    if (g.own)
      names.push_back(name);
  return names;
}

void Simulation::ask_jit(const std::string& guest, std::uint64_t) {
  auto& g = world_.guests.at(guest);
  if (g.state != GuestState::on || g.address.empty())
    return;
  auto request = next_request_++;
  jit_asking_[request] = guest;
  core_->jitconfig(now(), request, g.address);
}

void Simulation::guest_step(std::uint64_t s) {
  auto guests = own_guests();
  if (guests.empty())
    return;
  auto& name = guests[s % guests.size()];
  auto& g = world_.guests.at(name);
  if (g.state != GuestState::on)
    return;
  auto* record = world_.record_of(g);
  if (mix(s, 9) % 40 == 0) { // dies, whatever it does
    note("  " + name + " crashes");
    if (record && record->working)
      dead_jobs_.insert(record->shown.id);
    bool working = record && record->working;
    world_.power_off(name, "crashed");
    if (working)
      record->working = true; // GitHub does not know
  } else if (g.config.empty())
    ask_jit(name, s);
  else if (!record) {
    note("  " + name + " has no registration and powers off");
    world_.power_off(name);
  } else if (!record->online) {
    world_.go_online(name);
  } else if (!record->working) {
    note("  " + name + " begins a job");
    world_.begin_job(name, mix(s, 1) % 3 != 0);
  } else if (mix(s, 2) % 3 == 0)
    record->shown.busy = true;
  else {
    note("  " + name + " ends its job");
    world_.end_job(name);
    if (mix(s, 3) % 4 != 0)
      world_.power_off(name);
  }
}

// --- clients ---------------------------------------------------------------------------------------------------------

void Simulation::client_take(std::uint64_t s) {
  char uid[40];
  std::snprintf(uid, sizeof uid, "%08zx-0000-4000-8000-000000000000", clients_.size() + 1);
  int count = 1 + static_cast<int>(s % 3);
  int minimum = mix(s, 1) % 3 == 0 ? 1 : count;
  clients_.push_back({{"linux", uid, uid, "servo/servo", 1, count, minimum}, {}, false});
  send_take(clients_.back().ask);
}

void Simulation::client_repeat(std::uint64_t s) {
  if (!clients_.empty())
    send_take(clients_[s % clients_.size()].ask);
}

void Simulation::send_take(const TakeRequest& ask) {
  auto request = next_request_++;
  auto client = std::find_if(clients_.begin(), clients_.end(),
                             [&](auto& c) { return c.ask.unique_id == ask.unique_id; });
  asking_[request] = static_cast<std::size_t>(client - clients_.begin());
  core_->take(now(), request, ask);
}

void Simulation::answered(RequestId request, const TakeAnswer& answer) {
  auto it = asking_.find(request);
  if (it == asking_.end())
    return;
  auto& client = clients_[it->second];
  asking_.erase(it);
  if (answer.verdict.refusal != Refusal::none)
    return;
  std::set<RunnerId> got;
  for (auto& view : answer.runners)
    got.insert(view->id);
  note("  " + client.ask.unique_id.substr(0, 8) + " is answered " + std::to_string(got.size()) + " runners");
  if (!client.promised.empty()) {
    // G3: the same again, less those that have ended.
    if (!std::includes(client.promised.begin(), client.promised.end(), got.begin(), got.end()))
      fail("G3: a repeat of " + client.ask.unique_id + " got other runners");
    return;
  }
  if (got.empty())
    return; // null
  // A repeat after a crash that swallowed the first answer may find that some have ended already; a first answer not.
  if (static_cast<int>(got.size()) > client.ask.count)
    fail("G2: " + client.ask.unique_id + " got more than it asked for");
  for (auto& other : clients_)
    for (auto id : got)
      if (&other != &client && !other.giving_back && other.promised.count(id))
        fail("G2: runner " + std::to_string(id) + " is promised twice");
  client.promised = std::move(got);
}

// --- promises --------------------------------------------------------------------------------------------------------

void Simulation::check() {
  if (!world_.killed_at_work.empty())
    fail("G1: " + world_.killed_at_work.front() + " was stopped at work");
  std::int64_t on = 0;
  for (auto& [name, g] : world_.guests)
    on += g.own && g.state == GuestState::on;
  if (on > room)
    fail("G4: " + std::to_string(on) + " guests run, there is room for " + std::to_string(room));
  // Before libvirt has told, every runner of an earlier process is taken to hold its slot.
  bool all_known = std::all_of(core_->runners().begin(), core_->runners().end(),
                               [](auto& r) { return r.second.guest_known || r.second.rec.phase == Phase::creating; });
  if (all_known && core_->held().hugepages_1g > policy_->budget.hugepages_1g)
    fail("G4: more is held than there is");
  if (!world_.guests.count(foreign_guest) || world_.find(foreign_registration).value->empty())
    fail("G5: something foreign was touched");
  // G2: a runner stands in one open slot at most.
  std::set<RunnerId> taken;
  for (auto& [uid, r] : core_->reservations())
    for (auto& slot : r.rec.slots)
      if (slot.state == SlotState::chosen || slot.state == SlotState::labelled || slot.state == SlotState::confirmed)
        if (!taken.insert(slot.runner).second)
          fail("G2: runner " + std::to_string(slot.runner) + " stands in two reservations");
  // Of each promise that lives, every runner is in its reservation still, or has ended.
  for (auto& client : clients_) {
    auto it = core_->reservations().find(client.ask.unique_id);
    if (client.promised.empty() || client.giving_back || it == core_->reservations().end())
      continue;
    for (auto id : client.promised)
      if (core_->runners().count(id) &&
          std::none_of(it->second.rec.slots.begin(), it->second.rec.slots.end(), [&](auto& s) { return s.runner == id; }))
        fail("G3: " + client.ask.unique_id + " lost runner " + std::to_string(id));
  }
}

/// All faults end, every guest does its duty, and a quarter of an hour passes.
void Simulation::calm_down() {
  note("calm");
  github_down_ = false;
  policy_->profiles["linux"].target_count = target;
  core_->on_policy(now(), std::make_shared<Policy>(*policy_));
  for (int turn = 0; turn < 400 && !broken_; ++turn) {
    if (turn == 100) // the leases of dead jobs lapse
      for (auto id : dead_jobs_)
        if (auto it = world_.records.find(id); it != world_.records.end())
          it->second.working = it->second.shown.busy = false;
    for (auto& name : own_guests()) {
      auto& g = world_.guests.at(name);
      if (g.state != GuestState::on)
        continue;
      auto* record = world_.record_of(g);
      if (g.config.empty())
        ask_jit(name, 0);
      else if (!record)
        world_.power_off(name);
      else if (record->working) {
        world_.end_job(name);
        world_.power_off(name);
      } else {
        record->online = true;
        record->shown.status = "online";
        record->shown.busy = false;
      }
    }
    for (int i = 0; i < 1000; ++i) {
      crank();
      if (commits_.empty() && orders_.empty() && answers_.empty())
        break;
      while (!commits_.empty())
        commit_one(true);
      while (!orders_.empty()) {
        steady_ += 1us;
        carry(0, Fault::none);
      }
      while (!answers_.empty()) {
        auto answer = std::move(answers_.front());
        answers_.pop_front();
        if (answer.process == process_)
          answer.deliver();
      }
      check();
    }
    time_ += 5s;
    steady_ += 5s;
  }
}

void Simulation::check_end() {
  std::set<std::string> guests, registrations, disks;
  int idle = 0;
  for (auto& [id, r] : core_->runners()) {
    guests.insert(r.rec.guest_name);
    registrations.insert(r.rec.registration_name);
    disks.insert("/var/lib/libvirt/images/runner/" + std::to_string(id) + "-");
    idle += core_->status(r) == Status::Idle;
    if (core_->status(r) != Status::Idle)
      note("  end: runner " + std::to_string(id) + " " + to_string(core_->status(r)) + " " + to_string(r.rec.phase) + " " +
           r.rec.reason + " " + r.last_error);
  }
  for (auto& [uid, r] : core_->reservations())
    note("  end: reservation " + uid + " " + to_string(r.rec.phase));
  if (idle != target)
    fail("G5: " + std::to_string(idle) + " runners are idle in the end");
  auto own = own_guests();
  if (std::set<std::string>(own.begin(), own.end()) != guests)
    fail("G5: guests and runners differ in the end");
  std::set<std::string> at_github;
  for (auto& [id, r] : world_.records)
    if (r.shown.name != foreign_registration) {
      at_github.insert(r.shown.name);
      if (has_reservation_label(r.shown.labels))
        fail("G5: a reservation label is left over on " + r.shown.name);
    }
  if (at_github != registrations)
    fail("G5: registrations and runners differ in the end");
  if (world_.disks != disks)
    fail("G5: disks and runners differ in the end");
  if (!core_->reservations().empty())
    fail("G5: a reservation never ends");
}

// --- shrinking -------------------------------------------------------------------------------------------------------

Schedule shrink(Schedule schedule) {
  auto breaks = [](const Schedule& s) { return Simulation().run(s).has_value(); };
  if (auto broken = Simulation().run(schedule); broken && broken->step + 1 < schedule.size())
    schedule.resize(broken->step + 1);
  for (std::size_t chunk = schedule.size() / 2; chunk > 0; chunk /= 2)
    for (std::size_t at = 0; at + chunk <= schedule.size();) {
      auto shorter = schedule;
      shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(at),
                    shorter.begin() + static_cast<std::ptrdiff_t>(at + chunk));
      if (breaks(shorter))
        schedule = std::move(shorter);
      else
        at += chunk;
    }
  return schedule;
}

} // namespace ci::test
