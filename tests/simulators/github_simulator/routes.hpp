#pragma once
/// Which operation a method and path mean.

#include "tests/simulators/github_simulator/model.hpp"

namespace ci::github_simulator {

/// What a path of the REST API names.
struct Target {
  std::string operation; ///< one of rest_operations
  std::string prefix;    ///< `/api/v3` or nothing
  std::string scope;     ///< key of a Scope; empty for `rate_limit` and `access_token`
  Id id = 0;             ///< of a runner, run, artifact or installation
  std::string label;
};

/// The scopes that exist, by key; nothing in it: every scope does.
using KnownScopes = std::set<std::string>;

/// Nothing where there is no such route, or no such scope. Makes the scope known to the model.
std::optional<Target> find_target(const std::string& method, const std::string& path, Model&,
                                  const KnownScopes&);

/// The path's decoded segments; nothing where it ends in a slash or does not begin with one.
std::vector<std::string> segments_of(const std::string& path);

} // namespace ci::github_simulator
