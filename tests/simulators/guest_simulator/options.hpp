#pragma once
/// The command line.

#include "tests/simulators/command_line.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ci::guest_simulator {

using Duration = std::chrono::milliseconds;

struct Options : simulators::CommonOptions {
  std::string connect;
  std::string monitor;
  /// Taken where a JIT config names no server.
  std::string github;
  std::string prefix = "ci-runner";
  /// Of guests that build an image.
  std::string rebuild_prefix = "ci-rebuild";
  bool shutdown = true;
  std::optional<Duration> job_time;
  Duration boot_delay{0};
  std::string behaviour_file;
  std::string pid_file;
};

std::string usage();
/// The options, or what is wrong with them.
std::variant<Options, std::string> parse_options(const std::vector<std::string>& arguments);

} // namespace ci::guest_simulator
