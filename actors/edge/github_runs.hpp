#pragma once
/// What GitHub's answers about workflow runs mean: status, headers and JSON to the values of
/// domain/github_runs.hpp. Pure; any thread. Nothing throws.

#include "actors/domain/github_runs.hpp"
#include "actors/edge/github_answers.hpp"

namespace ci::edge {

/// One page of a run's jobs.
struct JobPage {
  std::vector<domain::WorkflowJob> jobs;
  /// Target of `rel="next"` as it came; empty on the last page.
  std::string next;
};

/// A run that is not the one that was asked for is malformed.
domain::GithubReply<domain::WorkflowRun> read_run(const HttpAnswer& answer, domain::RunId asked);
domain::GithubReply<JobPage> read_jobs(const HttpAnswer& answer);
/// Needs the answer's `Date`, by which the ages of artifacts are reckoned.
domain::GithubReply<domain::ArtifactListing> read_artifacts(const HttpAnswer& answer);

} // namespace ci::edge
