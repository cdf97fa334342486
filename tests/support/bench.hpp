#pragma once
/// Drives the pure core against a world: carries its effects out at once, in order, and moves time by hand.

#include "actors/domain/core.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/world.hpp"

#include <deque>
#include <functional>
#include <random>

namespace ci::test {

class Bench {
 public:
  World world;
  StoreImage store; ///< what is committed
  std::shared_ptr<Policy> policy = std::make_shared<Policy>();
  std::unique_ptr<Core> core;
  Time time{std::chrono::hours(24 * 365 * 50)};
  Steady steady{std::chrono::hours(10)};
  SnapshotPtr snapshot;
  std::vector<std::string> events; ///< the names of the core's log lines
  std::vector<HistoryEvent> history; ///< what is committed of it, pruning aside
  std::vector<InheritedFiles> forgotten;    ///< what was deleted of an older monitor's files
  std::map<std::string, std::string> links; ///< by profile: what the older monitor's link names
  std::optional<Inheritance> adopting; ///< what the next start takes over
  std::map<RequestId, TakeAnswer> takes;
  std::map<RequestId, ReleaseAnswer> releases;
  std::map<RequestId, JitAnswer> jits;
  std::map<RequestId, BootAnswer> boots;
  std::map<RequestId, LeverAnswer> levers;
  RequestId next_request = 1;
  /// Held-back effects: returns true to keep an effect unanswered.
  std::function<bool(const Effect&)> lose;
  /// Makes a GitHub call fail instead of being carried out.
  std::function<std::optional<GithubError>(const Effect&)> fail;
  std::function<std::optional<std::string>(const Effect&)> fail_host;
  int effects_carried = 0;

  Bench() {
    policy->prefixes.registration_suffix = "ci0";
    policy->budget = {96, std::int64_t{1} << 40};
    world.add_template("ci-template-linux@2026-01-01T00:00:00.000000000Z");
    profile("linux", 3);
  }

  Profile& profile(const std::string& key, int target, std::int64_t pages = 1) {
    auto& p = policy->profiles[key];
    p.key = key;
    p.target_count = target;
    p.github_runner_label = "self-hosted-image:" + key;
    p.requires_ = {pages, 0};
    p.boot_script = std::make_shared<const std::string>("boot " + key);
    return p;
  }

  /// A process begins: everything in memory is new, the store and the world are as they were.
  void start() {
    core = std::make_unique<Core>([this] { return random_(); });
    takes_pending_.clear();
    queue_.clear();
    auto image = store;
    image.inherited = adopting;
    core->on_loaded(now(), std::move(image));
    core->on_policy(now(), policy);
    core->on_host(now(), true, "");
    run();
  }
  void apply_policy() {
    core->on_policy(now(), std::make_shared<Policy>(*policy));
    run();
  }

  Now now() const { return {time, steady}; }

  /// Cranks and carries out until nothing is left to do now.
  void run() {
    for (int i = 0; i < 10'000; ++i) {
      ++steady_ticks_;
      steady += std::chrono::nanoseconds(1);
      core->crank(now());
      for (auto& e : core->drain())
        queue_.push_back(std::move(e));
      if (queue_.empty())
        return;
      while (!queue_.empty()) {
        auto e = std::move(queue_.front());
        queue_.pop_front();
        ++effects_carried;
        if (!(lose && lose(e)))
          std::visit([this](auto& x) { carry(x); }, e);
      }
    }
    throw std::runtime_error("the core never comes to rest");
  }

  /// Commits stay under way from now on.
  void hold_commits() {
    lose = [this](const Effect& e) {
      auto* commit = std::get_if<effect::Commit>(&e);
      if (commit)
        held_commits.push_back(*commit);
      return commit != nullptr;
    };
  }
  std::deque<effect::Commit> held_commits;
  /// The oldest of them becomes durable.
  void complete_commit() {
    auto oldest = std::move(held_commits.front());
    held_commits.pop_front();
    carry(oldest);
    run();
  }

  /// Lets time pass; the core is cranked whenever its own timer falls due.
  void advance(Duration by) {
    auto end = time + by;
    while (time < end) {
      auto next = std::min(end, std::max(core->wake_at(), time + Duration{1}));
      steady += next - time;
      time = next;
      run();
    }
  }

