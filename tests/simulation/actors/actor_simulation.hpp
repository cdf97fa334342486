#pragma once
/// All actors that decide, on CAF's test scheduler, in the simulated world: messages are taken one at a time,
/// in any order between actors, and a crash may come between any two of them.

#include "tests/simulation/actors/disk_store.hpp"
#include "tests/simulation/actors/github_limits.hpp"
#include "tests/simulation/actors/outside.hpp"
#include "tests/simulation/actors/trace_log.hpp"
#include "tests/support/fake_host.hpp"

#include "actors/board.hpp"

#include <random>

namespace ci::test {

using namespace std::chrono_literals;

class ActorSimulation : public Simulation {
 public:
  explicit ActorSimulation(std::vector<std::string>* trace);
  ~ActorSimulation() override;

  // For the fakes.
  Outside& outside() { return outside_; }
  World& world() { return world_; }
  bool libvirt_down() const { return libvirt_down_; }
  using Simulation::at_host;
  using Simulation::forget_files;
  using Simulation::link_snapshot;
  using Simulation::list_guests;
  using Simulation::list_jobs;
  using Simulation::list_registrations;
  using Simulation::hear_look;
  using Simulation::look_at;
  using Simulation::observe;
  using Simulation::steady;
  using Simulation::unregister;
  /// What a process finds at its start; none: it can't be read.
  std::optional<domain::StoreImage> load() const;
  /// A call came to GitHub's client.
  void github_called(domain::GithubShare);
  /// GitHub takes a call in: budget, limits, faults.
  template <class Reply, class Act>
  Reply ask_github(Fault, Act act);
  /// When the last message was taken in: whatever is under way was sent after that.
  Steady last_rest() const { return last_rest_; }
  /// Its answer leaves the client.
  void github_answers(domain::GithubShare share, Steady asked, const domain::GithubError& error,
                      const std::optional<domain::RateBudget>& budget) {
    limits_.telling(share, asked, steady(), error, budget);
    if (budget && budget->remaining < GithubLimits::hourly / 20) // the rest is kept for what is urgent
      asked_to_wait(budget->resets_in, budget->remaining == 0);
    if (error.kind != domain::GithubError::Kind::limited)
      return;
    // Pauses double where GitHub goes on asking for them.
    last_pause_ = std::max(error.retry_after, std::clamp<Duration>(2 * last_pause_, 1min, 1h));
    asked_to_wait(last_pause_);
  }

 private:
  void start_process() override;
  void react(bool calm) override;
  bool carry_one(std::uint64_t choice, Fault) override;
  bool deliver_one(std::uint64_t choice) override;
  bool commit_one(bool acknowledge) override;
  bool fail_commit(bool written) override;
  bool give_up(RequestId) override;
  bool busy() const override;
  void hear_take(RequestId, const TakeRequest&, bool given_up) override;
  void hear_release(RequestId, const std::string& unique_id) override;
  void hear_jit(RequestId, const std::string& address) override;
  void hear_boot(RequestId, const std::string& address) override;
  void hear_lever(RequestId, const Lever&) override;
  void hear_policy(PolicyPtr) override;
  void hear_connection(bool up, const std::string& trouble) override;
  void hear_store(bool well, const std::string& trouble) override;
  void hear_guest(const GuestObservation&) override;
  void hear_notice(const GithubNotice&) override;
  void passed(std::chrono::nanoseconds by) override { stage_.scheduler.advance_time(by); }
  SnapshotPtr snapshot() const override { return board_->snapshot(); }
  void check_more() override;
  void check_alive();
  void check_bounds();
  void rest_begins() override { calls_before_rest_ = calls_; }
  void check_end_more() override;

  journal_actor begin_journal(const metrics_actor&);
  void end_process();
  void shuffle_jobs(std::uint64_t choice);
  void arrive(const Outside::Answer&);
  template <class Answer, class Atom, class Ask>
  void ask_monitor(RequestId, const TicketPtr&, Atom, Ask);
  template <class Class, class... Args>
  auto spawn(Args&&... args);

  TraceLog log_;
  Stage stage_;
  Outside outside_;
  BoardPtr board_ = std::make_shared<Board>();
  std::vector<caf::actor> actors_;
  monitor_actor monitor_;
  hypervisor_actor hypervisor_;
  policy_actor policy_actor_;
  caf::actor gateway_;
  std::map<RequestId, TicketPtr> takes_; ///< those of this process
  std::mt19937_64 random_{7};
  std::uint64_t process_ = 0;
  std::unique_ptr<DiskStore> disk_; ///< of one schedule in eight; the others have their store in memory alone
  bool drained_ = false;
  Steady last_rest_{};

  GithubLimits limits_;
  std::int64_t budget_left_ = GithubLimits::hourly;
  Steady budget_resets_{};
  Duration last_pause_{}; ///< at most, of this process
  std::size_t calls_ = 0, calls_before_rest_ = 0;
};

template <class Reply, class Act>
Reply ActorSimulation::ask_github(Fault fault, Act act) {
  constexpr std::chrono::minutes window{10};
  if (steady() >= budget_resets_ || calm_) {
    budget_left_ = GithubLimits::hourly;
    budget_resets_ = steady() + window;
  }
  if (!calm_ && mix(salt_, 61) % 60 == 0) // someone else spends it
    budget_left_ = std::min(budget_left_, static_cast<std::int64_t>(mix(salt_, 62) % 30));
  auto resets_in = std::chrono::ceil<Duration>(budget_resets_ - steady());
  Reply reply;
  if (budget_left_ > 0) {
    --budget_left_;
    reply = at_github<Reply>(fault, act);
  } else {
    reply = Reply::failed({GithubError::Kind::limited, 403, "made up", resets_in});
  }
  reply.budget = domain::RateBudget{GithubLimits::hourly, budget_left_, resets_in};
  return reply;
}

} // namespace ci::test
