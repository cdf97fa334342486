#pragma once
/// What the program of a runner says and is told, below `/_runner/{agentId}/`.

#include "tests/simulators/github_simulator/world.hpp"

namespace ci::github_simulator {

/// One of runner_operations, and whose; nothing where there is no such route.
struct RunnerTarget {
  std::string operation;
  Id id = 0;
};
std::optional<RunnerTarget> find_runner_target(const std::string& method,
                                               const std::vector<std::string>& segments);

Answer runner_says(World&, const RunnerTarget&, const Request&, Moment now);

/// The answer to a poll that waits, once there is one. `over`: the wait has ended.
std::optional<Answer> poll_answer(World&, Id runner, bool over, Moment now);

} // namespace ci::github_simulator
