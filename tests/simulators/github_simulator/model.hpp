#pragma once
/// What GitHub knows, and how it changes. Time is an argument; nothing here waits, reads or sends.
///
/// A registration begins offline. A session makes it online after `online_delay`; a session that polls may be
/// given a job, which the REST API tells `busy_delay` later. The end of the job leaves the registration busy
/// for `gone_delay`, then it is gone. A session without a sign of life is offline after `offline_delay`; if
/// it had a job the registration stays busy until `lease_timeout`.
///
/// Whoever calls a member that takes `now` has called advance(now) before.

#include "tests/simulators/github_simulator/records.hpp"
#include "tests/simulators/github_simulator/settings.hpp"

#include <deque>
#include <map>
#include <set>
#include <utility>

namespace ci::github_simulator {

/// What a new registration is to be.
struct Registering {
  std::string name;
  LabelNames labels;
  int group = 1;
  std::string work_folder = "_work";
  bool ephemeral = true;
};

enum class Removal { removed, busy, absent };

/// How a runner's program is received.
enum class Contact {
  welcome,
  absent,   ///< the registration is gone
  conflict, ///< not in this state
};

/// The answer to a poll: a job, or nothing yet.
struct Polled {
  Contact contact = Contact::welcome;
  const Job* job = nullptr;
};

struct QueuedJob {
  std::string repository; ///< `owner/name`
  LabelNames labels;
  double seconds = 1;
  std::string name;
  Id run = 0; ///< 0: a new run
};

struct NewArtifact {
  Id run = 0;
  std::string name;
  std::string archive;
  bool expired = false;
  std::optional<Moment> created;
  std::string location;
};

class Model {
 public:
  // Time.
  /// Does everything that has become due.
  void advance(Moment now);
  /// When advance() will have something to do, if nothing else happens.
  Moment next_change() const { return next_change_; }
  /// The runners whose poll has to be asked again; each is told once.
  std::set<Id> take_news();
  /// What has happened to jobs and runs since the last call, oldest first.
  std::vector<Happening> take_happenings() { return std::exchange(happenings_, {}); }
  /// Grows with every change that is worth keeping.
  std::uint64_t revision() const { return revision_; }

  const Settings& settings() const { return settings_; }
  void set_settings(Settings);

  // Scopes.
  /// Makes it known where it was not. `path` is `repos/owner/name` or `orgs/name`.
  const Scope& scope(const std::string& path);
  const Scope* find_scope(const std::string& path) const;
  const Scope* scope_with_id(Id, bool repository) const;

  // Registrations.
  const std::map<Id, Runner>& runners() const { return runners_; }
  /// Nothing where the name is taken in that scope.
  const Runner* register_runner(const std::string& scope, const Registering&, Moment now);
  /// As the REST API sees it.
  const Runner* find(const std::string& scope, Id) const;
  const Runner* runner(Id) const;
  Removal remove(Id, Moment now);
  /// Removes it whatever it does, as GitHub itself may; its job fails.
  void drop(Id, Moment now);
  /// The labels may make the runner fit a waiting job.
  void add_labels(Id, const LabelNames&, Moment now);
  void set_custom_labels(Id, const LabelNames&, Moment now);
  void remove_label(Id, const std::string& name);
  bool is_online(const Runner&, Moment now) const;
  /// Whether the REST API says so.
  bool is_told_busy(const Runner&, Moment now) const;
  /// Whether it cannot be removed.
  static bool is_busy(const Runner& r) {
    return r.job || r.done || (r.foreign && r.told_busy.value_or(false));
  }
  /// Whether the program gave a sign of life lately.
  bool in_contact(const Runner&, Moment now) const;
  const std::deque<Departed>& departed() const { return departed_; }
  std::uint64_t registered_ever() const { return registered_ever_; }

  // The runner's program.
  Contact open_session(Id, const std::string& os, const std::string& version, Moment now);
  /// A poll with neither job nor refusal goes on until poll_ended().
  Polled poll(Id, Moment now);
  void poll_ended(Id, Moment now);
  /// The answer with the job did not arrive: the job waits again.
  void undelivered(Id, Moment now);
  /// `job` of the answer is the one being done, if it has one.
  Polled alive(Id, Moment now);
  /// A conflict where it has no job.
  Contact finish_job(Id, const std::string& conclusion, Moment now);
  Contact close_session(Id, Moment now);

