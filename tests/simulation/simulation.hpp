#pragma once
/// A randomised world around the decisions: orders and answers are delayed, reordered, failed, lost before or after they
/// acted; guests, jobs, clients, clocks and crashes come at any time. Every step checks the promises.

#include "tests/support/world.hpp"

#include "actors/domain/core.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace ci::test {

/// One step of a schedule. What it does follows from `salt` and the state it meets, so that a schedule can be replayed,
/// and shortened, step by step.
struct Step {
  enum class Kind { carry, answer, commit, time, guest, take, repeat, release, jit, crash, fault, policy, event, jump };
  Kind kind = Kind::carry;
  std::uint64_t salt = 0;
};
const char* to_string(Step::Kind);
using Schedule = std::vector<Step>;
/// The schedule of that seed.
Schedule make_schedule(std::uint64_t seed, std::size_t steps);

/// What broke, and at which step.
struct Broken {
  std::string promise;
  std::size_t step = 0;
};

/// Runs one schedule from an empty host, then lets all faults end and checks that everything is right again.
class Simulation {
 public:
  /// \p trace gets a line a step, if given.
  explicit Simulation(std::vector<std::string>* trace = nullptr);
  std::optional<Broken> run(const Schedule&);

 private:
  struct Answer {
    std::uint64_t process;
    std::function<void()> deliver;
    std::string what;
  };
  enum class Fault { none, before, after };

  void start_process();
  void apply(const Step&);
  void crank();
  void take_in(Effect);
  void carry(std::size_t index, Fault);
  void commit_one(bool acknowledge);
  void guest_step(std::uint64_t salt);
  void client_take(std::uint64_t salt);
  void client_repeat(std::uint64_t salt);
  void send_take(const TakeRequest&);
  void answered(RequestId, const TakeAnswer&);
  void ask_jit(const std::string& guest, std::uint64_t salt);
  void check();
  void check_end();
  void calm_down();
  void fail(const std::string& promise) {
    if (!broken_)
      broken_ = promise;
  }
  Now now() const { return {time_, steady_}; }
  std::vector<std::string> own_guests() const;
  void note(const std::string& text) {
    if (trace_)
      trace_->push_back(text);
  }

  template <class Reply, class Act>
  Reply at_github(Fault, Act);
  template <class Act>
  HostReply at_host(Fault, Act);
  template <class Report>
  void answer_with(const char* what, Report);

  World world_;
  StoreImage store_;
  std::shared_ptr<Policy> policy_ = std::make_shared<Policy>();
  std::unique_ptr<Core> core_;
  std::uint64_t process_ = 0;
  Time time_{std::chrono::hours(24 * 365 * 50)};
  Steady steady_{std::chrono::hours(10)};
  std::mt19937_64 ids_{7};
  std::uint64_t salt_ = 0;

  std::deque<Effect> orders_;
  std::deque<StoreBatch> commits_;
  std::deque<Answer> answers_;
  bool github_down_ = false;

  struct Client {
    TakeRequest ask;
    std::set<RunnerId> promised; ///< as it was answered; empty: not (yet)
    bool giving_back = false;
  };
  std::vector<Client> clients_;
  std::map<RequestId, std::size_t> asking_; ///< request -> client
  std::map<RequestId, std::string> jit_asking_; ///< request -> guest
  RequestId next_request_ = 1;
  std::set<RegistrationId> dead_jobs_; ///< of guests that died at work: GitHub keeps them busy until the lease lapses

  std::vector<std::string>* trace_;
  std::optional<std::string> broken_;
};

/// Shortens a schedule that breaks a promise as far as it still breaks one.
Schedule shrink(Schedule);

} // namespace ci::test