  /// As if the machine had been suspended: no crank in between.
  void sleep_through(Duration by) {
    time += by;
    steady += by;
    run();
  }

  // --- clients
  RequestId take(const TakeRequest& ask) {
    auto id = next_request++;
    core->take(now(), id, ask);
    run();
    return id;
  }
  static TakeRequest ask(const std::string& profile, int count, int which = 1, int minimum = 0) {
    char uid[40];
    std::snprintf(uid, sizeof uid, "%08x-0000-4000-8000-000000000000", which);
    return {profile, uid, uid, "servo/servo", 77, count, minimum ? minimum : count};
  }
  std::string jitconfig(const std::string& address, Refusal* refusal = nullptr) {
    auto id = next_request++;
    core->jitconfig(now(), id, address);
    run();
    if (refusal)
      *refusal = jits.count(id) ? jits[id].verdict.refusal : Refusal::none;
    return jits.count(id) ? jits[id].encoded_jit_config : "";
  }
  RequestId release(const std::string& uid) {
    auto id = next_request++;
    core->release(now(), id, uid);
    run();
    return id;
  }

  /// Pulls an operator's lever.
  LeverAnswer pull(const Lever& asked) {
    auto id = next_request++;
    core->operate(now(), id, asked);
    run();
    if (!levers.count(id))
      throw std::runtime_error("the lever was not answered");
    return levers.at(id);
  }

  // --- guests
  std::vector<std::string> running() const {
    std::vector<std::string> names;
    for (auto& [name, g] : world.guests)
      if (g.own && g.state == GuestState::on)
        names.push_back(name);
    return names;
  }
  /// Each running guest fetches its config and comes online.
  void boot_all() {
    for (auto& name : running()) {
      auto& g = world.guests.at(name);
      if (!g.config.empty())
        continue;
      g.config = jitconfig(g.address);
      if (!g.config.empty())
        world.go_online(name);
    }
    advance(std::chrono::seconds(31));
  }
  void power_off(const std::string& name, const std::string& reason = "shutdown") {
    world.power_off(name, reason);
    auto& g = world.guests.at(name);
    steady += std::chrono::nanoseconds(1);
    core->on_guest(now(), {name, g.uuid, g.state, g.reason, steady});
    run();
  }
  const Runner& runner(RunnerId id) const { return core->runners().at(id); }
  Status status(RunnerId id) const { return core->status(runner(id)); }
  int count(Status s) const {
    int n = 0;
    for (auto& [id, r] : core->runners())
      n += core->status(r) == s;
    return n;
  }

 private:
  std::mt19937_64 random_{42};
  std::deque<Effect> queue_;
  std::set<RequestId> takes_pending_;
  std::uint64_t steady_ticks_ = 0;

  template <class Reply, class F>
  Reply github(const Effect& e, F act) {
    if (fail)
      if (auto error = fail(e))
        return Reply::failed(*error);
    return act();
  }
  template <class F>
  HostReply host(const Effect& e, F act) {
    steady += std::chrono::nanoseconds(1);
    if (fail_host)
      if (auto error = fail_host(e))
        return {*error, steady};
    auto reply = act();
    steady += std::chrono::nanoseconds(1);
    return reply;
  }

