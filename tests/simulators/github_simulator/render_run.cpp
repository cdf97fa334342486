/// Workflow runs, which consist mostly of URLs nobody reads but every description requires.

#include "tests/simulators/github_simulator/render.hpp"
#include "tests/simulators/github_simulator/text.hpp"

namespace ci::github_simulator {

namespace {

constexpr Id user_id = 1;
constexpr Id workflow_id = 161335;

} // namespace

Json user_json(const std::string& name, const std::string& base) {
  const auto url = base + "/users/" + name;
  return {{"login", name},
          {"id", user_id},
          {"node_id", "MDQ6VXNlcjE="},
          {"avatar_url", base + "/avatars/" + name},
          {"gravatar_id", ""},
          {"url", url},
          {"html_url", base + "/" + name},
          {"followers_url", url + "/followers"},
          {"following_url", url + "/following{/other_user}"},
          {"gists_url", url + "/gists{/gist_id}"},
          {"starred_url", url + "/starred{/owner}{/repo}"},
          {"subscriptions_url", url + "/subscriptions"},
          {"organizations_url", url + "/orgs"},
          {"repos_url", url + "/repos"},
          {"events_url", url + "/events{/privacy}"},
          {"received_events_url", url + "/received_events"},
          {"type", "User"},
          {"site_admin", false}};
}

namespace {

/// URLs of a repository: the field without `_url`, and the path.
constexpr std::pair<const char*, const char*> repository_urls[] = {
    {"forks", "forks"},
    {"keys", "keys{/key_id}"},
    {"collaborators", "collaborators{/collaborator}"},
    {"teams", "teams"},
    {"hooks", "hooks"},
    {"issue_events", "issues/events{/number}"},
    {"events", "events"},
    {"assignees", "assignees{/user}"},
    {"branches", "branches{/branch}"},
    {"tags", "tags"},
    {"blobs", "git/blobs{/sha}"},
    {"git_tags", "git/tags{/sha}"},
    {"git_refs", "git/refs{/sha}"},
    {"trees", "git/trees{/sha}"},
    {"statuses", "statuses/{sha}"},
    {"languages", "languages"},
    {"stargazers", "stargazers"},
    {"contributors", "contributors"},
    {"subscribers", "subscribers"},
    {"subscription", "subscription"},
    {"commits", "commits{/sha}"},
    {"git_commits", "git/commits{/sha}"},
    {"comments", "comments{/number}"},
    {"issue_comment", "issues/comments{/number}"},
    {"contents", "contents/{+path}"},
    {"compare", "compare/{base}...{head}"},
    {"merges", "merges"},
    {"archive", "{archive_format}{/ref}"},
    {"downloads", "downloads"},
    {"issues", "issues{/number}"},
    {"pulls", "pulls{/number}"},
    {"milestones", "milestones{/number}"},
    {"notifications", "notifications{?since,all,participating}"},
    {"labels", "labels{/name}"},
    {"releases", "releases{/id}"},
    {"deployments", "deployments"},
};

} // namespace

Json repository_json(const std::string& full_name, const Model& model, const std::string& base) {
  const auto slash = full_name.find('/');
  const auto url = base + "/repos/" + full_name;
  const auto* scope = model.find_scope("repos/" + full_name);
  const Id id = scope ? scope->id : 0;
  Json json = {{"id", id},
               {"node_id", "R_" + std::to_string(id)},
               {"name", full_name.substr(slash + 1)},
               {"full_name", full_name},
               {"private", false},
               {"owner", user_json(full_name.substr(0, slash), base)},
               {"html_url", base + "/" + full_name},
               {"description", nullptr},
               {"fork", false},
               {"url", url}};
  for (const auto& [field, path] : repository_urls)
    json[std::string{field} + "_url"] = url + "/" + path;
  return json;
}

Json run_json(const Run& run, const Model& model, const std::string& base) {
  const auto id = std::to_string(run.id);
  const auto repository = base + "/repos/" + run.repository;
  const auto url = repository + "/actions/runs/" + id;
  const auto sha = sha256_hex(id).substr(0, 40);
  const auto status = model.run_status(run);
  const auto conclusion = model.run_conclusion(run);
  const auto full_repository = repository_json(run.repository, model, base);
  const auto head_repository =
      run.head_repository.empty() ? full_repository : repository_json(run.head_repository, model, base);
  const auto actor = user_json("octocat", base);
  return {{"id", run.id},
          {"name", "CI"},
          {"node_id", "WFR_" + id},
          {"check_suite_id", run.id},
          {"check_suite_node_id", "CS_" + id},
          {"head_branch", "main"},
          {"head_sha", sha},
          {"path", ".github/workflows/ci.yml"},
          {"display_title", "A change"},
          {"run_number", run.number},
          {"run_attempt", 1},
          {"event", "push"},
          {"status", status},
          {"conclusion", conclusion.empty() ? Json(nullptr) : Json(conclusion)},
          {"workflow_id", workflow_id},
          {"url", url},
          {"html_url", base + "/" + run.repository + "/actions/runs/" + id},
          {"pull_requests", Json::array()},
          {"created_at", to_iso(run.created)},
          {"updated_at", to_iso(run.updated)},
          {"run_started_at", to_iso(run.created)},
          {"actor", actor},
          {"triggering_actor", actor},
          {"jobs_url", url + "/jobs"},
          {"logs_url", url + "/logs"},
          {"check_suite_url", repository + "/check-suites/" + id},
          {"artifacts_url", url + "/artifacts"},
          {"cancel_url", url + "/cancel"},
          {"rerun_url", url + "/rerun"},
          {"previous_attempt_url", nullptr},
          {"workflow_url", repository + "/actions/workflows/" + std::to_string(workflow_id)},
          {"referenced_workflows", Json::array()},
          {"head_commit",
           {{"id", sha},
            {"tree_id", sha},
            {"message", "A change"},
            {"timestamp", to_iso(run.created)},
            {"author", {{"name", "Octo Cat"}, {"email", "octocat@example.org"}}},
            {"committer", {{"name", "GitHub"}, {"email", "noreply@example.org"}}}}},
          {"repository", full_repository},
          {"head_repository", head_repository}};
}

Json artifact_json(const Artifact& artifact, const Model& model, const std::string& base) {
  constexpr auto kept = std::chrono::hours{24 * 90};
  const auto id = std::to_string(artifact.id);
  const auto& run = *model.run(artifact.run);
  const auto url = base + "/repos/" + run.repository + "/actions/artifacts/" + id;
  const auto number_of = [&](const std::string& repository) {
    const auto* scope = model.find_scope("repos/" + repository);
    return scope ? scope->id : Id{0};
  };
  return {{"id", artifact.id},
          {"node_id", "MDg6QXJ0aWZhY3Q" + id},
          {"name", artifact.name},
          {"size_in_bytes", artifact.archive.size()},
          {"url", url},
          {"archive_download_url", url + "/zip"},
          {"expired", artifact.expired},
          {"created_at", to_iso(artifact.created)},
          {"expires_at", to_iso(artifact.created + kept)},
          {"updated_at", to_iso(artifact.created)},
          {"digest", "sha256:" + sha256_hex(artifact.archive)},
          {"workflow_run",
           {{"id", run.id},
            {"repository_id", number_of(run.repository)},
            {"head_repository_id",
             number_of(run.head_repository.empty() ? run.repository : run.head_repository)},
            {"head_branch", "main"},
            {"head_sha", sha256_hex(std::to_string(run.id)).substr(0, 40)}}}};
}

} // namespace ci::github_simulator
