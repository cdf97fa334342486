#pragma once
/// The arguments of ci-monitor.

#include <optional>
#include <string>
#include <vector>

namespace ci::config {

struct CommandLine {
  /// `--config`.
  std::string config_file = "monitor.toml";
  /// `--env`; without it, `.env` in the folder of `config_file`.
  std::string env_file = ".env";
  /// Whether `--env` was given: then the file must exist.
  bool env_file_given = false;
  /// `--port-file`: where the bound ports are written, one `<address> <port>` a line; empty: nowhere.
  std::string port_file;
  bool check = false;
  bool adopt = false;
  bool version = false;
  bool help = false;
  /// What is wrong with the arguments, for stderr; empty where nothing is.
  std::string error;
};

/// `arguments` without the program's name. Options with a value take it as the next argument or after `=`.
/// `--help` and `--version` win over what else is given, errors included.
CommandLine parse_command_line(const std::vector<std::string>& arguments);

/// The text of `--help`.
std::string help_text();

} // namespace ci::config
