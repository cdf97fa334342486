#include "config/command_line.hpp"

#include <doctest/doctest.h>

using namespace ci::config;

TEST_CASE("without arguments the files in the working folder count") {
  const auto line = parse_command_line({});
  CHECK(line.error == "");
  CHECK(line.config_file == "monitor.toml");
  CHECK(line.env_file == ".env");
  CHECK(!line.env_file_given);
  CHECK(line.port_file == "");
  CHECK(!(line.check || line.adopt || line.version || line.help));
}

TEST_CASE("every option is read, its value as the next argument or after an equals sign") {
  const auto line = parse_command_line(
      {"--config", "/etc/ci/monitor.toml", "--env=/run/a=b", "--port-file", "ports", "--check", "--adopt"});
  CHECK(line.error == "");
  CHECK(line.config_file == "/etc/ci/monitor.toml");
  CHECK(line.env_file == "/run/a=b");
  CHECK(line.env_file_given);
  CHECK(line.port_file == "ports");
  CHECK(line.check);
  CHECK(line.adopt);
}

TEST_CASE("the environment file is beside the settings unless it is given") {
  CHECK(parse_command_line({"--config", "/etc/ci/monitor.toml"}).env_file == "/etc/ci/.env");
  CHECK(parse_command_line({"--config", "x.toml"}).env_file == ".env");
  CHECK(parse_command_line({"--env", "e", "--config", "/etc/ci/monitor.toml"}).env_file == "e");
}

TEST_CASE("wrong arguments are told, the first one") {
  CHECK(parse_command_line({"--confg", "x"}).error == "unknown option: --confg (did you mean --config?)");
  CHECK(parse_command_line({"x"}).error == "unexpected argument: x");
  CHECK(parse_command_line({""}).error == "unexpected argument: ");
  CHECK(parse_command_line({"--config"}).error == "--config needs a FILE");
  CHECK(parse_command_line({"--config="}).error == "--config needs a FILE");
  CHECK(parse_command_line({"--config", "--check"}).error == "--config needs a FILE");
  CHECK(parse_command_line({"--check=yes"}).error == "--check takes no value");
  CHECK(parse_command_line({"--vrsion", "--config"}).error ==
        "unknown option: --vrsion (did you mean --version?)");
}

TEST_CASE("help and the version are given whatever else is wrong") {
  CHECK(parse_command_line({"--help"}).help);
  CHECK(parse_command_line({"-h"}).help);
  const auto line = parse_command_line({"--wrong", "--version"});
  CHECK(line.version);
  CHECK(line.error == "");
}

TEST_CASE("the help text names every option") {
  for (const auto* option :
       {"--config FILE", "--env FILE", "--check", "--adopt", "--port-file FILE", "--version", "--help"})
    CHECK(help_text().find(option) != std::string::npos);
}
