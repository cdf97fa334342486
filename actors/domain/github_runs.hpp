#pragma once
/// What GitHub says of workflow runs, their jobs and their artifacts, as values.

#include "actors/domain/types.hpp"

#include <string>
#include <vector>

namespace ci::domain {

/// A workflow run of some repository, which need not be the one whose runners these are.
struct WorkflowRun {
  RunId id = 0;
  /// "queued", "in_progress", "completed" ...; other words are kept as they came.
  std::string status;
  /// "success", "cancelled" ...; empty while there is none.
  std::string conclusion;
  /// `<owner>/<repo>` that the run's commit comes from; empty where that repository is gone.
  std::string head_repository;

  bool over() const { return status == "completed"; }
};

/// One job of a run.
struct WorkflowJob {
  std::int64_t id = 0;
  /// "queued", "waiting", "requested", "pending", "in_progress", "completed".
  std::string status;
  std::vector<std::string> labels;
  /// Empty until a runner has it.
  std::string runner_name;

  /// Whether it is still to begin on a runner.
  bool waits() const {
    return status == "queued" || status == "waiting" || status == "requested" || status == "pending";
  }
};

/// An artifact of a run.
struct Artifact {
  std::int64_t id = 0;
  std::string name;
  /// Of its archive, as GitHub counts it; bytes.
  std::int64_t size = 0;
  bool expired = false;
  Time created_at{};
};

/// The artifacts of a run that have a name.
struct ArtifactListing {
  std::vector<Artifact> artifacts;
  /// GitHub's clock when it answered.
  Time at{};
};

/// An artifact's archive as it came.
struct ArtifactArchive {
  std::string bytes;
  /// It is larger than was allowed; then `bytes` is empty.
  bool too_large = false;
};

} // namespace ci::domain