  void carry(effect::Commit& e) {
    commit(store, e.batch);
    for (auto& op : e.batch)
      if (auto* line = std::get_if<store::AppendHistory>(&op))
        history.push_back(line->event);
    core->on_committed(now());
  }
  void carry(effect::ListRegistrations& e) {
    core->on_registration_listing(
        now(), github<GithubReply<RegistrationListing>>(e, [&] { return world.list(steady); }));
  }
  void carry(effect::Look& e) {
    core->on_looked(now(), e.runner,
                    github<GithubReply<Registration>>(e, [&] { return world.look(e.registration, steady); }));
  }
  void carry(effect::LookSlot& e) {
    core->on_slot_looked(now(), e.unique_id, e.runner,
                         github<GithubReply<Registration>>(e, [&] { return world.look(e.registration, steady); }));
  }
  void carry(effect::FindRegistration& e) {
    core->on_found(now(), e.runner,
                   github<GithubReply<std::vector<Registration>>>(e, [&] { return world.find(e.name); }));
  }
  void carry(effect::Register& e) {
    core->on_registered(now(), e.runner,
                        github<GithubReply<JitRegistration>>(e, [&] { return world.make(e.request); }));
  }
  void carry(effect::Unregister& e) {
    core->on_unregistered(now(), e.runner,
                          github<GithubReply<Done>>(e, [&] { return world.unregister(e.registration); }));
  }
  void carry(effect::Label& e) {
    core->on_labelled(now(), e.unique_id, e.runner, github<GithubReply<std::vector<std::string>>>(e, [&] {
                        return world.label(e.registration, e.labels);
                      }));
  }
  void carry(effect::Unlabel& e) {
    core->on_unlabelled(now(), e.unique_id, e.runner, github<GithubReply<Done>>(e, [&] {
                          return world.unlabel(e.registration, e.labels);
                        }));
  }
  void carry(effect::AskRun& e) {
    core->on_run(now(), e.unique_id, github<GithubReply<WorkflowRun>>(e, [&] { return world.run(e.run); }));
  }
  void carry(effect::AskJobs& e) {
    core->on_jobs(now(), e.unique_id,
                  github<GithubReply<std::vector<WorkflowJob>>>(e, [&] { return world.jobs_of(e.run); }));
  }
  void carry(effect::ListGuests&) {
    steady += std::chrono::nanoseconds(1);
    core->on_guest_listing(now(), world.list_guests(steady), "");
  }
  void carry(effect::ReadGuests& e) {
    Definitions found;
    for (auto& name : e.names)
      if (auto it = world.guests.find(name); it != world.guests.end())
        found[name] = it->second.xml;
    auto error = fail_host ? fail_host(e) : std::nullopt;
    core->on_guests_read(now(), error ? std::nullopt : std::optional(found), error.value_or(""));
  }
  void carry(effect::ForgetInherited& e) {
    auto error = fail_host ? fail_host(e) : std::nullopt;
    if (!error)
      forgotten.push_back(e.files);
    core->on_forgotten(now(), !error, error.value_or(""));
  }
  void carry(effect::LinkSnapshot& e) {
    auto error = fail_host ? fail_host(e) : std::nullopt;
    if (!error)
      links[e.profile] = e.snapshot;
    core->on_linked(now(), e.profile, e.snapshot, error.value_or(""));
  }
  void carry(effect::ListAddresses&) { core->on_addresses(now(), world.addresses(steady), ""); }
  void carry(effect::Prepare& e) {
    core->on_prepared(now(), e.runner, host(e, [&] { return world.prepare(e.spec, steady); }));
  }
  void carry(effect::Start& e) {
    core->on_started(now(), e.runner, host(e, [&] { return world.start(e.spec, steady); }));
  }
  void carry(effect::Remove& e) {
    core->on_removed(now(), e.runner, host(e, [&] { return world.remove(e.spec, steady); }));
  }
  void carry(effect::PrepareImage& e) {
    core->on_image_prepared(now(), e.spec.template_guest,
                            host(e, [&] { return world.prepare_image(e.spec, steady); }));
  }
  void carry(effect::StartImage& e) {
    core->on_image_started(now(), e.spec.template_guest,
                           host(e, [&] { return world.start_image(e.spec, steady); }));
  }
  void carry(effect::SealImage& e) {
    core->on_image_sealed(now(), e.spec.template_guest,
                          host(e, [&] { return world.seal_image(e.spec, steady); }));
  }
  void carry(effect::DiscardImage& e) {
    core->on_image_discarded(now(), e.spec.template_guest,
                             host(e, [&] { return world.discard_image(e.spec, steady); }));
  }
  void carry(effect::UpdateRepo& e) {
    core->on_repo_updated(now(), host(e, [&] {
                            ++world.repo_updates;
                            return HostReply{"", steady};
                          }));
  }
  void carry(effect::AnswerTake& e) { takes[e.request] = e.answer; }
  void carry(effect::AnswerRelease& e) { releases[e.request] = e.answer; }
  void carry(effect::AnswerJit& e) { jits[e.request] = e.answer; }
  void carry(effect::AnswerBoot& e) { boots[e.request] = e.answer; }
  void carry(effect::AnswerLever& e) { levers[e.request] = e.answer; }
  void carry(effect::Publish& e) { snapshot = e.snapshot; }
  void carry(effect::Log& e) { events.push_back(e.event + " " + e.fields); }
  void carry(effect::Count&) {}
  void carry(effect::Seconds&) {}
};

} // namespace ci::test
