#pragma once
/// The records of runners, jobs and runs. They hold the truth; what is told of it is render.hpp's business.

#include "tests/simulators/github_simulator/labels.hpp"
#include "tests/simulators/github_simulator/moment.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ci::github_simulator {

using Id = std::int64_t;

/// A registration, with the session of the program that runs under it.
struct Runner {
  Id id = 0;
  std::string scope; ///< key of a Scope
  std::string name;
  std::string os = "unknown";
  std::optional<std::string> version; ///< none until the first session
  int group = 1;
  bool ephemeral = true;
  std::string work_folder = "_work";
  std::string token; ///< what the runner program shows; a secret
  Labels labels;
  Moment registered{};

  bool in_session = false;
  bool polling = false; ///< waits for a job at this moment
  Moment session_opened{};
  Moment seen{};              ///< last sign of life; the registration where none came
  Id job = 0;                 ///< 0: none
  std::optional<Moment> done; ///< when the job ended: the record goes soon

  bool foreign = false;     ///< added by the control API: no program, told_status and told_busy say all
  bool hidden = false;      ///< not to be seen by the REST API
  bool unreachable = false; ///< nor by the runner's program
  std::optional<std::string> told_status; ///< a lie about this runner
  std::optional<bool> told_busy;          ///< a lie about this runner
};

struct Job {
  Id id = 0;
  Id run = 0;
  std::string name;
  LabelNames labels;
  double seconds = 0;            ///< how long the runner is to work
  std::string status = "queued"; ///< queued, in_progress, completed
  std::optional<std::string> conclusion;
  Moment created{};
  std::optional<Moment> started, completed;
  // The runner that got it, kept after the registration is gone.
  Id runner = 0;
  std::string runner_name;
  int runner_group = 0;
  bool cancelled = false; ///< asked to end early

  bool is_completed() const { return status == "completed"; }
};

/// An archive that a workflow run uploaded.
struct Artifact {
  Id id = 0;
  Id run = 0;
  std::string name;
  std::string archive; ///< the bytes of the zip, which need not be one
  bool expired = false;
  Moment created{};
  std::string location; ///< where the download redirects to instead; empty: to ourselves

  /// What the storage's URL has to bear.
  std::string signature;
};

/// A workflow run: what its jobs have in common.
struct Run {
  Id id = 0;
  std::string repository; ///< `owner/name` as it was first spelled
  int number = 0;
  Moment created{};
  Moment updated{};
  std::vector<Id> jobs;
  std::string head_repository{};                ///< `owner/name` of the fork; empty: the repository itself
  std::optional<std::string> told_status{};     ///< instead of what follows from the jobs
  std::optional<std::string> told_conclusion{}; ///< with told_status alone
};

/// Something that webhooks tell of, as it was then.
struct Happening {
  std::string operation; ///< webhook_queued, webhook_in_progress, webhook_completed or webhook_run
  Job job{};             ///< but for webhook_run
  Id run = 0;
};

/// A repository or organization that runners belong to.
struct Scope {
  std::string key;  ///< `repos/owner/name` or `orgs/name` in lower case
  std::string path; ///< the same as it was first spelled
  Id id = 0;        ///< in the numeric paths of Link headers

  bool is_repository() const { return key.starts_with("repos/"); }
};

/// A registration that is no more.
struct Departed {
  Id id = 0;
  std::string name;
  std::string scope;
  std::string why; ///< deleted, finished, unused, idle, lease, dropped
  Moment registered{};
  Moment gone{};
};

} // namespace ci::github_simulator