  // Jobs.
  const std::map<Id, Job>& jobs() const { return jobs_; }
  const Job* job(Id) const;
  const Run* run(Id) const;
  /// Nothing where the run does not exist or is of another repository.
  const Job* queue_job(const QueuedJob&, Moment now);
  /// A waiting job ends; the runner of one in progress is told. False where it has ended.
  bool cancel_job(Id, Moment now);

  // Runs and artifacts (model_runs.cpp).
  const std::map<Id, Run>& runs() const { return runs_; }
  /// A run that has no jobs yet.
  const Run& begin_run(const std::string& repository, const std::string& head_repository, Moment now);
  /// Tells something else than what follows from its jobs; nothing: the truth.
  void tell_run(Id, std::optional<std::string> status, std::optional<std::string> conclusion, Moment now);
  /// Cancels all its jobs. False where it is completed.
  bool cancel_run(Id, Moment now);
  /// Nothing where there is no such run. One of the same name in the run is replaced, under a new id.
  const Artifact* upload(const NewArtifact&, Moment now);
  const std::map<Id, Artifact>& artifacts() const { return artifacts_; }
  const Artifact* artifact(Id) const;
  bool remove_artifact(Id);
  std::string run_status(const Run&) const;
  /// Empty while it is not completed.
  std::string run_conclusion(const Run&) const;

  // Interference by the control API.
  /// A registration which no program stands behind.
  const Runner* add_foreign(const std::string& scope, const Registering&, const std::string& status,
                            bool busy, Moment now);
  void hide(Id, bool from_program);
  void show(Id, Moment now);
  void tell(Id, std::optional<std::string> status, std::optional<bool> busy);

  // Keeping.
  nlohmann::json save() const;
  /// Replaces everything. Sessions are taken to have given a sign of life now: it was the simulator that was
  /// away. Throws nlohmann::json::exception where the state is not one.
  void load(const nlohmann::json&, Moment now);

 private:
  Runner* reachable(Id);
  Moment deadline(const Runner&) const;
  void changed(const Runner&);
  /// What is due for this runner; true where the registration goes.
  bool expire(Runner&, Moment now);
  void depart(std::map<Id, Runner>::iterator, const std::string& why, Moment now);
  static const char* departure_reason(const Runner&);
  bool is_waiting(const Runner&) const;
  bool may_do(const Runner&, const Job&) const;
  void offer(Job&, Moment now);
  void offer(Runner&, Moment now);
  void assign(Job&, Runner&, Moment now);
  void enqueue(Job&, Moment now);
  void complete(Job&, const std::string& conclusion, Moment now);
  void forget_old_jobs();
  void happened(const char* operation, const Job&);
  void run_may_be_over(const Run&);

  Settings settings_;
  std::map<std::string, Scope> scopes_; ///< by key
  std::map<Id, Runner> runners_;
  std::map<Id, Job> jobs_;
  std::map<Id, Run> runs_;
  std::map<Id, Artifact> artifacts_;
  std::deque<Id> queue_;              ///< jobs that a runner may get, oldest first
  std::multimap<Moment, Id> delayed_; ///< jobs that will be in the queue
  std::deque<Id> completed_;          ///< jobs that may be forgotten, oldest first
  std::deque<Departed> departed_;     ///< the latest
  LabelBook label_book_;
  std::set<Id> news_;
  std::vector<Happening> happenings_;
  Moment next_change_ = never;
  std::uint64_t revision_ = 0;
  std::uint64_t registered_ever_ = 0;
  // Beyond 32 bits, as GitHub's are.
  static constexpr Id first_runner_id = 3'000'000'000;
  static constexpr Id first_job_id = 100'520'616'165;
  static constexpr Id first_run_id = 33'714'470'481;
  static constexpr Id first_artifact_id = 8'000'000'000;
  Id last_runner_ = first_runner_id - 1;
  Id last_job_ = first_job_id - 1;
  Id last_run_ = first_run_id - 1;
  Id last_artifact_ = first_artifact_id - 1;
};

} // namespace ci::github_simulator
