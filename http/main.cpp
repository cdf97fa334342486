/// The program: command line in, exit status out. What runs is in main_service.
///
/// Threads: this one waits for signals; one serves HTTP, one talks to GitHub, one runs libvirt's events;
/// CAF's two workers run the cooperative actors; the journal and each libvirt host have a thread of their
/// own.

#include "actors/edge/threads.hpp"
#include "http/main_check.hpp"
#include "http/main_log.hpp"
#include "http/main_service.hpp"
#include "http/main_settings.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <unistd.h>

namespace {

using namespace ci;

/// Detached threads have nothing left to do but to end.
constexpr std::chrono::seconds last_threads_patience{1};

/// Every thread that is made later inherits it.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGTERM, SIGINT, SIGHUP})
    sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

void not_started(const std::exception& why) {
  std::cerr << "ci-monitor: not started: " << why.what() << std::endl;
}

int run(const config::CommandLine& arguments) {
  http::allow_many_files();
  // From here on they wait until somebody looks: one that comes before would end the process as if nobody knew it.
  const auto signals = arguments.check ? sigset_t{} : block_signals();
  auto loaded = http::load_settings(arguments);
  std::cerr << config::to_string(loaded.warnings);
  if (!loaded.loaded) {
    std::cerr << config::to_string(loaded.complaints)
              << "ci-monitor: not started: " << loaded.complaints.size()
              << " thing(s) to mend in the settings\n";
    return 2;
  }
  if (arguments.check)
    return http::check_host(loaded.loaded->settings, arguments.env_file, std::cout, arguments.adopt) ? 0 : 1;
  http::set_up_logging(loaded.loaded->settings.log_level);
  int status = EXIT_FAILURE;
  try {
    http::Service service(arguments, *loaded.loaded);
    loaded.loaded.reset();
    try {
      service.begin();
    } catch (const std::exception& e) {
      not_started(e);
      std::_Exit(status); // actors may be up already, and nobody is left to stop them in order
    }
    spdlog::info("event=started version={} pid={}", CI_MONITOR_VERSION, getpid());
    try {
      status = service.run(signals);
    } catch (const std::exception& e) {
      spdlog::critical("event=failed error=\"{}\"", e.what()); // actors are up: they have to be ended in order
    }
    service.stop(status);
  } catch (const std::exception& e) {
    not_started(e);
  }
  const bool alone = edge::wait_for_other_threads(last_threads_patience);
  if (!alone)
    spdlog::warn("event=threads_left");
  http::drain_log();
  if (!alone)
    std::_Exit(status); // whoever is left may log, and what runs at exit would take the log away
  return status;
}

} // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN); // a client that is gone must not end us
  auto arguments = config::parse_command_line({argv + 1, argv + argc});
  if (!arguments.error.empty()) {
    std::cerr << arguments.error << '\n';
    return 2;
  }
  if (arguments.help) {
    std::cout << config::help_text();
    return 0;
  }
  if (arguments.version) {
    std::cout << "ci-monitor " << CI_MONITOR_VERSION << '\n';
    return 0;
  }
  return run(arguments);
}
