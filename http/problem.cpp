#include "http/problem.hpp"

#include <nlohmann/json.hpp>

namespace ci::http {

namespace {

struct RefusalText {
  const char* word;
  int status;
  const char* detail; ///< where the monitor said nothing
};

/// The one switch from why to what.
RefusalText text_of(domain::Refusal refusal) {
  using domain::Refusal;
  switch (refusal) {
  case Refusal::none:
    break;
  case Refusal::not_ready:
    return {"not-ready", 503, "The service is starting or stopping; try again."};
  case Refusal::not_taken_up:
    return {"not-taken-up", 503, "The request waited too long and had no effect; try again."};
  case Refusal::busy:
    return {"busy", 503, "Too many requests are under way; try again."};
  case Refusal::github_away:
    return {"github-away", 503, "GitHub could not be asked in time; try again."};
  case Refusal::store_away:
    return {"store-away", 503, "The store does not answer; try again."};
  case Refusal::guest_unknown:
    return {"guest-unknown", 503, "No guest is known by this address yet; try again."};
  case Refusal::not_registered:
    return {"not-registered", 503, "The runner is not registered yet; try again."};
  case Refusal::id_conflict:
    return {"id-conflict", 409, "The unique_id is in use with other arguments."};
  case Refusal::id_released:
    return {"id-released", 409, "The unique_id was released while it was being decided."};
  case Refusal::id_spent:
    return {"id-spent", 410, "The unique_id was used before; use a new one."};
  case Refusal::jit_gone:
    return {"jit-gone", 410, "The JIT config is not given out any more."};
  case Refusal::unknown_profile:
    return {"unknown-profile", 404, "There is no such profile."};
  case Refusal::no_recipe:
    return {"no-recipe", 409, "Nothing says how an image of this profile is made."};
  case Refusal::unknown_reservation:
    return {"unknown-reservation", 404, "There is no such reservation."};
  case Refusal::unknown_runner:
    return {"unknown-runner", 404, "There is no such runner."};
  case Refusal::runner_busy:
    return {"runner-busy", 409, "A job may be running on this runner."};
  case Refusal::override_active:
    return {"override-active", 409, "Another policy override is active."};
  case Refusal::override_idle:
    return {"override-idle", 422, "The override asks for nothing beyond the configured targets."};
  case Refusal::override_unfit:
    return {"override-unfit", 422, "The host has no room for any of the override."};
  case Refusal::select_disabled:
    return {"select-disabled", 403, "This host takes requests of a queue alone; ask the queue."};
  case Refusal::repo_not_allowed:
    return {"repo-not-allowed", 403, "The repository is none of those that may select runners here."};
  case Refusal::no_artifact:
    return {"no-artifact", 403, "The workflow run has no artifact of the expected name."};
  case Refusal::artifact_expired:
    return {"artifact-expired", 403, "The artifact is too old; upload a new one."};
  case Refusal::artifact_too_large:
    return {"artifact-too-large", 403, "The artifact is too large."};
  case Refusal::artifact_unreadable:
    return {"artifact-unreadable", 403, "The artifact does not hold exactly one readable text file."};
  case Refusal::artifact_mismatch:
    return {"artifact-mismatch", 403, "The artifact names another unique_id, qualified_repo or run_id."};
  case Refusal::artifact_used:
    return {"artifact-used", 403, "The artifact led to a reservation before; upload a new one."};
  case Refusal::wrong_key:
    return {"wrong-key", 403, "X-Reservation-Key is missing, or not the one that the artifact asks for."};
  case Refusal::no_profile:
    return {"no-profile", 403, "The artifact names no profile."};
  case Refusal::not_tokenless:
    return {"not-tokenless", 403, "Runners of this profile are reserved with a token alone."};
  case Refusal::foreign_head:
    return {"foreign-head", 403, "Runners of this profile are for runs of the repository's own branches."};
  case Refusal::too_many_runners:
    return {"too-many-runners", 403, "A select may not ask for so many runners."};
  case Refusal::run_is_full:
    return {"run-is-full", 403, "The workflow run holds as many runners as it may."};
  }
  return {"unexplained", 500, "The monitor gave no reason."};
}

} // namespace

Response make_response(const Problem& problem, const std::string& instance) {
  nlohmann::ordered_json body;
  body["type"] = problem.type.empty() ? "about:blank" : problem.type;
  body["title"] = problem.title.empty() ? reason_phrase(problem.status) : problem.title;
  body["status"] = problem.status;
  body["detail"] = problem.detail;
  body["instance"] = instance;
  if (!problem.errors.empty())
    for (const auto& error : problem.errors)
      body["errors"].push_back({{"parameter", error.parameter}, {"reason", error.reason}});
  // A path may hold any byte: what is not UTF-8 is replaced, never thrown about.
  auto response = make_response("application/problem+json",
                                body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  response.status = problem.status;
  response.close = problem.close;
  if (problem.retry_after_seconds)
    response.headers.emplace_back("Retry-After", std::to_string(*problem.retry_after_seconds));
  response.headers.insert(response.headers.end(), problem.headers.begin(), problem.headers.end());
  return response;
}

Problem not_found() {
  Problem problem;
  problem.status = 404;
  problem.detail = "There is nothing at this path.";
  return problem;
}

Problem bad_parameters(std::vector<ParameterError> errors) {
  Problem problem;
  problem.status = 400;
  problem.detail = errors.size() == 1 ? "A parameter is missing or wrong: " + errors.front().parameter + "."
                                      : "Some parameters are missing or wrong; see errors.";
  problem.errors = std::move(errors);
  return problem;
}

Problem unavailable(std::string detail, int retry_after_seconds) {
  Problem problem;
  problem.status = 503;
  problem.detail = std::move(detail);
  problem.retry_after_seconds = retry_after_seconds;
  return problem;
}

Problem not_ready() { return problem_of({domain::Refusal::not_ready, {}, {}}); }

int status_of(domain::Refusal refusal) { return text_of(refusal).status; }

Problem problem_of(const domain::Verdict& verdict) {
  const auto text = text_of(verdict.refusal);
  Problem problem;
  problem.status = text.status;
  problem.type = std::string("urn:ci-monitor:problem:") + text.word;
  problem.detail = verdict.detail.empty() ? text.detail : verdict.detail;
  if (problem.status == 503) {
    const auto whole = std::chrono::ceil<std::chrono::seconds>(verdict.retry_after).count();
    problem.retry_after_seconds = whole > 0 ? static_cast<int>(whole) : 1;
  }
  return problem;
}

} // namespace ci::http
