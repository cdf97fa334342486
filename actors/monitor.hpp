#pragma once
/// The actor that serialises decisions.

#include "actors/board.hpp"
#include "actors/crash_point.hpp"
#include "actors/domain/clock.hpp"
#include "actors/domain/core.hpp"
#include "actors/messages.hpp"
#include "actors/metered.hpp"

#include <deque>
#include <functional>
#include <map>

namespace ci {

/// Whom the monitor talks to, and where the world's two odd inputs come from.
struct MonitorParts {
  BoardPtr board;
  registrations_actor registrations;
  hypervisor_actor hypervisor;
  images_actor images;
  journal_actor journal;
  metrics_actor metrics;
  /// The wall clock; tests give their own.
  std::function<domain::Time()> wall;
  /// 64 random bits a call.
  std::function<std::uint64_t()> random;
};

/// Takes requests and facts one at a time, hands them to the pure core, and carries out what it orders.
///
/// Life: asks the journal for what earlier processes left, waits for a policy, watches the hypervisor, and
/// from then on turns the crank. A message only hands its fact to the core and asks for a crank, which comes
/// behind everything that is in the mailbox already: a burst costs one crank. The crank carries out the
/// orders, the new snapshot first, and sleeps until something happens or the core's next timer falls due. It
/// does no I/O and waits for nobody.
class Monitor : public Metered<monitor_actor::base> {
 public:
  Monitor(caf::actor_config&, MeterPtr, MonitorParts);

  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  template <class Answer>
  using Promises = std::map<domain::RequestId, caf::typed_response_promise<Answer>>;

  domain::Now now();
  void nudge();
  void crank();
  void plan_timer();
  void load();
  void carry_out(domain::Effect);
  void flush_commits();

  template <class Answer, class F>
  caf::result<Answer> admit(Promises<Answer>&, const TicketPtr&, F&& hand_over);
  template <class Answer>
  void deliver(Promises<Answer>&, domain::RequestId, Answer);

  /// Asks `party` what the arguments say; `report` gets the time and the answer, or what `unanswered` makes of
  /// there being none. `step` names the crash points around it.
  template <class Reply, class Actor, class F, class... Args>
  void ask(const Actor& party, const char* step, std::chrono::seconds patience, F report, Args... args);
  /// The registrations actor.
  template <class Reply, class F, class... Args>
  void ask_github(const char* step, F report, Args... args);
  template <class Reply>
  Reply unanswered(const caf::error&);

  void carry(domain::effect::Commit);
  void carry(domain::effect::ForgetInherited);
  void carry(domain::effect::LinkSnapshot);
  void carry(domain::effect::ReadGuests);
  void carry(domain::effect::ListRegistrations);
  void carry(domain::effect::Look);
  void carry(domain::effect::LookSlot);
  void carry(domain::effect::FindRegistration);
  void carry(domain::effect::Register);
  void carry(domain::effect::Unregister);
  void carry(domain::effect::Label);
  void carry(domain::effect::Unlabel);
  void carry(domain::effect::AskRun);
  void carry(domain::effect::AskJobs);
  void carry(domain::effect::ListGuests);
  void carry(domain::effect::ListAddresses);
  void carry(domain::effect::Prepare);
  void carry(domain::effect::Start);
  void carry(domain::effect::Remove);
  void carry(domain::effect::PrepareImage);
  void carry(domain::effect::StartImage);
  void carry(domain::effect::SealImage);
  void carry(domain::effect::DiscardImage);
  void carry(domain::effect::UpdateRepo);
  void carry(domain::effect::AnswerTake);
  void carry(domain::effect::AnswerRelease);
  void carry(domain::effect::AnswerJit);
  void carry(domain::effect::AnswerBoot);
  void carry(domain::effect::AnswerLever);
  void carry(domain::effect::Publish);
  void carry(domain::effect::Log);
  void carry(domain::effect::Count);
  void carry(domain::effect::Seconds);

  MonitorParts parts_;
  domain::Core core_;
  domain::MonitorClock clock_;
  CrashPoint crash_;
  bool nudged_ = false, load_again_ = false;
  std::uint64_t timer_generation_ = 0;
  std::optional<domain::Time> timer_due_;

  domain::RequestId next_request_ = 1;
  std::map<domain::RequestId, std::string> request_ids_; ///< clients' names of those that wait, for the log
  Promises<domain::TakeAnswer> takes_;
  Promises<domain::ReleaseAnswer> releases_;
  Promises<domain::JitAnswer> jits_;
  Promises<domain::BootAnswer> boots_;
  Promises<domain::LeverAnswer> levers_;
  std::vector<caf::typed_response_promise<caf::unit_t>> stoppers_;

  /// Batches in order; the first `committing_` of them are with the journal.
  std::deque<domain::StoreBatch> uncommitted_;
  std::size_t committing_ = 0;
};

} // namespace ci
