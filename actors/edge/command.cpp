#include "actors/edge/command.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ci::edge {
namespace {

using namespace std::chrono_literals;

/// What a child begins with; made once per child, freed with it.
struct SpawnSetup {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  SpawnSetup() {
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
};

/// The environment without what would ask a person, or hold our secrets.
std::vector<std::string> child_environment() {
  std::vector<std::string> result{"GIT_TERMINAL_PROMPT=0", "LC_ALL=C"};
  for (auto name : {"PATH", "HOME"})
    if (const char* value = std::getenv(name))
      result.push_back(std::string(name) + "=" + value);
  return result;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (auto& text : texts)
    result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

/// True once the child has ended, which it is then reaped of.
bool wait_for_end(pid_t child, std::chrono::steady_clock::time_point deadline, const std::atomic<bool>* stop,
                  int& status) {
  while (std::chrono::steady_clock::now() < deadline && !(stop && *stop)) {
    auto got = ::waitpid(child, &status, WNOHANG);
    if (got == child || (got < 0 && errno != EINTR))
      return true;
    std::this_thread::sleep_for(20ms);
  }
  return false;
}

} // namespace

std::string run_command(const std::vector<std::string>& arguments, std::chrono::seconds patience,
                        const std::atomic<bool>* stop) {
  auto what = arguments.at(0) + (arguments.size() > 1 ? " " + arguments[1] : "");
  auto texts = arguments;
  auto variables = child_environment();
  auto argv = pointers_to(texts), envp = pointers_to(variables);
  SpawnSetup setup;
  pid_t child = 0;
  if (int error = ::posix_spawnp(&child, argv[0], &setup.files, &setup.attributes, argv.data(), envp.data()))
    return what + ": " + std::strerror(error);
  int status = 0;
  if (!wait_for_end(child, std::chrono::steady_clock::now() + patience, stop, status)) {
    ::kill(-child, SIGKILL);
    ::waitpid(child, &status, 0);
    return what + ": took longer than " + std::to_string(patience.count()) + " s, or was interrupted";
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return {};
  return what + ": ended with " +
         (WIFEXITED(status) ? std::to_string(WEXITSTATUS(status))
                            : "signal " + std::to_string(WTERMSIG(status)));
}

std::string update_checkout(const std::string& path, const std::atomic<bool>* stop) {
  const std::vector<std::vector<std::string>> steps{
      {"reset", "--hard", "--quiet"},
      {"fetch", "--quiet", "origin"},
      {"checkout", "--quiet", "--force", "--detach", "origin/main"},
      {"update-server-info"},
  };
  for (auto& step : steps) {
    std::vector<std::string> arguments{"git", "-C", path};
    arguments.insert(arguments.end(), step.begin(), step.end());
    if (auto error = run_command(arguments, 600s, stop); !error.empty())
      return "git " + step[0] + " in " + path + ": " + error;
  }
  return {};
}

} // namespace ci::edge
