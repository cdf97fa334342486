/// The part of the model that deals with workflow runs and what they upload.

#include "tests/simulators/github_simulator/model.hpp"

#include "tests/simulators/github_simulator/text.hpp"

#include <algorithm>

namespace ci::github_simulator {

const Run& Model::begin_run(const std::string& repository, const std::string& head_repository, Moment now) {
  const Id id = ++last_run_;
  auto& run = runs_[id];
  run.id = id;
  run.repository = repository;
  run.head_repository = head_repository;
  run.number = static_cast<int>(id - first_run_id + 1);
  run.created = run.updated = now;
  ++revision_;
  return run;
}

void Model::tell_run(Id id, std::optional<std::string> status, std::optional<std::string> conclusion,
                     Moment now) {
  auto& run = runs_.at(id);
  run.told_status = std::move(status);
  run.told_conclusion = std::move(conclusion);
  run.updated = now;
  ++revision_;
  run_may_be_over(run);
}

bool Model::cancel_run(Id id, Moment now) {
  auto& run = runs_.at(id);
  if (run_status(run) == "completed")
    return false;
  const auto jobs = run.jobs; // the last one that ends may take the run along
  for (const auto job : jobs)
    cancel_job(job, now);
  if (jobs.empty())
    tell_run(id, "completed", "cancelled", now);
  return true;
}

const Artifact* Model::upload(const NewArtifact& wanted, Moment now) {
  if (!run(wanted.run))
    return nullptr;
  std::erase_if(artifacts_, [&](const auto& entry) {
    return entry.second.run == wanted.run && entry.second.name == wanted.name;
  });
  const Id id = ++last_artifact_;
  artifacts_[id] = {id,
                    wanted.run,
                    wanted.name,
                    wanted.archive,
                    wanted.expired,
                    wanted.created.value_or(now),
                    wanted.location,
                    random_token()};
  ++revision_;
  return &artifacts_[id];
}

const Artifact* Model::artifact(Id id) const {
  const auto found = artifacts_.find(id);
  return found == artifacts_.end() ? nullptr : &found->second;
}

bool Model::remove_artifact(Id id) {
  ++revision_;
  return artifacts_.erase(id) != 0;
}

std::string Model::run_status(const Run& run) const {
  if (run.told_status)
    return *run.told_status;
  const auto all = [&](const char* status) {
    return std::all_of(run.jobs.begin(), run.jobs.end(), [&](Id id) { return job(id)->status == status; });
  };
  if (run.jobs.empty())
    return "in_progress"; // something of it uploads, or is to come
  return all("completed") ? "completed" : all("queued") ? "queued" : "in_progress";
}

/// The worst of the jobs.
std::string Model::run_conclusion(const Run& run) const {
  if (run_status(run) != "completed")
    return {};
  if (run.told_status)
    return run.told_conclusion.value_or("success");
  for (const auto* conclusion : {"cancelled", "failure", "timed_out"})
    if (std::any_of(run.jobs.begin(), run.jobs.end(),
                    [&](Id id) { return job(id)->conclusion == conclusion; }))
      return conclusion;
  return "success";
}

} // namespace ci::github_simulator
