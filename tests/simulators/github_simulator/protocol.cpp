#include "tests/simulators/github_simulator/protocol.hpp"

#include "tests/simulators/github_simulator/text.hpp"

#include <algorithm>
#include <cstdlib>

namespace ci::github_simulator {

namespace {

Answer refusal(Contact contact) {
  return contact == Contact::absent
             ? plain_error(404, "The runner registration has been deleted from the server.")
             : plain_error(409, "The runner is not in a state for this.");
}

Answer job_answer(const Job& job) {
  auto answer = json_answer(
      200, {{"id", job.id}, {"name", job.name}, {"seconds", job.seconds}, {"labels", job.labels}});
  answer.gives_job_to = job.runner;
  return answer;
}

bool may_speak(const Runner& runner, const Request& request) {
  const auto& given = request.header("authorization");
  return given == "Bearer " + runner.token || given == "bearer " + runner.token;
}

/// An object; empty where the body is none.
Json body_of(const Request& request) {
  auto body = Json::parse(request.body, nullptr, false);
  return body.is_object() ? body : Json::object();
}

std::string text_in(const Json& body, const char* key, const char* otherwise) {
  return body.contains(key) && body[key].is_string() ? body[key].get<std::string>() : otherwise;
}

Answer open_session(World& world, const Runner& runner, const Request& request, Moment now) {
  const auto body = body_of(request);
  const auto contact = world.model.open_session(runner.id, text_in(body, "os", "Linux"),
                                                text_in(body, "version", "2.336.0"), now);
  return contact == Contact::welcome ? json_answer(201, {{"agentId", runner.id}, {"agentName", runner.name}})
                                     : refusal(contact);
}

Answer poll(World& world, const Runner& runner, const Request& request, Moment now) {
  const auto id = runner.id;
  const auto polled = world.model.poll(id, now);
  if (polled.contact != Contact::welcome)
    return refusal(polled.contact);
  if (polled.job)
    return job_answer(*polled.job);
  const auto text = value_of(parse_query(request.query), "wait").value_or("25");
  const auto wanted = std::clamp(std::strtod(text.c_str(), nullptr), 0.0, 1e6);
  const auto wait = std::min(from_seconds(wanted), world.model.settings().poll_limit);
  if (wait.count() == 0) {
    world.model.poll_ended(id, now);
    return {.status = 204};
  }
  return {.waiting = id, .wait_until = after(now, wait)};
}

Answer alive(World& world, const Runner& runner, Moment now) {
  const auto alive = world.model.alive(runner.id, now);
  return alive.contact == Contact::welcome ? json_answer(200, {{"cancel", alive.job && alive.job->cancelled}})
                                           : refusal(alive.contact);
}

Answer done(World& world, const Runner& runner, const Request& request, Moment now) {
  const auto conclusion = text_in(body_of(request), "conclusion", "success");
  const auto contact = world.model.finish_job(runner.id, conclusion, now);
  return contact == Contact::welcome ? json_answer(200, Json::object()) : refusal(contact);
}

Answer end_session(World& world, const Runner& runner, Moment now) {
  const auto contact = world.model.close_session(runner.id, now);
  return contact == Contact::welcome ? Answer{.status = 204} : refusal(contact);
}

} // namespace

std::optional<RunnerTarget> find_runner_target(const std::string& method,
                                               const std::vector<std::string>& segments) {
  if (segments.size() != 3 || segments[0] != "_runner")
    return std::nullopt;
  const auto id = parse_id(segments[1]);
  if (!id)
    return std::nullopt;
  const auto& what = segments[2];
  const auto is = [&](const char* wanted_method, const char* wanted) {
    return method == wanted_method && what == wanted;
  };
  if (is("POST", "session") || is("POST", "alive") || is("POST", "done") || is("GET", "job"))
    return RunnerTarget{what, *id};
  if (is("DELETE", "session"))
    return RunnerTarget{"end_session", *id};
  return std::nullopt;
}

Answer runner_says(World& world, const RunnerTarget& target, const Request& request, Moment now) {
  const auto* runner = world.model.runner(target.id);
  if (!runner || runner->unreachable)
    return refusal(Contact::absent);
  if (!may_speak(*runner, request))
    return plain_error(401, "Bad credentials");
  if (target.operation == "session")
    return open_session(world, *runner, request, now);
  if (target.operation == "job")
    return poll(world, *runner, request, now);
  if (target.operation == "alive")
    return alive(world, *runner, now);
  if (target.operation == "done")
    return done(world, *runner, request, now);
  return end_session(world, *runner, now);
}

std::optional<Answer> poll_answer(World& world, Id id, bool over, Moment now) {
  const auto* runner = world.model.runner(id);
  if (!runner || runner->unreachable || runner->done)
    return refusal(Contact::absent);
  if (!runner->in_session)
    return refusal(Contact::conflict);
  if (runner->job)
    return job_answer(*world.model.job(runner->job));
  if (!over)
    return std::nullopt;
  world.model.poll_ended(id, now);
  return Answer{.status = 204};
}

} // namespace ci::github_simulator
