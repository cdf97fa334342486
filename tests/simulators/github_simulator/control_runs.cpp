/// The control API of workflow runs and artifacts.

#include "tests/simulators/github_simulator/control.hpp"

#include "tests/simulators/github_simulator/render.hpp"
#include "tests/simulators/github_simulator/text.hpp"

namespace ci::github_simulator {

namespace {

Json control_run_json(const Run& run, const Model& model) {
  const auto conclusion = model.run_conclusion(run);
  return {{"id", run.id},
          {"repo", run.repository},
          {"head_repo", run.head_repository.empty() ? run.repository : run.head_repository},
          {"status", model.run_status(run)},
          {"conclusion", conclusion.empty() ? Json(nullptr) : Json(conclusion)},
          {"jobs", run.jobs}};
}

Json control_artifact_json(const Artifact& artifact) {
  return {{"id", artifact.id},           {"run_id", artifact.run},
          {"name", artifact.name},       {"size", artifact.archive.size()},
          {"expired", artifact.expired}, {"created_at", to_iso_with_millis(artifact.created)}};
}

std::optional<std::string> text_or_none(const Json& body, const char* key) {
  return body.contains(key) && body[key].is_string() ? std::optional{body[key].get<std::string>()}
                                                     : std::nullopt;
}

} // namespace

Answer control_runs(World& world, const std::string& method, const std::vector<std::string>& rest,
                    const Json& body, Moment now) {
  auto& model = world.model;
  if (method == "POST" && rest.empty()) {
    const auto repository = body.value("repo", "o/r");
    if (split(repository, '/').size() != 2)
      return plain_error(422, "repo is owner/name");
    model.scope("repos/" + repository);
    return json_answer(
        201, control_run_json(model.begin_run(repository, body.value("head_repo", ""), now), model));
  }
  const auto* run = rest.size() == 1 ? model.run(parse_id(rest[0]).value_or(0)) : nullptr;
  if (!run)
    return plain_error(404, "no such thing");
  if (method == "PUT")
    model.tell_run(run->id, text_or_none(body, "status"), text_or_none(body, "conclusion"), now);
  else if (method == "DELETE" && !model.cancel_run(run->id, now))
    return plain_error(409, "the run has ended");
  return json_answer(200, control_run_json(*run, model));
}

Answer control_artifacts(World& world, const std::string& method, const std::vector<std::string>& rest,
                         const Json& body, Moment now) {
  auto& model = world.model;
  if (method == "POST" && rest.empty()) {
    auto archive = base64_decoded(body.at("archive").get<std::string>());
    if (!archive)
      return plain_error(422, "archive is base64");
    NewArtifact wanted{body.at("run_id"),   body.at("name"),
                       std::move(*archive), body.value("expired", false),
                       std::nullopt,        body.value("location", "")};
    if (body.contains("age"))
      wanted.created = now - from_seconds(body["age"]);
    const auto* artifact = model.upload(wanted, now);
    return artifact ? json_answer(201, control_artifact_json(*artifact)) : plain_error(422, "no such run");
  }
  if (method == "DELETE" && rest.size() == 1 && model.remove_artifact(parse_id(rest[0]).value_or(0)))
    return {.status = 204};
  return plain_error(404, "no such thing");
}

} // namespace ci::github_simulator
