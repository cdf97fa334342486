#include "tests/simulators/guest_simulator/player.hpp"

#include <curl/curl.h>
#include <fstream>
#include <map>
#include <memory>
#include <sys/resource.h>

namespace sim = ci::guest_simulator;

namespace {

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

void play(const sim::Options& options, const sigset_t& signals) {
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
  hypervisor = std::make_unique<sim::Hypervisor>(options.connect, std::vector{options.prefix, options.rebuild_prefix}, listener);
  std::thread waiter([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    loop.stop();
  });
  loop.run();
  waiter.join();
  players.clear();
}

int run(const sim::Options& options) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr); // before any thread: one of them waits for these
  allow_many_files();
  if (!options.pid_file.empty())
    std::ofstream(options.pid_file) << getpid() << "\n";
  curl_global_init(CURL_GLOBAL_DEFAULT);
  play(options, signals);
  curl_global_cleanup();
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  return ci::simulators::main_of("guest-simulator", sim::parse_options({argv + 1, argv + argc}), sim::usage(), run);
}
