#pragma once
/// What the monitor answers to requests, and why it refuses. One enum, one switch to an HTTP status (http/).

#include "actors/domain/snapshot.hpp"

#include <string>

namespace ci::domain {

enum class Refusal {
  none,
  not_ready,           ///< the first crank is not over, or the service is stopping: 503, Retry-After 1
  not_taken_up,        ///< the request waited too long, or its client left: it had no effect: 503
  busy,                ///< too many takes under way: 503
  github_away,         ///< GitHub could not be asked in time; undone: 503
  store_away,          ///< the store does not commit: 503
  guest_unknown,       ///< no guest is known by that address (yet): 503, Retry-After 1
  not_registered,      ///< the guest is known, its registration is not there yet: 503, Retry-After 1
  id_conflict,         ///< the unique_id is in use with other arguments: 409
  id_released,         ///< released while it was being decided: 409
  id_spent,            ///< the unique_id was used within 7 days: 410
  jit_gone,            ///< the JIT config was used, or is not given any more: 410
  unknown_profile,     ///< 404
  no_recipe,           ///< nothing says how an image of the profile is made: 409
  unknown_reservation, ///< 404
  unknown_runner,      ///< 404
  runner_busy,         ///< a job may be running on the runner, or it is promised to one: 409
  override_active,     ///< another policy override is in force: 409
  override_idle,       ///< the override asks for nothing beyond the configured targets: 422
  override_unfit,      ///< the host has no room for any of the override: 422
  // Of selects without a token, each 403:
  select_disabled,     ///< this host belongs to a queue, which takes with a token
  repo_not_allowed,    ///< the repository does not begin with the allowed prefix
  no_artifact,         ///< the run has no artifact of that name
  artifact_expired,    ///< GitHub calls it expired, or it is too old
  artifact_too_large,  ///< its archive, or the file in it, is
  artifact_unreadable, ///< no zip of exactly one text file of key=value lines
  artifact_mismatch,   ///< it names another unique_id, repository or run
  artifact_used,       ///< it led to a reservation before
  wrong_key,           ///< `X-Reservation-Key` is missing or not the one whose digest it holds
  no_profile,          ///< it names no profile
  not_tokenless,       ///< the profile is not for selects without a token
  foreign_head,        ///< the profile is for runs of the repository itself alone
  too_many_runners,    ///< more than one select may ask for
  run_is_full,         ///< the run would hold more live runners than it may
};
const char* to_string(Refusal);

/// Common part of every answer.
struct Verdict {
  Refusal refusal = Refusal::none;
  /// One sentence that a person can act on; no secret.
  std::string detail;
  Duration retry_after{0}; ///< for the 503s; zero: the server's default of 1 s
};

/// Why an override is refused; no refusal where it is not.
Verdict verdict_of(const OverrideDecision&);

/// `runners` empty without a refusal means `null`: nothing reserved, nothing changed.
struct TakeAnswer {
  Verdict verdict;
  std::vector<RunnerViewPtr> runners;
};
struct ReleaseAnswer {
  Verdict verdict;
  ReservationViewPtr reservation;
};
/// A JIT config is a secret: this struct is never logged.
struct JitAnswer {
  Verdict verdict;
  std::string encoded_jit_config;
};
struct BootAnswer {
  Verdict verdict;
  std::shared_ptr<const std::string> script;
};

} // namespace ci::domain
