#include "actors/edge/github_runs.hpp"

#include "actors/domain/names.hpp"
#include "actors/edge/github_json.hpp"
#include "actors/edge/github_url.hpp"

#include <curl/curl.h>

namespace ci::edge {

using domain::Artifact;
using domain::ArtifactListing;
using domain::GithubReply;
using domain::WorkflowJob;
using domain::WorkflowRun;

namespace {

/// Empty where it is null or not there.
std::string text_member(const Json& object, const char* name) {
  return json_member<std::string>(object, name).value_or("");
}

std::optional<WorkflowRun> run_of(const Json& object) {
  const auto id = json_member<std::int64_t>(object, "id");
  auto status = json_member<std::string>(object, "status");
  if (!id || !status)
    return std::nullopt;
  WorkflowRun run{*id, std::move(*status), text_member(object, "conclusion"), {}};
  if (const auto head = object.find("head_repository"); head != object.end())
    run.head_repository = text_member(*head, "full_name");
  return run;
}

std::optional<WorkflowJob> job_of(const Json& object) {
  const auto id = json_member<std::int64_t>(object, "id");
  auto status = json_member<std::string>(object, "status");
  const auto* labels = array_member(object, "labels");
  if (!id || !status || !labels)
    return std::nullopt;
  WorkflowJob job{*id, std::move(*status), {}, text_member(object, "runner_name")};
  for (const auto& label : *labels) {
    if (!label.is_string())
      return std::nullopt;
    job.labels.push_back(label.get<std::string>());
  }
  return job;
}

std::optional<Artifact> artifact_of(const Json& object) {
  const auto id = json_member<std::int64_t>(object, "id");
  auto name = json_member<std::string>(object, "name");
  const auto size = json_member<std::int64_t>(object, "size_in_bytes");
  const auto expired = json_member<bool>(object, "expired");
  const auto created = domain::snapshot_time(text_member(object, "created_at"));
  if (!id || *id <= 0 || !name || !size || !expired || !created)
    return std::nullopt;
  return Artifact{*id, std::move(*name), *size, *expired, *created};
}

/// The elements under `key`, all of which must be of the right shape.
template <class T>
std::optional<std::vector<T>> elements_of(const Json& object, const char* key,
                                          std::optional<T> (*element_of)(const Json&)) {
  const auto* list = array_member(object, key);
  if (!list)
    return std::nullopt;
  std::vector<T> elements;
  for (const auto& entry : *list) {
    auto element = element_of(entry);
    if (!element)
      return std::nullopt;
    elements.push_back(std::move(*element));
  }
  return elements;
}

} // namespace

GithubReply<WorkflowRun> read_run(const HttpAnswer& answer, domain::RunId asked) {
  const auto json = read_json(answer, 200);
  if (!json)
    return failed_reply<WorkflowRun>(answer, json.error);
  auto run = run_of(*json.value);
  if (run && run->id != asked)
    run.reset();
  return shaped(answer, std::move(run), "workflow run, or not the one asked for");
}

GithubReply<JobPage> read_jobs(const HttpAnswer& answer) {
  const auto json = read_json(answer, 200);
  if (!json)
    return failed_reply<JobPage>(answer, json.error);
  std::optional<JobPage> page;
  if (auto jobs = elements_of<WorkflowJob>(*json.value, "jobs", job_of))
    page = JobPage{std::move(*jobs), next_link(answer.header("link")).value_or("")};
  return shaped(answer, std::move(page), "page of jobs");
}

GithubReply<ArtifactListing> read_artifacts(const HttpAnswer& answer) {
  const auto json = read_json(answer, 200);
  if (!json)
    return failed_reply<ArtifactListing>(answer, json.error);
  const auto date = curl_getdate(answer.header("date").c_str(), nullptr);
  std::optional<ArtifactListing> listing;
  if (auto artifacts = elements_of<Artifact>(*json.value, "artifacts", artifact_of); artifacts && date > 0)
    listing = ArtifactListing{std::move(*artifacts), domain::Time{std::chrono::seconds{date}}};
  return shaped(answer, std::move(listing), "list of artifacts with a date");
}

} // namespace ci::edge
