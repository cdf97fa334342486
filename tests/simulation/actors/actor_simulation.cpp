#include "tests/simulation/actors/actor_simulation.hpp"

#include "tests/simulation/actors/fakes.hpp"
#include "tests/simulation/scene.hpp"

#include "actors/hypervisor.hpp"
#include "actors/images.hpp"
#include "actors/journal.hpp"
#include "actors/monitor.hpp"
#include "actors/policy.hpp"
#include "actors/registrations.hpp"

#include <algorithm>

namespace ci::test {

using namespace std::chrono_literals;

namespace {

/// Messages that one moment may cost: more is a circle.
constexpr int most_messages = 20'000;

template <class Handles>
Outside::Answer take_out(Handles& handles, std::uint64_t choice) {
  auto at = handles.begin() + static_cast<std::ptrdiff_t>(choice % handles.size());
  auto result = std::move(*at);
  handles.erase(at);
  return result;
}

} // namespace

ActorSimulation::ActorSimulation(std::vector<std::string>* trace) : Simulation(trace), log_(trace) {
  stage_.scheduler.advance_time(steady() - stage_.scheduler.clock().now());
}

ActorSimulation::~ActorSimulation() { end_process(); }

// --- processes ---

template <class Class, class... Args>
auto ActorSimulation::spawn(Args&&... args) {
  auto handle = stage_.system.spawn<Class>(std::forward<Args>(args)...);
  actors_.push_back(caf::actor_cast<caf::actor>(handle));
  return handle;
}

void ActorSimulation::start_process() {
  end_process();
  ++process_;
  board_ = std::make_shared<Board>();
  limits_ = {};
  last_rest_ = steady();
  auto meter = [](const char* name) { return std::make_shared<Meter>(name); };
  gateway_ = spawn<FakeGateway>();
  auto metrics = spawn<FakeMetrics>();
  auto journal = spawn<FakeJournal>(*this, begin_journal(metrics));
  auto link = spawn<FakeGithubLink>(*this);
  auto registrations = spawn<Registrations>(meter("registrations"), link);
  HypervisorSetup setup;
  setup.control = spawn<FakeLibvirtHost>(*this, 1);
  setup.workers = {spawn<FakeLibvirtHost>(*this, 2), spawn<FakeLibvirtHost>(*this, 3)};
  setup.guest_meter = meter("guest");
  hypervisor_ = spawn<Hypervisor>(meter("hypervisor"), setup);
  auto images = spawn<ImagesActor>(
      meter("images"), std::make_shared<Workers>(std::vector<host_actor>{spawn<FakeLibvirtHost>(*this, 4)}));
  policy_actor_ = spawn<PolicyActor>(meter("policy"));
  monitor_ =
      spawn<Monitor>(meter("monitor"), MonitorParts{board_, registrations, hypervisor_, images, journal, metrics,
                                                    [this] { return wall(); }, [this] { return random_(); }});
  caf::anon_send(policy_actor_, watch_atom::value, monitor_);
}

/// The real one, where this schedule has a real store; it loads what that holds.
journal_actor ActorSimulation::begin_journal(const metrics_actor& metrics) {
  if (!disk_ && mix(first_, 92) % 8 == 0)
    disk_ = std::make_unique<DiskStore>();
  if (!disk_)
    return {};
  disk_->open();
  store_ = disk_->store()->load();
  return spawn<Journal>(std::make_shared<Meter>("journal"), disk_->store(), metrics);
}

/// As kill -9 would: nothing that they say while they end is heard.
void ActorSimulation::end_process() {
  ++process_;
  monitor_ = nullptr;
  hypervisor_ = nullptr;
  policy_actor_ = nullptr;
  gateway_ = nullptr;
  last_pause_ = {};
  takes_.clear();
  outside_.clear();
  for (auto& actor : std::exchange(actors_, {}))
    caf::anon_send_exit(actor, caf::exit_reason::kill);
  for (int i = 0; i < most_messages && stage_.scheduler.try_run_once(); ++i)
    outside_.clear();
}

std::optional<domain::StoreImage> ActorSimulation::load() const {
  if (!calm_ && mix(salt_, 70) % 4 == 0)
    return std::nullopt;
  return found();
}

void ActorSimulation::react(bool calm) {
  auto& scheduler = stage_.scheduler;
  int most = calm || mix(salt_, 40) % 10 < 7 ? most_messages : static_cast<int>(mix(salt_, 41) % 6);
  int taken = 0;
  for (; taken < most && scheduler.has_job(); ++taken) {
    if (!calm)
      shuffle_jobs(mix(salt_, 100 + static_cast<std::uint64_t>(taken)));
    scheduler.run_once();
  }
  if (taken == most_messages)
    fail("G10: the actors never come to rest");
  drained_ = !scheduler.has_job();
  if (!drained_)
    return;
  limits_.all_heard(steady());
  last_rest_ = steady();
}

void ActorSimulation::shuffle_jobs(std::uint64_t choice) {
  auto& jobs = stage_.scheduler.jobs;
  if (choice % 4 == 0)
    std::rotate(jobs.begin(), jobs.begin() + static_cast<std::ptrdiff_t>(choice / 4 % jobs.size()),
                jobs.end());
}

// --- calls and answers ---

bool ActorSimulation::busy() const {
  return !outside_.calls.empty() || !outside_.answers.empty() || !outside_.commits.empty() ||
         stage_.scheduler.has_job();
}

bool ActorSimulation::carry_one(std::uint64_t choice, Fault fault) {
  auto& calls = outside_.calls;
  if (calls.empty())
    return false;
  auto at = calls.begin() + static_cast<std::ptrdiff_t>(choice % calls.size());
  if (at->lane != 0) // the first of its lane
    at =
        std::find_if(calls.begin(), calls.end(), [lane = at->lane](auto& call) { return call.lane == lane; });
  auto call = std::move(*at);
  calls.erase(at);
  constexpr const char* marks[] = {"", " (fails)", " (acts, and fails)", " (twice)"};
  const bool lost = !calm_ && mix(choice, 1) % 30 == 0;
  note("  " + call.what + marks[static_cast<int>(fault)] + (lost ? " (its answer is lost)" : ""));
  pass(1us);
  call.carry(fault);
  if (lost) { // nothing ever answers in its place
    outside_.answers.pop_back();
    waits_until_ = std::max(waits_until_, steady() + call.patience);
  }
  return true;
}

bool ActorSimulation::deliver_one(std::uint64_t choice) {
  if (outside_.answers.empty())
    return false;
  arrive(take_out(outside_.answers, choice));
  return true;
}

void ActorSimulation::arrive(const Outside::Answer& answer) {
  note("  answered: " + answer.what);
  caf::anon_send(answer.to, deliver_atom::value, answer.delivery);
}

bool ActorSimulation::commit_one(bool acknowledge) {
  if (outside_.commits.empty())
    return false;
  commit_to_store(outside_.batches.front());
  if (disk_ && !acknowledge) // else the journal does it
    disk_->store()->apply(outside_.batches.front());
  outside_.batches.pop_front();
  auto answer = take_out(outside_.commits, 0);
  if (acknowledge)
    arrive(answer);
  return true;
}

/// Whoever asked writes it again: it may be in the store twice.
bool ActorSimulation::fail_commit(bool written) {
  if (outside_.commits.empty())
    return false;
  if (written) {
    commit_to_store(outside_.batches.front());
    if (disk_)
      disk_->store()->apply(outside_.batches.front());
  }
  outside_.batches.pop_front();
  auto answer = take_out(outside_.commits, 0);
  note(written ? "  a commit is written and fails" : "  a commit fails");
  caf::anon_send(answer.to, deliver_atom::value, answer.failure);
  return true;
}

bool ActorSimulation::give_up(RequestId request) {
  auto take = takes_.find(request);
  return take != takes_.end() && take->second->abandon();
}

void ActorSimulation::github_called(domain::GithubShare share) {
  ++calls_;
  if (auto complaint = limits_.complaint(share, steady()); !complaint.empty())
    fail("G11: GitHub " + complaint);
}

// --- what the product hears ---

template <class Answer, class Atom, class Ask>
void ActorSimulation::ask_monitor(RequestId request, const TicketPtr& ticket, Atom what, Ask ask) {
  auto send_it = [=, this, process = process_] {
    if (process != process_)
      return;
    auto gateway = caf::actor_cast<caf::event_based_actor*>(gateway_);
    gateway->request(monitor_, caf::infinite, what, ticket, ask)
        .then(
            [=, this](const Answer& answer) {
              if (process == process_)
                answered(request, answer);
            },
            [=, this](const caf::error& error) {
              if (process == process_)
                fail("G6: the monitor does not answer: " + stage_.system.render(error));
            });
  };
  caf::anon_send(gateway_, deliver_atom::value, Delivery{send_it});
}

void ActorSimulation::hear_take(RequestId request, const TakeRequest& ask, bool given_up) {
  auto ticket = takes_[request] = std::make_shared<Ticket>(std::to_string(request));
  ask_monitor<TakeAnswer>(request, ticket, take_atom::value, ask);
  if (given_up)
    ticket->abandon();
}
void ActorSimulation::hear_release(RequestId request, const std::string& unique_id) {
  ask_monitor<ReleaseAnswer>(request, std::make_shared<Ticket>(""), release_atom::value, unique_id);
}
void ActorSimulation::hear_jit(RequestId request, const std::string& address) {
  ask_monitor<JitAnswer>(request, std::make_shared<Ticket>(""), jit_atom::value, address);
}
void ActorSimulation::hear_boot(RequestId request, const std::string& address) {
  ask_monitor<BootAnswer>(request, std::make_shared<Ticket>(""), boot_atom::value, address);
}
void ActorSimulation::hear_lever(RequestId request, const Lever& lever) {
  ask_monitor<LeverAnswer>(request, std::make_shared<Ticket>(""), lever_atom::value, lever);
}
void ActorSimulation::hear_policy(PolicyPtr policy) {
  caf::anon_send(policy_actor_, policy_atom::value, std::move(policy));
}
void ActorSimulation::hear_connection(bool up, const std::string& trouble) {
  caf::anon_send(hypervisor_, host_atom::value, HostConnection{up, trouble});
}
void ActorSimulation::hear_store(bool well, const std::string& trouble) {
  caf::anon_send(monitor_, store_atom::value, StoreHealth{well, trouble});
}
void ActorSimulation::hear_guest(const GuestObservation& seen) {
  caf::anon_send(hypervisor_, guest_atom::value, seen);
}
void ActorSimulation::hear_notice(const GithubNotice& told) {
  caf::anon_send(monitor_, notice_atom::value, std::make_shared<const GithubNotice>(told));
}

// --- promises ---

void ActorSimulation::check_more() {
  // Readers take the snapshot from the board; it is as fresh as the monitor's last crank.
  auto [cranked, at] = board_->last_crank();
  if (drained_ && cranked && steady() - at > policy_->timings.poll_interval + 1s)
    fail("G10: what readers see is old");
  if (log_.told_config())
    fail("G9: a JIT config is logged");
  check_alive();
  if (drained_)
    check_bounds();
}

/// G6: whatever was answered, all actors live.
void ActorSimulation::check_alive() {
  using caf::abstract_actor;
  for (auto& actor : actors_)
    if (caf::actor_cast<abstract_actor*>(actor)->getf(abstract_actor::is_cleaned_up_flag))
      fail("G6: an actor has ended");
  if (log_.told_death())
    fail("G6: a guest's actor has ended");
}

/// G12, once all messages are taken in.
void ActorSimulation::check_bounds() {
  // One of each guest that an order may be for, as the store has it.
  const auto guests = static_cast<std::size_t>(std::count_if(
      store_.runners.begin(), store_.runners.end(), [](auto& r) { return !r.guest_removed; }));
  constexpr std::size_t uncommitted = 2;
  if (auto running = stage_.system.registry().running(); running > actors_.size() + guests + uncommitted)
    fail("G12: " + std::to_string(running) + " actors live for " + std::to_string(guests) + " guests");
  // Those that asked may have given up, and have asked again.
  if (auto calls = outside_.calls.size() + outside_.answers.size(); calls > 100 + 3 * living())
    fail("G12: " + std::to_string(calls) + " calls are under way for " + std::to_string(living()) + " runners");
  // Each request waits for an hour at most; its timer waits on when the answer is there.
  while (!outside_.made.empty() && outside_.made.front() < steady() - 1h)
    outside_.made.pop_front();
  if (auto timers = stage_.scheduler.clock().schedule().size(); timers > 30 + 2 * outside_.made.size())
    fail("G12: " + std::to_string(timers) + " timers wait, and " + std::to_string(outside_.made.size()) +
         " calls were made in an hour");
}

void ActorSimulation::check_end_more() {
  if (auto difference = disk_ ? disk_->difference(store_) : ""; !difference.empty())
    fail("G3: the store on disk has other " + difference + " than were committed");
  constexpr std::size_t per_day = 3;
  if (calls_ - calls_before_rest_ > 9 * per_day + 10)
    fail("G11: " + std::to_string(calls_ - calls_before_rest_) + " calls at GitHub while nothing happens");
  if (auto running = stage_.system.registry().running(); running > actors_.size() + scene::all_targets)
    fail("G12: " + std::to_string(running) + " actors live on");
  if (auto timers = stage_.scheduler.clock().schedule().size(); timers > 50)
    fail("G12: " + std::to_string(timers) + " timers wait");
}

} // namespace ci::test
