#pragma once
/// The command line.

#include "tests/simulators/command_line.hpp"
#include "tests/simulators/github_simulator/world.hpp"

namespace ci::github_simulator {

struct Options : simulators::CommonOptions {
  std::string listen = "127.0.0.1";
  std::uint16_t port = 0;
  std::string port_file;
  std::string state_file;
  Json settings = Json::object(); ///< put over those of the state file
  std::string webhook_url, webhook_secret; ///< put over those of the settings
  Identity identity;
};

/// The options, or what is wrong with them.
std::variant<Options, std::string> parse_options(const std::vector<std::string>& arguments);
std::string usage();

} // namespace ci::github_simulator
