#include "tests/simulators/github_simulator/api.hpp"

#include "tests/simulators/github_simulator/control.hpp"
#include "tests/simulators/github_simulator/operations.hpp"

#include <array>

namespace ci::github_simulator {

namespace {

constexpr std::array<std::string_view, 2> versions = {"2022-11-28", "2026-03-10"};
constexpr const char* no_route = "unknown";

bool is_accepted(const World& world, const std::string& token, Moment now) {
  return token == world.identity.token || world.app_tokens.good(token, world.model.settings().by_clock(now));
}

/// What is wrong with who asks, or how.
std::optional<Answer> request_complaint(const Request& request, const World& world, bool with_jwt, Moment now) {
  if (request.header("user-agent").empty())
    return error_answer(403, "Request forbidden by administrative rules. Please make sure your request has a "
                             "User-Agent header.");
  const auto& given = request.header("authorization");
  if (given.empty())
    return error_answer(401, "Requires authentication");
  const auto space = given.find(' ');
  const auto scheme = lower(given.substr(0, space));
  if ((scheme != "bearer" && scheme != "token") || space == std::string::npos ||
      (!with_jwt && !is_accepted(world, given.substr(space + 1), now)))
    return error_answer(401, "Bad credentials");
  const auto& version = request.header("x-github-api-version");
  if (!version.empty() && std::find(versions.begin(), versions.end(), version) == versions.end())
    return error_answer(400, "Invalid API version: \"" + version + "\".");
  return std::nullopt;
}

bool is_among(const std::string& tags, const std::string& etag) {
  if (tags == "*")
    return true;
  for (auto tag : split(tags, ',')) {
    while (tag.starts_with(' '))
      tag.remove_prefix(1);
    while (tag.ends_with(' '))
      tag.remove_suffix(1);
    // GitHub's tags are weak, and compared weakly: the mark makes no difference.
    if (tag == etag || "W/" + std::string{tag} == etag)
      return true;
  }
  return false;
}

const char* how_lost(Delivery delivery) {
  switch (delivery) {
  case Delivery::held:
    return "timeout";
  case Delivery::reset:
    return "reset";
  case Delivery::closed:
    return "closed";
  default:
    return nullptr;
  }
}

} // namespace

Answer Api::handle(const Request& request, Moment now) {
  world_.model.advance(now);
  ++requests_;
  const auto segments = segments_of(request.path);
  if (!segments.empty() && segments[0] == "_control")
    return control(world_, request, segments, now);
  if (!segments.empty() && segments[0] == "_runner")
    return runner(request, segments, now);
  if (!segments.empty() && segments[0] == "_storage")
    return storage(request, now);
  return rest(request, now);
}

Answer Api::storage(const Request& request, Moment now) {
  const auto fault = world_.faults.take(storage_operation, {});
  auto answer = fault && !fault->acts() ? answer_instead(*fault, world_.model.settings())
                                        : stored_archive(world_, request, now);
  delay(answer, storage_operation);
  if (fault && fault->acts())
    distort(answer, *fault, world_.model.settings());
  count(storage_operation, answer);
  return answer;
}

Answer Api::runner(const Request& request, const std::vector<std::string>& segments, Moment now) {
  const auto target = find_runner_target(request.method, segments);
  if (!target)
    return plain_error(404, "no such thing");
  const auto& settings = world_.model.settings();
  const auto* speaking = world_.model.runner(target->id);
  const auto fault =
      world_.faults.take(target->operation, {target->id, speaking ? speaking->name : std::string{}});
  auto answer =
      fault && !fault->acts() ? answer_instead(*fault, settings) : runner_says(world_, *target, request, now);
  const bool spoilt = fault && fault->acts();
  delay(answer, target->operation);
  if (answer.waiting) {
    if (spoilt)
      poll_faults_[answer.waiting] = *fault;
    return answer;
  }
  if (spoilt)
    distort(answer, *fault, settings);
  count(target->operation, answer);
  return answer;
}

Answer Api::rest(const Request& request, Moment now) {
  const auto& below = world_.identity.api_path;
  const bool is_here = below.empty() || request.path.starts_with(below + "/");
  const auto target =
      is_here ? find_target(request.method, request.path, world_.model, world_.identity.scopes) : std::nullopt;
  const auto operation = target ? target->operation : no_route;
  const bool with_jwt = operation == "access_token";
  auto refused = request_complaint(request, world_, with_jwt, now);
  if (!refused)
    refused = world_.limits.admit(request.method, operation, with_jwt || operation == "rate_limit",
                                  world_.model.settings(), now);
  Answer answer;
  if (refused) {
    answer = *refused;
  } else if (target) {
    Call call{.request = request, .target = *target, .world = world_, .now = now};
    answer = admitted(call);
  } else {
    answer = not_found();
  }
  answer.counted = !refused;
  decorate(answer, request, operation, now);
  delay(answer, operation);
  count(operation, answer);
  return answer;
}

/// A request that a fault meets gets no ETag: what it gets is not what the tag would stand for.
Answer Api::admitted(Call& call) {
  std::optional<Fault> fault;
  if (!world_.faults.all().empty())
    fault = world_.faults.take(call.target.operation, mentioned_by(call));
  if (fault && !fault->acts())
    return answer_instead(*fault, world_.model.settings());
  auto answer = operate(call);
  if (!fault)
    return with_etag(std::move(answer), call);
  distort(answer, *fault, world_.model.settings());
  return answer;
}

Answer Api::with_etag(Answer answer, const Call& call) {
  const bool tagged = call.settings().etags && call.request.method == "GET" && answer.status == 200 &&
                      call.target.operation != "rate_limit";
  if (!tagged)
    return answer;
  const auto etag = "W/\"" + sha256_hex(answer.body) + "\"";
  answer.set_header("etag", etag);
  if (!is_among(call.request.header("if-none-match"), etag))
    return answer;
  answer.status = 304;
  answer.body.clear();
  answer.drop_header("content-type");
  world_.limits.refund();
  return answer;
}

void Api::decorate(Answer& answer, const Request& request, const std::string& operation, Moment now) {
  const auto& version = request.header("x-github-api-version");
  const auto add = [&](const char* name, const std::string& value) {
    for (const auto& [present, ignored] : answer.headers)
      if (lower(present) == name)
        return; // a fault may have set it
    answer.set_header(name, value);
  };
  Answer budget;
  world_.limits.advance(world_.model.settings(), now);
  world_.limits.add_headers(budget, world_.model.settings());
  for (const auto& [name, value] : budget.headers)
    add(name.c_str(), value);
  add("date", to_http_date(world_.model.settings().by_clock(now)));
  if (world_.token_ends)
    add("github-authentication-token-expiration", to_expiration(*world_.token_ends));
  add("server", "github.com");
  add("cache-control", "private, max-age=60, s-maxage=60");
  add("vary", "Accept, Authorization, Cookie, X-GitHub-OTP");
  add("x-github-media-type", "github.v3; format=json");
  add("x-github-api-version-selected", version.empty() ? std::string{versions.front()} : version);
  add("x-github-request-id",
      "51D0:" + std::to_string(1'000'000 + requests_) + ":" + std::to_string(now.time_since_epoch().count()));
  if (operation != no_route && operation != "rate_limit")
    add("x-accepted-github-permissions",
        request.method == "GET" ? "administration=read" : "administration=write");
}

void Api::delay(Answer& answer, const std::string& operation) const {
  const auto& delays = world_.model.settings().answer_delay;
  auto it = delays.find(operation);
  if (it == delays.end() && (is_rest_operation(operation) || operation == no_route))
    it = delays.find(any_operation);
  if (it != delays.end())
    answer.delay += it->second;
}

void Api::count(const std::string& operation, const Answer& answer) {
  const auto* lost = how_lost(answer.delivery);
  ++world_.counters[operation][lost ? lost : std::to_string(answer.status)];
}

std::vector<Webhook> Api::take_webhooks() {
  std::vector<Webhook> webhooks;
  for (const auto& happening : world_.model.take_happenings()) {
    if (world_.model.settings().webhook_url.empty())
      continue;
    auto webhook = make_webhook(happening, world_.model);
    const auto fault = world_.faults.take(happening.operation, {happening.job.runner, happening.job.runner_name});
    if (fault && fault->kind == "drop") {
      webhook_over(webhook, "dropped");
      continue;
    }
    if (fault && fault->kind == "delay")
      webhook.delay += from_seconds(fault->seconds);
    webhooks.push_back(webhook);
    if (fault && fault->kind == "duplicate")
      webhooks.push_back(webhook); // with the same id, as a redelivery
  }
  return webhooks;
}

std::optional<Answer> Api::resume(Id runner, bool over, Moment now) {
  world_.model.advance(now);
  auto answer = poll_answer(world_, runner, over, now);
  if (!answer)
    return answer;
  if (const auto fault = poll_faults_.find(runner); fault != poll_faults_.end()) {
    distort(*answer, fault->second, world_.model.settings());
    poll_faults_.erase(fault);
  }
  count("job", *answer);
  return answer;
}

void Api::poll_lost(Id runner, Moment now) {
  world_.model.advance(now);
  world_.model.poll_ended(runner, now);
  poll_faults_.erase(runner);
}

void Api::answered(const Answer& answer) {
  if (answer.counted)
    world_.limits.finished();
}

void Api::undelivered(const Answer& answer, Moment now) {
  world_.model.advance(now);
  if (answer.gives_job_to)
    world_.model.undelivered(answer.gives_job_to, now);
}

nlohmann::json Api::save() const {
  auto faults = nlohmann::json::array();
  for (const auto& fault : world_.faults.all())
    faults.push_back(nlohmann::json(to_json(fault)));
  return {{"model", world_.model.save()},
          {"limits", world_.limits.save()},
          {"counters", world_.counters},
          {"faults", faults}};
}

void Api::load(const nlohmann::json& state, Moment now) {
  world_.model.load(state.at("model"), now);
  world_.limits.load(state.at("limits"));
  state.at("counters").get_to(world_.counters);
  for (const auto& fault : state.at("faults"))
    world_.faults.add(Json(fault));
}

} // namespace ci::github_simulator
