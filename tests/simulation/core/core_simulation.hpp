#pragma once
/// The decisions alone in the simulated world: each order, answer and commit is carried out when the schedule
/// says so.

#include "tests/simulation/simulation.hpp"

#include "actors/domain/core.hpp"

#include <functional>
#include <random>

namespace ci::test {

class CoreSimulation : public Simulation {
 public:
  using Simulation::Simulation;

 private:
  struct Answer {
    std::function<void()> deliver;
    std::string what;
  };

  void start_process() override;
  void react(bool calm) override;
  bool carry_one(std::uint64_t choice, Fault) override;
  bool deliver_one(std::uint64_t choice) override;
  bool commit_one(bool acknowledge) override;
  bool busy() const override { return !commits_.empty() || !orders_.empty() || !answers_.empty(); }
  void hear_take(RequestId, const TakeRequest&, bool given_up) override;
  void hear_release(RequestId, const std::string& unique_id) override;
  void hear_jit(RequestId, const std::string& address) override;
  void hear_boot(RequestId, const std::string& address) override;
  void hear_lever(RequestId, const Lever&) override;
  void hear_policy(PolicyPtr policy) override { core_->on_policy(now(), std::move(policy)); }
  void hear_connection(bool up, const std::string& trouble) override { core_->on_host(now(), up, trouble); }
  void hear_store(bool well, const std::string& trouble) override { core_->on_store(now(), well, trouble); }
  void hear_guest(const GuestObservation& seen) override { core_->on_guest(now(), seen); }
  void hear_notice(const GithubNotice& told) override { core_->on_notice(now(), told); }
  void jumped(Duration by) override { core_->on_clock_jump(now(), by); }
  SnapshotPtr snapshot() const override { return snapshot_; }
  void check_more() override;

  Now now() const { return {wall(), steady()}; }
  void take_in(Effect);
  template <class Report>
  void answer_with(const char* what, Report report) {
    answers_.push_back({std::move(report), what});
  }

  // Each carries out one order.
  void carry(effect::ListRegistrations&, Fault);
  void carry(effect::Look&, Fault);
  void carry(effect::LookSlot&, Fault);
  void carry(effect::FindRegistration&, Fault);
  void carry(effect::Register&, Fault);
  void carry(effect::Unregister&, Fault);
  void carry(effect::Label&, Fault);
  void carry(effect::Unlabel&, Fault);
  void carry(effect::AskRun&, Fault);
  void carry(effect::AskJobs&, Fault);
  void carry(effect::ListGuests&, Fault);
  void carry(effect::ListAddresses&, Fault);
  void carry(effect::ReadGuests&, Fault);
  void carry(effect::ForgetInherited&, Fault);
  void carry(effect::LinkSnapshot&, Fault);
  void carry(effect::Prepare&, Fault);
  void carry(effect::Start&, Fault);
  void carry(effect::Remove&, Fault);
  void carry(effect::PrepareImage&, Fault);
  void carry(effect::StartImage&, Fault);
  void carry(effect::SealImage&, Fault);
  void carry(effect::DiscardImage&, Fault);
  void carry(effect::UpdateRepo&, Fault);
  /// All others are taken in at once.
  template <class Other>
  void carry(Other&, Fault) {}

  void check_drained();
  std::string holders() const;

  std::unique_ptr<Core> core_;
  std::set<RunnerId> drained_; ///< let go for the sake of an image
  std::mt19937_64 random_{7};
  SnapshotPtr snapshot_;
  std::deque<Effect> orders_;
  std::deque<StoreBatch> commits_;
  std::deque<Answer> answers_;
};

} // namespace ci::test
