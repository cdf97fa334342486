#include "config/command_line.hpp"

#include "config/nearest.hpp"

#include <algorithm>

namespace ci::config {

namespace {

/// An option and where it goes: a switch, or a text.
struct Option {
  std::string name;
  bool CommandLine::*flag = nullptr;
  std::string CommandLine::*text = nullptr;
  std::string value_name;
  std::string doc;
};

const std::vector<Option>& options() {
  static const std::vector<Option> all{
      {"--config", nullptr, &CommandLine::config_file, "FILE",
       "settings (default: monitor.toml in the working folder)"},
      {"--env", nullptr, &CommandLine::env_file, "FILE",
       "secrets and paths (default: .env beside the settings)"},
      {"--check", &CommandLine::check, nullptr, "",
       "try the settings, every path and address, report, and exit"},
      {"--adopt", &CommandLine::adopt, nullptr, "",
       "take over what an older monitor left: guests, registrations, images and folders with our names"},
      {"--port-file", nullptr, &CommandLine::port_file, "FILE", "write the bound addresses and ports there"},
      {"--version", &CommandLine::version, nullptr, "", "print the version and exit"},
      {"--help", &CommandLine::help, nullptr, "", "print this and exit"},
  };
  return all;
}

std::string unknown(const std::string& argument) {
  if (argument.substr(0, 1) != "-")
    return "unexpected argument: " + argument;
  std::vector<std::string> names;
  for (const auto& option : options())
    names.push_back(option.name);
  return "unknown option: " + argument + " (did you mean " + nearest(argument, names) + "?)";
}

/// Keeps the first error: later ones are often its echo.
void fail(CommandLine& line, const std::string& error) {
  if (line.error.empty())
    line.error = error;
}

std::string env_beside(const std::string& config_file) {
  const auto slash = config_file.rfind('/');
  return slash == std::string::npos ? ".env" : config_file.substr(0, slash + 1) + ".env";
}

} // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
  CommandLine line;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto& argument = arguments[i];
    const auto equals = argument.find('=');
    const auto name = argument == "-h" ? "--help" : argument.substr(0, equals);
    const auto option =
        std::find_if(options().begin(), options().end(), [&](const Option& o) { return o.name == name; });
    if (option == options().end()) {
      fail(line, unknown(argument));
    } else if (option->flag) {
      line.*option->flag = true;
      if (equals != std::string::npos)
        fail(line, name + " takes no value");
    } else {
      const bool next = equals == std::string::npos && i + 1 < arguments.size();
      const auto value = next                          ? arguments[++i]
                         : equals == std::string::npos ? ""
                                                       : argument.substr(equals + 1);
      if (value.empty() || (next && value.substr(0, 2) == "--"))
        fail(line, name + " needs a " + option->value_name);
      line.*option->text = value;
      line.env_file_given |= name == "--env";
    }
  }
  if (!line.env_file_given)
    line.env_file = env_beside(line.config_file);
  if (line.help || line.version)
    line.error.clear();
  return line;
}

std::string help_text() {
  std::string text = "Usage: ci-monitor [options]\n\n"
                     "Keeps a pool of libvirt guests registered at GitHub as just-in-time runners.\n\n";
  for (const auto& option : options()) {
    auto line = "  " + option.name + (option.value_name.empty() ? "" : " " + option.value_name);
    line.resize(std::max<std::size_t>(line.size() + 1, 22), ' ');
    text += line + option.doc + "\n";
  }
  return text + "\nSIGHUP reads the settings and secrets again, SIGTERM stops; guests go on running.\n";
}

} // namespace ci::config
