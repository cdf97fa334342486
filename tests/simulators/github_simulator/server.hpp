#pragma once
/// The API over HTTP.

#include "tests/simulators/github_simulator/api.hpp"
#include "tests/simulators/github_simulator/options.hpp"

namespace ci::github_simulator {

/// Serves until SIGTERM or SIGINT. The exit status.
int serve(Api&, const Options&);

} // namespace ci::github_simulator
