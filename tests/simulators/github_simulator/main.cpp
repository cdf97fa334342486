#include "tests/simulators/github_simulator/server.hpp"
#include "tests/simulators/github_simulator/state_file.hpp"

namespace sim = ci::github_simulator;
using namespace ci::simulators;

namespace {

constexpr auto program = "github-simulator";

int run(const sim::Options& options) {
  sim::Api api{options.identity};
  const auto now = std::chrono::floor<sim::Duration>(std::chrono::system_clock::now());
  if (!options.state_file.empty())
    if (const auto state = sim::read_json(options.state_file))
      api.load(*state, now);
  auto settings = api.world().model.settings();
  if (const auto wrong = sim::apply_settings(settings, options.settings))
    return refuse(program, *wrong);
  if (!options.webhook_url.empty())
    settings.webhook_url = options.webhook_url;
  if (!options.webhook_secret.empty())
    settings.webhook_secret = options.webhook_secret;
  api.world().model.set_settings(settings);
  return sim::serve(api, options);
}

} // namespace

int main(int argc, char** argv) {
  return main_of(program, sim::parse_options({argv + 1, argv + argc}), sim::usage(), run);
}
