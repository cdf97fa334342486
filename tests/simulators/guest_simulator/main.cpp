#include "tests/simulators/guest_simulator/player.hpp"

#include <curl/curl.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace sim = ci::guest_simulator;

namespace {

constexpr int usage_error = 2;

/// False where the parent is gone already.
bool end_with_parent() {
  const auto parent = getppid();
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  return getppid() == parent;
}

/// Each guest takes two connections, and hundreds of them may run.
void allow_many_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

void announce(const std::string& uri) {
  std::printf("watching %s\n", uri.c_str());
  std::fflush(stdout);
}

void run(const sim::Options& options, const sigset_t& signals) {
  sim::Loop loop;
  sim::Behaviours behaviours(options.behaviour_file);
  std::map<sim::Run, std::unique_ptr<sim::Player>> players;
  std::unique_ptr<sim::Hypervisor> hypervisor;
  sim::Hypervisor::Listener listener;
  listener.connected = [&] { announce(options.connect); };
  listener.started = [&](const sim::Run& run, const std::string& address) {
    loop.call([&, run, address] {
      players[run] = std::make_unique<sim::Player>(loop, *hypervisor, behaviours, options, run, address);
    });
  };
  listener.ended = [&](const sim::Run& run) {
    loop.call([&, run] {
      spdlog::info("{}: is off", run.name);
      players.erase(run);
    });
  };
  hypervisor = std::make_unique<sim::Hypervisor>(options.connect, options.prefix, listener);
  std::thread waiter([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    loop.stop();
  });
  loop.run();
  waiter.join();
  players.clear();
}

} // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto parsed = sim::parse_options({argv + 1, argv + argc});
  if (const auto* wrong = std::get_if<std::string>(&parsed)) {
    std::fprintf(stderr, "guest-simulator: %s\n%s", wrong->c_str(), sim::usage().c_str());
    return usage_error;
  }
  const auto& options = std::get<sim::Options>(parsed);
  if (options.help) {
    std::fputs(sim::usage().c_str(), stdout);
    return 0;
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr); // before any thread: one of them waits for these
  if (options.parent_death && !end_with_parent())
    return 0;
  allow_many_files();
  spdlog::set_default_logger(spdlog::stderr_logger_mt("guest-simulator"));
  spdlog::set_level(spdlog::level::from_str(options.log_level));
  if (!options.pid_file.empty())
    std::ofstream(options.pid_file) << getpid() << "\n";
  try {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    run(options, signals);
    curl_global_cleanup();
    return 0;
  } catch (const std::exception& e) {
    spdlog::error("{}", e.what());
    return 1;
  }
}
