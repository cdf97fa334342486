/// Workflow runs, their jobs and their artifacts.

#include "tests/simulators/github_simulator/render.hpp"
#include "tests/simulators/github_simulator/rest.hpp"
#include "tests/simulators/github_simulator/text.hpp"

#include <algorithm>

namespace ci::github_simulator {

namespace {

/// Nothing where there is none in this repository.
const Run* run_of(const Call& call) {
  const auto* run = call.world.model.run(call.target.id);
  return run && "repos/" + lower(run->repository) == call.target.scope ? run : nullptr;
}

const Artifact* artifact_of(const Call& call) {
  const auto* artifact = call.world.model.artifact(call.target.id);
  const auto* run = artifact ? call.world.model.run(artifact->run) : nullptr;
  return run && "repos/" + lower(run->repository) == call.target.scope ? artifact : nullptr;
}

Answer no_run() { return not_found("/actions/workflow-runs#get-a-workflow-run"); }
Answer no_artifact() { return not_found("/actions/artifacts#get-an-artifact"); }

constexpr auto url_validity = std::chrono::seconds{60};

/// As Azure's blob storage refuses.
Answer storage_error(int status, const std::string& code) {
  Answer answer{.status = status};
  answer.body = "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>" + code + "</Code></Error>";
  answer.set_header("content-type", "application/xml");
  return answer;
}

/// Another host name than the API was asked under, of the same machine.
std::string storage_host(const std::string& host) {
  const auto colon = host.rfind(':');
  const auto port = colon == std::string::npos ? "" : host.substr(colon);
  return (host.substr(0, colon) == "localhost" ? "127.0.0.1" : "localhost") + port;
}

} // namespace

Answer get_run(Call& call) {
  const auto* run = run_of(call);
  return run ? json_answer(200, run_json(*run, call.world.model, call.base()))
             : no_run();
}

/// Runs have one attempt, so that `filter` makes no difference.
Answer list_jobs(Call& call) {
  const auto* run = run_of(call);
  if (!run)
    return not_found("/actions/workflow-jobs#list-jobs-for-a-workflow-run");
  const auto total = run->jobs.size();
  const auto page = page_of(call.query, total, call.settings().per_page_cap);
  Json elements = Json::array();
  for (auto i = page.begin(total); i < page.end(total); ++i)
    elements.push_back(job_json(*call.world.model.job(run->jobs[i]), call.world.model, call.base()));
  return paged(call, page, total, "jobs", std::move(elements),
               "/actions/runs/" + std::to_string(run->id) + "/jobs");
}

Answer cancel_run(Call& call) {
  const auto* run = run_of(call);
  if (!run)
    return no_run();
  if (!call.world.model.cancel_run(run->id, call.now))
    return error_answer(409, "Cannot cancel a workflow run that is completed.");
  return json_answer(202, Json::object());
}

/// The newest first.
Answer list_artifacts(Call& call) {
  const auto* run = run_of(call);
  if (!run)
    return not_found("/actions/artifacts#list-workflow-run-artifacts");
  const auto name = value_of(call.query, "name");
  std::vector<const Artifact*> found;
  for (const auto& [id, artifact] : call.world.model.artifacts())
    if (artifact.run == run->id && (!name || artifact.name == *name))
      found.insert(found.begin(), &artifact);
  if (value_of(call.query, "direction") == "asc")
    std::reverse(found.begin(), found.end());
  const auto page = page_of(call.query, found.size(), call.settings().per_page_cap);
  Json elements = Json::array();
  for (auto i = page.begin(found.size()); i < page.end(found.size()); ++i)
    elements.push_back(artifact_json(*found[i], call.world.model, call.base()));
  return paged(call, page, found.size(), "artifacts", std::move(elements),
               "/actions/runs/" + std::to_string(run->id) + "/artifacts");
}

Answer get_artifact(Call& call) {
  const auto* artifact = artifact_of(call);
  return artifact ? json_answer(200, artifact_json(*artifact, call.world.model, call.base())) : no_artifact();
}

Answer delete_artifact(Call& call) {
  const auto* artifact = artifact_of(call);
  if (!artifact)
    return no_artifact();
  call.world.model.remove_artifact(artifact->id);
  return {.status = 204};
}

Answer download_artifact(Call& call) {
  const auto* artifact = artifact_of(call);
  if (!artifact)
    return no_artifact();
  if (artifact->expired)
    return error_answer(410, "Artifact has expired", "/actions/artifacts#download-an-artifact");
  Answer answer{.status = 302};
  const auto until = (call.now + url_validity).time_since_epoch().count();
  answer.set_header("location", artifact->location.empty()
                                    ? "http://" + storage_host(call.request.header("host")) + "/_storage/" +
                                          std::to_string(artifact->id) + "?se=" + std::to_string(until) +
                                          "&sig=" + artifact->signature
                                    : artifact->location);
  return answer;
}

Answer stored_archive(const World& world, const Request& request, Moment now) {
  if (!request.header("authorization").empty())
    return storage_error(400, "InvalidAuthenticationInfo");
  const auto segments = segments_of(request.path);
  const auto* artifact = segments.size() == 2 ? world.model.artifact(parse_id(segments[1]).value_or(0)) : nullptr;
  const auto query = parse_query(request.query);
  const auto until = parse_id(value_of(query, "se").value_or("")).value_or(0);
  if (!artifact || value_of(query, "sig") != artifact->signature || now.time_since_epoch().count() > until)
    return storage_error(403, "AuthenticationFailed");
  Answer answer;
  answer.body = artifact->archive;
  answer.set_header("content-type", "application/zip");
  return answer;
}

} // namespace ci::github_simulator
