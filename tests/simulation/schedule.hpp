#pragma once
/// Random schedules: made from a seed, replayed step by step, shortened when one breaks a promise.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ci::test {

/// A cheap way to many independent choices from one salt.
std::uint64_t mix(std::uint64_t salt, std::uint64_t n);

/// One step of a schedule. What it does follows from `salt` and the state it meets, so that a schedule can be
/// replayed, and shortened, step by step.
struct Step {
  enum class Kind {
    carry,
    answer,
    commit,
    time,
    guest,
    take,
    repeat,
    release,
    jit,
    crash,
    fault,
    policy,
    lever,
    event,
    jump,
    run,   ///< of a workflow: its jobs are queued, or it ends
    hook,  ///< a webhook
    leave, ///< an older monitor left something; only before everything else
  };
  Kind kind = Kind::carry;
  std::uint64_t salt = 0;
};
const char* to_string(Step::Kind);
using Schedule = std::vector<Step>;

/// The schedule of that seed.
Schedule make_schedule(std::uint64_t seed, std::size_t steps);

/// What broke, and at which step; the number of steps: after the last one.
struct Broken {
  std::string promise;
  std::size_t step = 0;
};

/// Runs a schedule from an empty host; `trace`, if given, gets a line for each thing that happens.
using Play = std::function<std::optional<Broken>(const Schedule&, std::vector<std::string>* trace)>;

/// Shortens a schedule that breaks a promise as far as it still breaks one.
Schedule shrink(Schedule, const Play&);

} // namespace ci::test
