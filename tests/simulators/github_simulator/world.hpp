#pragma once
/// All that requests read and change.

#include "tests/simulators/github_simulator/faults.hpp"
#include "tests/simulators/github_simulator/limits.hpp"
#include "tests/simulators/github_simulator/routes.hpp"

namespace ci::github_simulator {

/// What does not change while the program runs.
struct Identity {
  std::string token = "sim-token"; ///< of the REST API
  KnownScopes scopes{};
  std::string runner_url{}; ///< where guests find `/_runner/`; empty: where the registration was asked for
};

struct World {
  Identity identity{};
  Model model{};
  Faults faults{};
  Limits limits{};
  /// Requests by operation, and by status or by how the answer was lost.
  std::map<std::string, std::map<std::string, std::uint64_t>> counters{};
};

} // namespace ci::github_simulator
