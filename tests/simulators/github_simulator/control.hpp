#pragma once
/// The control API below `/_control/`: what tests do to GitHub, and see of it.

#include "tests/simulators/github_simulator/world.hpp"

namespace ci::github_simulator {

Answer control(World&, const Request&, const std::vector<std::string>& segments, Moment now);

/// Below `/_control/runs` and `/_control/artifacts`; `rest` are the path's segments after that.
Answer control_runs(World&, const std::string& method, const std::vector<std::string>& rest, const Json& body,
                    Moment now);
Answer control_artifacts(World&, const std::string& method, const std::vector<std::string>& rest,
                         const Json& body, Moment now);

/// Everything, for `GET /_control/state`.
Json state_json(const World&, Moment now);
Json control_runner_json(const Runner&, const Model&, Moment now);
Json control_job_json(const Job&, const Model&);

} // namespace ci::github_simulator
