#include "tests/simulators/github_simulator/control.hpp"

#include "tests/simulators/github_simulator/text.hpp"

namespace ci::github_simulator {

namespace {

/// A control request below its first two segments, `_control` and the kind of thing.
struct Control {
  World& world;
  const std::string& method;
  std::vector<std::string> rest;
  Json body;
  Moment now;

  bool is(const char* wanted_method, std::size_t segments) const {
    return method == wanted_method && rest.size() == segments;
  }
};

Answer no_such_thing() { return plain_error(404, "no such thing"); }

// --- Jobs ---

Answer add_job(Control& control) {
  QueuedJob wanted;
  wanted.repository = control.body.value("repo", "o/r");
  wanted.labels = control.body.at("labels").get<LabelNames>();
  wanted.seconds = control.body.value("seconds", wanted.seconds);
  wanted.name = control.body.value("name", wanted.name);
  if (control.body.contains("run_id") && !control.body["run_id"].is_null())
    wanted.run = control.body["run_id"];
  if (split(wanted.repository, '/').size() != 2)
    return plain_error(422, "repo is owner/name");
  const auto* job = control.world.model.queue_job(wanted, control.now);
  if (!job)
    return plain_error(422, "no such run of this repo");
  control.world.model.scope("repos/" + wanted.repository); // it has a number in the run's JSON
  return json_answer(201, control_job_json(*job, control.world.model));
}

Answer jobs(Control& control) {
  auto& model = control.world.model;
  if (control.is("POST", 0))
    return add_job(control);
  if (control.is("GET", 0)) {
    Json list = Json::array();
    for (const auto& [id, job] : model.jobs())
      list.push_back(control_job_json(job, model));
    return json_answer(200, {{"total_count", list.size()}, {"jobs", list}});
  }
  const auto* job = control.rest.size() == 1 ? model.job(parse_id(control.rest[0]).value_or(0)) : nullptr;
  if (!job)
    return no_such_thing();
  if (control.method == "DELETE" && !model.cancel_job(job->id, control.now))
    return plain_error(409, "the job has ended");
  return json_answer(200, control_job_json(*job, model));
}

// --- Runners ---

/// By id or name.
const Runner* runner_called(const Model& model, const std::string& who) {
  if (const auto* runner = model.runner(parse_id(who).value_or(0)))
    return runner;
  for (const auto& [id, runner] : model.runners())
    if (runner.name == who)
      return &runner;
  return nullptr;
}

template <class T>
std::optional<T> optional_value(const Json& body, const char* key) {
  if (!body.contains(key) || body[key].is_null())
    return std::nullopt;
  return body[key].get<T>();
}

Answer add_runner(Control& control) {
  auto& model = control.world.model;
  const auto scope = model.scope(control.body.value("scope", "repos/o/r")).key;
  const Registering wanted{.name = control.body.at("name"),
                           .labels = control.body.value("labels", LabelNames{"self-hosted"}),
                           .group = control.body.value("runner_group_id", 1),
                           .ephemeral = control.body.value("ephemeral", false)};
  const auto* runner = model.add_foreign(scope, wanted, control.body.value("status", "online"),
                                         control.body.value("busy", false), control.now);
  return runner ? json_answer(201, control_runner_json(*runner, model, control.now))
                : plain_error(409, "the name is taken");
}

Answer change_runner(Control& control, const Runner& runner) {
  auto& model = control.world.model;
  if (control.is("DELETE", 1)) {
    model.drop(runner.id, control.now);
    return {.status = 204};
  }
  const auto action = control.rest.size() == 2 ? control.rest[1] : std::string{};
  if (control.is("POST", 2) && action == "vanish")
    model.hide(runner.id, control.body.value("program", true));
  else if (control.is("POST", 2) && action == "appear")
    model.show(runner.id, control.now);
  else if (control.is("PUT", 1))
    model.tell(runner.id, optional_value<std::string>(control.body, "status"),
               optional_value<bool>(control.body, "busy"));
  else if (!control.is("GET", 1))
    return no_such_thing();
  return json_answer(200, control_runner_json(runner, model, control.now));
}

Answer runners(Control& control) {
  if (control.is("POST", 0))
    return add_runner(control);
  const auto* runner = control.rest.empty() ? nullptr : runner_called(control.world.model, control.rest[0]);
  return runner ? change_runner(control, *runner) : no_such_thing();
}

// --- Who may ask ---

/// `{"token", "expires_at"}`: another token from now on; the old one is refused. Seconds since 1970, by our clock.
Answer change_token(Control& control) {
  if (!control.is("PUT", 0))
    return no_such_thing();
  control.world.identity.token = control.body.value("token", control.world.identity.token);
  control.world.token_ends.reset();
  if (const auto end = optional_value<std::int64_t>(control.body, "expires_at"))
    control.world.token_ends = Moment{std::chrono::seconds{*end}};
  return {.status = 204};
}

/// `{"id", "installation_id", "public_key"}`, or an end of all its tokens.
Answer change_app(Control& control) {
  if (control.is("DELETE", 1) && control.rest[0] == "tokens") {
    control.world.app_tokens.revoke();
    return {.status = 204};
  }
  if (!control.is("PUT", 0))
    return no_such_thing();
  control.world.app = {control.body.at("id"), control.body.at("installation_id"), control.body.at("public_key")};
  return {.status = 204};
}

// --- Settings and faults ---

Answer settings(Control& control) {
  auto settings = control.world.model.settings();
  if (control.is("PUT", 0)) {
    if (const auto wrong = apply_settings(settings, control.body))
      return plain_error(422, *wrong);
    control.world.model.set_settings(settings);
  } else if (!control.is("GET", 0)) {
    return no_such_thing();
  }
  return json_answer(200, to_json(settings));
}

Answer faults(Control& control) {
  auto& faults = control.world.faults;
  if (control.is("POST", 0)) {
    const auto added = faults.add(control.body);
    if (const auto* wrong = std::get_if<std::string>(&added))
      return plain_error(422, *wrong);
    return json_answer(201, to_json(faults.all().back()));
  }
  if (control.is("GET", 0)) {
    Json list = Json::array();
    for (const auto& fault : faults.all())
      list.push_back(to_json(fault));
    return json_answer(200, {{"total_count", list.size()}, {"faults", list}});
  }
  if (control.is("DELETE", 0))
    faults.clear();
  else if (!control.is("DELETE", 1) || !faults.remove(parse_id(control.rest[0]).value_or(0)))
    return no_such_thing();
  return {.status = 204};
}

} // namespace

Answer control(World& world, const Request& request, const std::vector<std::string>& segments, Moment now) {
  if (segments.size() < 2)
    return no_such_thing();
  auto body = request.body.empty() ? Json::object() : Json::parse(request.body, nullptr, false);
  if (!body.is_object())
    return plain_error(400, "the body is no JSON object");
  Control control{world, request.method, {segments.begin() + 2, segments.end()}, std::move(body), now};
  try {
    if (segments[1] == "jobs")
      return jobs(control);
    if (segments[1] == "runs")
      return control_runs(world, request.method, control.rest, control.body, now);
    if (segments[1] == "artifacts")
      return control_artifacts(world, request.method, control.rest, control.body, now);
    if (segments[1] == "runners")
      return runners(control);
    if (segments[1] == "settings")
      return settings(control);
    if (segments[1] == "token")
      return change_token(control);
    if (segments[1] == "app")
      return change_app(control);
    if (segments[1] == "faults")
      return faults(control);
    if (segments[1] == "state" && control.is("GET", 0))
      return json_answer(200, state_json(world, now));
  } catch (const Json::exception& e) {
    return plain_error(422, e.what());
  }
  return no_such_thing();
}

} // namespace ci::github_simulator
