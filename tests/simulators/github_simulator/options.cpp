#include "tests/simulators/github_simulator/options.hpp"

#include "tests/simulators/github_simulator/text.hpp"

namespace ci::github_simulator {

namespace {

std::map<std::string, simulators::Take> takers(Options& options) {
  using simulators::text;
  return {
      {"--listen", text(options.listen)},
      {"--port-file", text(options.port_file)},
      {"--state", text(options.state_file)},
      {"--token", text(options.identity.token)},
      {"--runner-url", text(options.identity.runner_url)},
      {"--api-path",
       [&](auto& value) {
         options.identity.api_path = value;
         return value == "/api/v3";
       }},
      {"--webhook-url", text(options.webhook_url)},
      {"--webhook-secret", text(options.webhook_secret)},
      {"--port",
       [&](auto& value) {
         const auto port = value == "0" ? 0 : parse_id(value).value_or(-1);
         options.port = static_cast<std::uint16_t>(port);
         return port >= 0 && port <= 65535;
       }},
      {"--scope",
       [&](auto& value) {
         options.identity.scopes.insert(lower(value));
         return value.starts_with("repos/") || value.starts_with("orgs/");
       }},
      {"--settings",
       [&](auto& value) {
         options.settings = Json::parse(value, nullptr, false);
         return options.settings.is_object();
       }},
  };
}

} // namespace

std::variant<Options, std::string> parse_options(const std::vector<std::string>& arguments) {
  Options options;
  if (auto wrong = simulators::read_options(arguments, takers(options), options); !wrong.empty())
    return wrong;
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
         "  --api-path PATH      /api/v3: the REST API is below it alone, as GitHub Enterprise Server has it\n"
         "  --runner-url URL     where guests find /_runner/; by default where they were registered\n"
         "  --webhook-url URL    where webhooks are sent to: the setting webhook_url\n"
         "  --webhook-secret S   what they are signed with: the setting webhook_secret\n"
         "  --state FILE         kept there, and read from there at the start\n"
         "  --settings JSON      as for PUT /_control/settings\n"
         "  --log-level LEVEL    trace, debug, info, warn, err, off; to stderr\n"
         "  --parent-death       end when the parent process does\n";
}

} // namespace ci::github_simulator
