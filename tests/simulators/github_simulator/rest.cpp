#include "tests/simulators/github_simulator/rest.hpp"

namespace ci::github_simulator {

namespace {

constexpr std::size_t most_labels = 100;
constexpr std::size_t longest_label = 256;

const Runner* named(const Call& call, const std::string& name) {
  for (const auto& [id, runner] : call.world.model.runners())
    if (runner.name == name && runner.scope == call.target.scope)
      return &runner;
  return nullptr;
}

Answer unprocessable(const std::string& message) {
  return error_answer(422, message, "/actions/self-hosted-runners");
}

} // namespace

Mentioned mentioned_by(const Call& call) {
  const auto& operation = call.target.operation;
  if (operation == "register") {
    const auto body = Json::parse(call.request.body, nullptr, false);
    return {0,
            body.is_object() && body.contains("name") && body["name"].is_string() ? body["name"] : Json("")};
  }
  if (operation == "list") {
    const auto name = value_of(call.query, "name").value_or("");
    const auto* runner = named(call, name);
    return {runner ? runner->id : 0, name};
  }
  const auto* runner = call.world.model.runner(call.target.id);
  return {call.target.id, runner ? runner->name : std::string{}};
}

Answer operate(Call& call) {
  using Operation = Answer (*)(Call&);
  static const std::map<std::string, Operation> operations = {{"register", register_runner},
                                                              {"list", list_runners},
                                                              {"get", get_runner},
                                                              {"delete", delete_runner},
                                                              {"labels", change_labels},
                                                              {"label", change_labels},
                                                              {"set_labels", change_labels},
                                                              {"unlabel", change_labels},
                                                              {"clear_labels", change_labels},
                                                              {"runs", get_run},
                                                              {"jobs", list_jobs},
                                                              {"cancel", cancel_run},
                                                              {"artifacts", list_artifacts},
                                                              {"artifact", get_artifact},
                                                              {"delete_artifact", delete_artifact},
                                                              {"archive", download_artifact},
                                                              {"rate_limit", get_rate_limit},
                                                              {"access_token", create_app_token}};
  return operations.at(call.target.operation)(call);
}

/// Of those who ask it is the only one to be asked with a JWT.
Answer create_app_token(Call& call) {
  auto& world = call.world;
  return world.app_tokens.grant(world.app, call.target.id, call.request.header("authorization"),
                                call.settings().app_token_lifetime, call.settings().by_clock(call.now));
}

Answer get_rate_limit(Call& call) {
  const auto budget = call.world.limits.budget(call.settings());
  const auto full = [&](int limit) {
    return Json{{"limit", limit}, {"used", 0}, {"remaining", limit}, {"reset", budget["reset"]}};
  };
  Json body = {{"resources",
                {{"core", budget},
                 {"search", full(30)},
                 {"graphql", full(5'000)},
                 {"integration_manifest", full(5'000)},
                 {"actions_runner_registration", full(10'000)}}}};
  if (call.request.header("x-github-api-version") != "2026-03-10")
    body["rate"] = budget;
  return json_answer(200, body);
}

Answer not_found(const std::string& documentation) { return error_answer(404, "Not Found", documentation); }

Answer paged(const Call& call, const Page& page, std::size_t total, const std::string& key, Json elements,
             const std::string& path) {
  auto answer = json_answer(200, {{"total_count", total}, {key, std::move(elements)}});
  const auto& scope = *call.world.model.find_scope(call.target.scope);
  const auto url = call.base() + (scope.is_repository() ? "/repositories/" : "/organizations/") +
                   std::to_string(scope.id) + path;
  if (const auto link = link_header(page, url, call.request.query); !link.empty())
    answer.set_header("link", link);
  return answer;
}

std::variant<Json, Answer> object_in(const Request& request) {
  auto body = Json::parse(request.body, nullptr, false);
  if (body.is_discarded() && !request.body.empty())
    return error_answer(400, "Problems parsing JSON");
  if (request.body.empty())
    return Json::object();
  if (!body.is_object())
    return error_answer(400, "Body should be a JSON object");
  return body;
}

std::optional<Answer> labels_complaint(const Json& body, std::size_t least) {
  if (!body.contains("labels"))
    return unprocessable("Invalid request.\n\n\"labels\" wasn't supplied.");
  const auto& labels = body["labels"];
  if (!labels.is_array())
    return unprocessable("Invalid request.\n\nFor 'properties/labels', " + labels.dump() +
                         " is not an array.");
  for (const auto& label : labels)
    if (!label.is_string())
      return unprocessable("Invalid request.\n\nFor 'items', " + label.dump() + " is not a string.");
  if (labels.size() < least)
    return unprocessable(
        "Invalid request.\n\nNo subschema in \"allOf\" matched: at least 1 label is needed.");
  if (labels.size() > most_labels)
    return unprocessable("Invalid request.\n\nNo more than 100 items are allowed; " +
                         std::to_string(labels.size()) + " were supplied.");
  for (const auto& label : labels)
    if (const auto size = label.get<std::string>().size(); size == 0 || size > longest_label)
      return unprocessable("Invalid label: its name has to have 1 to 256 characters.");
  return std::nullopt;
}

} // namespace ci::github_simulator
