#include "actors/domain/answers.hpp"

namespace ci::domain {

const char* to_string(Refusal r) {
  switch (r) {
  case Refusal::none:
    return "none";
  case Refusal::not_ready:
    return "not_ready";
  case Refusal::not_taken_up:
    return "not_taken_up";
  case Refusal::busy:
    return "busy";
  case Refusal::github_away:
    return "github_away";
  case Refusal::store_away:
    return "store_away";
  case Refusal::guest_unknown:
    return "guest_unknown";
  case Refusal::not_registered:
    return "not_registered";
  case Refusal::id_conflict:
    return "id_conflict";
  case Refusal::id_released:
    return "id_released";
  case Refusal::id_spent:
    return "id_spent";
  case Refusal::jit_gone:
    return "jit_gone";
  case Refusal::unknown_profile:
    return "unknown_profile";
  case Refusal::no_recipe:
    return "no_recipe";
  case Refusal::unknown_reservation:
    return "unknown_reservation";
  case Refusal::unknown_runner:
    return "unknown_runner";
  case Refusal::runner_busy:
    return "runner_busy";
  case Refusal::override_active:
    return "override_active";
  case Refusal::override_idle:
    return "override_idle";
  case Refusal::override_unfit:
    return "override_unfit";
  case Refusal::select_disabled:
    return "select_disabled";
  case Refusal::repo_not_allowed:
    return "repo_not_allowed";
  case Refusal::no_artifact:
    return "no_artifact";
  case Refusal::artifact_expired:
    return "artifact_expired";
  case Refusal::artifact_too_large:
    return "artifact_too_large";
  case Refusal::artifact_unreadable:
    return "artifact_unreadable";
  case Refusal::artifact_mismatch:
    return "artifact_mismatch";
  case Refusal::artifact_used:
    return "artifact_used";
  case Refusal::wrong_key:
    return "wrong_key";
  case Refusal::no_profile:
    return "no_profile";
  case Refusal::not_tokenless:
    return "not_tokenless";
  case Refusal::foreign_head:
    return "foreign_head";
  case Refusal::too_many_runners:
    return "too_many_runners";
  case Refusal::run_is_full:
    return "run_is_full";
  }
  return "?";
}

Verdict verdict_of(const OverrideDecision& decision) {
  switch (decision.refusal) {
  case OverrideRefusal::none:
    break;
  case OverrideRefusal::unknown_profile:
    return {Refusal::unknown_profile, "There is no profile " + decision.unknown + ".", {}};
  case OverrideRefusal::nothing_extra:
    if (!decision.paused.empty())
      return {Refusal::override_unfit, "Profile " + decision.paused + " is paused: no runners of it can be granted.", {}};
    return {Refusal::override_idle, "This asks for nothing beyond what the configured targets give anyway.", {}};
  case OverrideRefusal::nothing_fits:
    return {Refusal::override_unfit,
            "The host has no room for any of it beside reserved and busy runners; ask again when some have ended.",
            {}};
  }
  return {};
}

} // namespace ci::domain
