#pragma once
/// From a request to its answer. A request's life: advance the model, find the operation, refuse what has no
/// credentials or is one too many, let a fault replace the operation or spoil its answer, act, add the
/// headers.

#include "tests/simulators/github_simulator/protocol.hpp"
#include "tests/simulators/github_simulator/rest.hpp"
#include "tests/simulators/github_simulator/webhooks.hpp"

namespace ci::github_simulator {

class Api {
 public:
  explicit Api(Identity identity) : world_{.identity = std::move(identity)} {}

  Answer handle(const Request&, Moment now);
  /// The answer to a poll that waits, once there is one. `over`: the wait has ended.
  std::optional<Answer> resume(Id runner, bool over, Moment now);
  /// The connection of a poll that waits is gone.
  void poll_lost(Id runner, Moment now);
  /// The answer is through, or lost.
  void answered(const Answer&);
  /// An answer that gives a job did not arrive.
  void undelivered(const Answer&, Moment now);

  void advance(Moment now) { world_.model.advance(now); }
  Moment next_change() const { return world_.model.next_change(); }
  /// The polls to resume.
  std::set<Id> take_news() { return world_.model.take_news(); }

  /// The webhooks to send, faults applied.
  std::vector<Webhook> take_webhooks();
  /// One was sent: the status that came back, or how it was lost.
  void webhook_over(const Webhook& webhook, const std::string& outcome) {
    ++world_.counters[webhook.operation][outcome];
  }

  /// Grows with every change that is worth keeping.
  std::uint64_t revision() const { return world_.model.revision() + world_.faults.revision(); }
  nlohmann::json save() const;
  /// Throws nlohmann::json::exception where the state is not one.
  void load(const nlohmann::json&, Moment now);

  World& world() { return world_; }

 private:
  Answer rest(const Request&, Moment now);
  Answer storage(const Request&, Moment now);
  Answer runner(const Request&, const std::vector<std::string>& segments, Moment now);
  Answer admitted(Call&);
  Answer with_etag(Answer, const Call&);
  void decorate(Answer&, const Request&, const std::string& operation, Moment now);
  void delay(Answer&, const std::string& operation) const;
  void count(const std::string& operation, const Answer&);

  World world_;
  std::map<Id, Fault> poll_faults_; ///< for the answers to polls that wait
  std::uint64_t requests_ = 0;
};

} // namespace ci::github_simulator
