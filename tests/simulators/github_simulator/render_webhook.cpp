/// Webhooks' payloads.

#include "tests/simulators/github_simulator/render.hpp"

namespace ci::github_simulator {

namespace {

/// Webhooks tell more of a repository than the API's answers about runs do.
Json full_repository_json(const std::string& name, const Model& model, const std::string& base, Moment at) {
  const auto html = "https://github.com/" + name;
  auto json = repository_json(name, model, base);
  for (const auto* nothing : {"homepage", "language", "mirror_url", "license"})
    json[nothing] = nullptr;
  for (const auto* zero : {"forks", "forks_count", "open_issues", "open_issues_count", "size", "stargazers_count",
                           "watchers", "watchers_count"})
    json[zero] = 0;
  for (const auto* yes : {"has_downloads", "has_issues", "has_projects", "has_wiki"})
    json[yes] = true;
  for (const auto* no : {"has_pages", "archived", "disabled"})
    json[no] = false;
  for (const auto* time : {"pushed_at", "created_at", "updated_at"})
    json[time] = to_iso(at);
  json["clone_url"] = html + ".git";
  json["git_url"] = "git://github.com/" + name + ".git";
  json["ssh_url"] = "git@github.com:" + name + ".git";
  json["svn_url"] = html;
  json["default_branch"] = "main";
  return json;
}

Json workflow_json(const std::string& repository, const std::string& base, Moment at) {
  const auto path = "/" + repository + "/actions/workflows/";
  return {{"id", 161335},
          {"node_id", "W_kwDOAJy2Ks4AAnY3"},
          {"name", "CI"},
          {"path", ".github/workflows/ci.yml"},
          {"state", "active"},
          {"created_at", to_iso(at)},
          {"updated_at", to_iso(at)},
          {"url", base + "/repos" + path + "161335"},
          {"html_url", base + path + "ci.yml"},
          {"badge_url", base + path + "CI/badge.svg"}};
}

} // namespace

Json payload_json(const Happening& happening, const Model& model, const std::string& base) {
  const auto& run = *model.run(happening.run);
  const bool of_run = happening.operation == "webhook_run";
  Json payload = {{"action", of_run ? "completed" : happening.operation.substr(sizeof "webhook")}};
  if (of_run) {
    payload["workflow_run"] = run_json(run, model, base);
    payload["workflow"] = workflow_json(run.repository, base, run.created);
  } else {
    payload["workflow_job"] = job_json(happening.job, model, base);
  }
  payload["repository"] = full_repository_json(run.repository, model, base, run.created);
  payload["sender"] = user_json("octocat", base);
  return payload;
}

} // namespace ci::github_simulator
