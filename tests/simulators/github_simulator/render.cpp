#include "tests/simulators/github_simulator/render.hpp"

#include "tests/simulators/github_simulator/http.hpp"
#include "tests/simulators/github_simulator/text.hpp"

namespace ci::github_simulator {

namespace {

std::string encoded(const Json& json) { return base64(dumped(json)); }

/// Files for the runner program's folder by name, each encoded, the whole encoded again.
std::string jit_config(const Runner& runner, const std::string& server_url) {
  const Json settings = {
      {"agentId", runner.id},    {"agentName", runner.name}, {"poolId", runner.group},
      {"poolName", "Default"},   {"disableUpdate", true},    {"ephemeral", runner.ephemeral},
      {"serverUrl", server_url}, {"gitHubUrl", ""},          {"workFolder", runner.work_folder},
      {"useV2Flow", true},       {"serverUrlV2", server_url}};
  const Json credentials = {{"scheme", "OAuth"}, {"token", runner.token}};
  return encoded({{".runner", encoded(settings)},
                  {".credentials", encoded(credentials)},
                  {".credentials_rsaparams", encoded(Json::object())}});
}

Json moment_or_null(const std::optional<Moment>& moment) {
  return moment ? Json(to_iso(*moment)) : Json(nullptr);
}

} // namespace

Json labels_json(const Labels& labels) {
  Json list = Json::array();
  for (const auto& label : labels)
    list.push_back(
        {{"id", label.id}, {"name", label.name}, {"type", label.read_only ? "read-only" : "custom"}});
  return list;
}

Json labels_listing(const Labels& labels) {
  return {{"total_count", labels.size()}, {"labels", labels_json(labels)}};
}

Json runner_json(const Runner& runner, const Model& model, Moment now) {
  return {{"id", runner.id},
          {"runner_group_id", runner.group},
          {"name", runner.name},
          {"os", runner.os},
          {"status", model.is_online(runner, now) ? "online" : "offline"},
          {"busy", model.is_told_busy(runner, now)},
          {"ephemeral", runner.ephemeral},
          {"version", runner.version ? Json(*runner.version) : Json(nullptr)},
          {"labels", labels_json(runner.labels)}};
}

Json registration_json(const Runner& runner, const Model& model, const std::string& server_url, Moment now) {
  return {{"runner", runner_json(runner, model, now)},
          {"encoded_jit_config", jit_config(runner, server_url)}};
}

Json job_json(const Job& job, const Model& model, const std::string& base) {
  const auto& run = *model.run(job.run);
  const auto url = base + "/repos/" + run.repository + "/actions/";
  const auto id = std::to_string(job.id);
  const auto run_id = std::to_string(run.id);
  const bool assigned = job.runner != 0;
  return {{"id", job.id},
          {"run_id", job.run},
          {"workflow_name", "CI"},
          {"head_branch", "main"},
          {"run_url", url + "runs/" + run_id},
          {"run_attempt", 1},
          {"node_id", "CR_" + id},
          {"head_sha", sha256_hex(run_id).substr(0, 40)},
          {"url", url + "jobs/" + id},
          {"html_url", base + "/" + run.repository + "/actions/runs/" + run_id + "/job/" + id},
          {"status", job.status},
          {"conclusion", job.conclusion ? Json(*job.conclusion) : Json(nullptr)},
          {"created_at", to_iso(job.created)},
          // GitHub has no null here: a job that never ran began when it ended.
          {"started_at", to_iso(job.started.value_or(job.completed.value_or(job.created)))},
          {"completed_at", moment_or_null(job.completed)},
          {"name", job.name},
          {"steps", Json::array()},
          {"check_run_url", base + "/repos/" + run.repository + "/check-runs/" + id},
          {"labels", job.labels},
          {"runner_id", assigned ? Json(job.runner) : Json(nullptr)},
          {"runner_name", assigned ? Json(job.runner_name) : Json(nullptr)},
          {"runner_group_id", assigned ? Json(job.runner_group) : Json(nullptr)},
          {"runner_group_name", assigned ? Json("Default") : Json(nullptr)}};
}

} // namespace ci::github_simulator
