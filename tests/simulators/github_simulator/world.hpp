#pragma once
/// All that requests read and change.

#include "tests/simulators/github_simulator/app_tokens.hpp"
#include "tests/simulators/github_simulator/faults.hpp"
#include "tests/simulators/github_simulator/limits.hpp"
#include "tests/simulators/github_simulator/routes.hpp"

namespace ci::github_simulator {

/// What the command line says.
struct Identity {
  std::string token = "sim-token"; ///< of the REST API
  KnownScopes scopes{};
  std::string api_path{};   ///< below which alone the REST API is, as `/api/v3`; empty: at the root, and below that
  std::string runner_url{}; ///< where guests find `/_runner/`; empty: where the registration was asked for
};

struct World {
  Identity identity{};
  /// When `identity.token` ends, as every answer says; nothing: none does.
  std::optional<Moment> token_ends{};
  App app{};
  AppTokens app_tokens{};
  Model model{};
  Faults faults{};
  Limits limits{};
  /// Requests by operation, and by status or by how the answer was lost.
  std::map<std::string, std::map<std::string, std::uint64_t>> counters{};
};

} // namespace ci::github_simulator
