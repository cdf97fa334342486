#include "tests/simulators/github_simulator/options.hpp"

#include "tests/simulators/github_simulator/text.hpp"

namespace ci::github_simulator {

namespace {

/// False where the value is none for this option, or there is no such option.
bool take(Options& options, const std::string& name, const std::string& value) {
  if (name == "--listen") {
    options.listen = value;
  } else if (name == "--port") {
    const auto port = value == "0" ? 0 : parse_id(value).value_or(-1);
    options.port = static_cast<std::uint16_t>(port);
    return port >= 0 && port <= 65535;
  } else if (name == "--port-file") {
    options.port_file = value;
  } else if (name == "--state") {
    options.state_file = value;
  } else if (name == "--token") {
    options.identity.token = value;
  } else if (name == "--scope") {
    options.identity.scopes.insert(lower(value));
    return value.starts_with("repos/") || value.starts_with("orgs/");
  } else if (name == "--runner-url") {
    options.identity.runner_url = value;
  } else if (name == "--log-level") {
    options.log_level = value;
  } else if (name == "--settings") {
    options.settings = Json::parse(value, nullptr, false);
    return options.settings.is_object();
  } else {
    return false;
  }
  return true;
}

} // namespace

std::variant<Options, std::string> parse_options(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto& name = arguments[i];
    if (name == "--parent-death")
      options.parent_death = true;
    else if (name == "--help")
      options.help = true;
    else if (i + 1 == arguments.size() || !take(options, name, arguments[i + 1]))
      return "not understood: " + name;
    else
      ++i;
  }
  return options;
}

std::string usage() {
  return "github-simulator: stands in for api.github.com\n"
         "  --listen ADDRESS     127.0.0.1\n"
         "  --port PORT          0: any free one; it is printed\n"
         "  --port-file FILE     the port is written there too\n"
         "  --token TOKEN        what the REST API accepts; sim-token\n"
         "  --scope SCOPE        repos/OWNER/NAME or orgs/NAME, several times; without it every scope "
         "exists\n"
         "  --runner-url URL     where guests find /_runner/; by default where they were registered\n"
         "  --state FILE         kept there, and read from there at the start\n"
         "  --settings JSON      as for PUT /_control/settings\n"
         "  --log-level LEVEL    trace, debug, info, warn, err, off; to stderr\n"
         "  --parent-death       end when the parent process does\n";
}

} // namespace ci::github_simulator
