#include "tests/simulators/github_simulator/server.hpp"
#include "tests/simulators/github_simulator/state_file.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <sys/prctl.h>
#include <unistd.h>

namespace sim = ci::github_simulator;

namespace {

constexpr int usage_error = 2;

/// False where the parent is gone already.
bool end_with_parent() {
  const auto parent = getppid();
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  return getppid() == parent;
}

int run(const sim::Options& options) {
  sim::Api api{options.identity};
  const auto now = std::chrono::floor<sim::Duration>(std::chrono::system_clock::now());
  if (!options.state_file.empty())
    if (const auto state = sim::read_json(options.state_file))
      api.load(*state, now);
  auto settings = api.world().model.settings();
  if (const auto wrong = sim::apply_settings(settings, options.settings)) {
    std::fprintf(stderr, "github-simulator: %s\n", wrong->c_str());
    return usage_error;
  }
  api.world().model.set_settings(settings);
  return sim::serve(api, options);
}

} // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto parsed = sim::parse_options({argv + 1, argv + argc});
  if (const auto* wrong = std::get_if<std::string>(&parsed)) {
    std::fprintf(stderr, "github-simulator: %s\n%s", wrong->c_str(), sim::usage().c_str());
    return usage_error;
  }
  const auto& options = std::get<sim::Options>(parsed);
  if (options.help) {
    std::fputs(sim::usage().c_str(), stdout);
    return 0;
  }
  if (options.parent_death && !end_with_parent())
    return 0;
  spdlog::set_default_logger(spdlog::stderr_logger_mt("github-simulator"));
  spdlog::set_level(spdlog::level::from_str(options.log_level));
  try {
    return run(options);
  } catch (const std::exception& e) {
    spdlog::error("{}", e.what());
    return 1;
  }
}
