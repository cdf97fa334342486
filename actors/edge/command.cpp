#include "actors/edge/command.hpp"

#include "actors/edge/descriptor.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ci::edge {
namespace {

using namespace std::chrono_literals;

/// What a program that was asked to end has until it is killed. Less than what the service has to end its actors.
constexpr auto last_wishes = 1500ms;

/// What becomes of a child.
struct Become {
  char* const* arguments;
  char* const* environment;
  pid_t parent;
  /// Takes the number of the error that it failed with; closed when the program has begun.
  int report;
  /// Takes what it says on stderr; -1: nobody does.
  int complaints;
};

void open_nothing_as(int number, int flags) {
  const int nothing = ::open("/dev/null", flags);
  if (nothing != number) {
    ::dup2(nothing, number);
    ::close(nothing);
  }
}

/// Runs in the child, as the copy of one thread of many: it calls nothing that could wait for a lock of the others,
/// and allocates nothing. Not posix_spawn(), which knows no way to end with the parent.
[[noreturn]] void become(const Become& child) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != child.parent)
    ::_exit(127); // it died before that
  if (child.complaints >= 0)
    ::dup2(child.complaints, 2); // before its number is taken
  const int report = 3;
  if (child.report != report)
    ::dup2(child.report, report);
  ::fcntl(report, F_SETFD, FD_CLOEXEC);
  ::closefrom(report + 1);
  open_nothing_as(0, O_RDONLY);
  open_nothing_as(1, O_WRONLY);
  if (child.complaints < 0)
    open_nothing_as(2, O_WRONLY);
  for (int signal = 1; signal < NSIG; ++signal)
    std::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execvpe(child.arguments[0], child.arguments, child.environment);
  const int error = errno;
  [[maybe_unused]] auto written = ::write(report, &error, sizeof error);
  ::_exit(127);
}

/// The number of the error where it did not begin, else 0.
int spawn(char* const* arguments, char* const* environment, int complaints, pid_t& child) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return errno;
  Descriptor reading(ends[0]), writing(ends[1]);
  const auto parent = ::getpid();
  sigset_t all, before; // no handler of ours runs in the child
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  child = ::fork();
  const int failed = errno;
  if (child == 0)
    become({arguments, environment, parent, writing.get(), complaints});
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (child < 0)
    return failed;
  ::close(writing.release());
  int error = 0;
  if (::read(reading.get(), &error, sizeof error) != sizeof error)
    return 0;
  ::waitpid(child, nullptr, 0);
  return error;
}

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

/// True once the child has ended. It is not reaped: until then its number is nobody else's.
bool wait_for_end(pid_t child, std::chrono::steady_clock::time_point deadline, const std::atomic<bool>* stop) {
  auto pause = 1ms; // many end soon
  while (std::chrono::steady_clock::now() < deadline && !(stop && *stop)) {
    siginfo_t ended{};
    if (::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid == child)
      return true;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, 20ms);
  }
  return false;
}

/// Asks the child's group to end, and ends it.
void end_group(pid_t child) {
  ::kill(-child, SIGTERM);
  wait_for_end(child, std::chrono::steady_clock::now() + last_wishes, nullptr);
  ::kill(-child, SIGKILL);
}

/// The beginning of what was written there, as one line in brackets; empty where there is nothing.
std::string quote(int file) {
  char text[300];
  auto got = file < 0 ? 0 : ::pread(file, text, sizeof text, 0);
  if (got <= 0)
    return {};
  std::string line(text, static_cast<std::size_t>(got));
  for (auto& c : line)
    if (static_cast<unsigned char>(c) < ' ' || c == '"')
      c = ' ';
  while (!line.empty() && line.back() == ' ')
    line.pop_back();
  return " (" + line + ")";
}

} // namespace

std::string run_command(const std::vector<std::string>& arguments, std::chrono::seconds patience,
                        const std::atomic<bool>* stop, bool quoted) {
  auto what = arguments.at(0) + (arguments.size() > 1 ? " " + arguments[1] : "");
  auto texts = arguments;
  auto variables = child_environment();
  auto argv = pointers_to(texts), envp = pointers_to(variables);
  pid_t child = 0;
  Descriptor complaints(quoted ? ::memfd_create("stderr", MFD_CLOEXEC) : -1);
  if (int error = spawn(argv.data(), envp.data(), complaints.get(), child))
    return what + ": " + std::strerror(error);
  const bool in_time = wait_for_end(child, std::chrono::steady_clock::now() + patience, stop);
  if (!in_time)
    end_group(child);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!in_time)
    return what + ": took longer than " + std::to_string(patience.count()) + " s, or was interrupted";
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return {};
  return what + ": ended with " +
         (WIFEXITED(status) ? std::to_string(WEXITSTATUS(status))
                            : "signal " + std::to_string(WTERMSIG(status))) +
         quote(complaints.get());
}

} // namespace ci::edge
