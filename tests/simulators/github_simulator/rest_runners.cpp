/// Registering, listing and removing runners.

#include "tests/simulators/github_simulator/render.hpp"
#include "tests/simulators/github_simulator/rest.hpp"

namespace ci::github_simulator {

namespace {

constexpr const char* documentation = "/actions/self-hosted-runners";

Answer unprocessable(const std::string& message) { return error_answer(422, message, documentation); }

std::string missing_fields(const Json& body) {
  std::string missing;
  int count = 0;
  for (const auto* field : {"name", "runner_group_id", "labels"})
    if (!body.contains(field)) {
      missing += (count++ ? ", \"" : "\"") + std::string{field} + "\"";
    }
  return count == 0
             ? missing
             : "Invalid request.\n\n" + missing + (count == 1 ? " wasn't supplied." : " weren't supplied.");
}

std::optional<Answer> registration_complaint(const Json& body, const Settings& settings) {
  if (const auto missing = missing_fields(body); !missing.empty())
    return unprocessable(missing);
  const auto wrong_type = [&](const char* field, const char* type) {
    return unprocessable("Invalid request.\n\nFor 'properties/" + std::string{field} + "', " +
                         body[field].dump() + " is not " + type + ".");
  };
  if (!body["name"].is_string())
    return wrong_type("name", "a string");
  if (!body["runner_group_id"].is_number_integer())
    return wrong_type("runner_group_id", "an integer");
  if (body.contains("work_folder") && !body["work_folder"].is_string())
    return wrong_type("work_folder", "a string");
  if (auto complaint = labels_complaint(body, 1))
    return complaint;
  const auto length = static_cast<int>(body["name"].get<std::string>().size());
  if (length == 0 || length > settings.name_limit)
    return unprocessable("Invalid runner name: it has to have 1 to " + std::to_string(settings.name_limit) +
                         " characters.");
  if (body["runner_group_id"].get<double>() < 1 || body["runner_group_id"].get<double>() > 1e9)
    return not_found(documentation);
  return std::nullopt;
}

/// The runners of the scope that a listing shows, and that a fault leaves out of it.
struct Shown {
  std::vector<const Runner*> runners;
  std::vector<Mentioned> forgotten;
};

Shown shown(const Call& call) {
  const auto name = value_of(call.query, "name");
  Shown shown;
  for (const auto& [id, runner] : call.world.model.runners()) {
    if (runner.scope != call.target.scope || runner.hidden ||
        (name && !name->empty() && runner.name != *name))
      continue;
    if (const Mentioned who{id, runner.name}; call.world.faults.forgets("list", who))
      shown.forgotten.push_back(who);
    else
      shown.runners.push_back(&runner);
  }
  return shown;
}

} // namespace

Answer register_runner(Call& call) {
  auto read = object_in(call.request);
  if (auto* wrong = std::get_if<Answer>(&read))
    return *wrong;
  const auto& body = std::get<Json>(read);
  if (auto complaint = registration_complaint(body, call.settings()))
    return *complaint;
  const Registering wanted{.name = body["name"],
                           .labels = body["labels"].get<LabelNames>(),
                           .group = body["runner_group_id"],
                           .work_folder = body.value("work_folder", "_work")};
  const auto* runner = call.world.model.register_runner(call.target.scope, wanted, call.now);
  if (!runner)
    return error_answer(409, "Already exists - A runner with the name *** already exists.", documentation);
  const auto& configured = call.world.identity.runner_url;
  const auto server_url = configured.empty() ? "http://" + call.request.header("host") : configured;
  return json_answer(201, registration_json(*runner, call.world.model, server_url, call.now));
}

Answer list_runners(Call& call) {
  const auto found = shown(call);
  const auto total = found.runners.size();
  const auto page = page_of(call.query, total, call.settings().per_page_cap);
  Json elements = Json::array();
  for (auto i = page.begin(total); i < page.end(total); ++i)
    elements.push_back(runner_json(*found.runners[i], call.world.model, call.now));
  // A runner is forgotten for whole listings, whatever the number of their pages.
  if (page.is_last())
    for (const auto& who : found.forgotten)
      call.world.faults.forgotten("list", who);
  return paged(call, page, total, "runners", std::move(elements), "/actions/runners");
}

Answer get_runner(Call& call) {
  const auto* runner = call.world.model.find(call.target.scope, call.target.id);
  if (!runner)
    return not_found(documentation);
  if (const Mentioned who{runner->id, runner->name}; call.world.faults.forgets("get", who)) {
    call.world.faults.forgotten("get", who);
    return not_found(documentation);
  }
  return json_answer(200, runner_json(*runner, call.world.model, call.now));
}

Answer delete_runner(Call& call) {
  const auto* runner = call.world.model.find(call.target.scope, call.target.id);
  if (!runner)
    return not_found(documentation);
  const auto name = runner->name;
  if (call.world.model.remove(runner->id, call.now) == Removal::busy)
    return unprocessable("Runner \"" + name + "\" is currently running a job and cannot be deleted.");
  return {.status = 204};
}

} // namespace ci::github_simulator
