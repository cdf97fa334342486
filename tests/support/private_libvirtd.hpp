#pragma once
/// A libvirtd for one test, with libvirt's test driver behind its real RPC.

#include "tests/support/temp_folder.hpp"

#include <chrono>
#include <csignal>
#include <functional>
#include <string>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ci::test {

/// Whether it becomes true within the time; asks every 10 ms.
inline bool eventually(const std::function<bool()>& true_yet,
                       std::chrono::milliseconds within = std::chrono::seconds(20)) {
  for (auto end = std::chrono::steady_clock::now() + within; std::chrono::steady_clock::now() < end;) {
    if (true_yet())
      return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true_yet();
}

/// Ended with the object. Every start has the test driver's default guests only: a guest `test`, which runs.
class PrivateLibvirtd {
 public:
  explicit PrivateLibvirtd(std::string source_dir) : source_dir_(std::move(source_dir)) {}
  PrivateLibvirtd(const PrivateLibvirtd&) = delete;
  PrivateLibvirtd& operator=(const PrivateLibvirtd&) = delete;
  ~PrivateLibvirtd() { kill(); }

  /// False where this machine can't (no root, no libvirtd).
  bool start() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
      return false;
    auto script = source_dir_ + "/tests/support/private_libvirtd.sh", folder = folder_.path().string();
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      execl(script.c_str(), script.c_str(), folder.c_str(), nullptr);
      _exit(127);
    }
    close(ends[1]);
    pollfd wait{ends[0], POLLIN, 0};
    char answer[6] = "";
    bool ready = poll(&wait, 1, 20'000) == 1 && read(ends[0], answer, 5) == 5;
    close(ends[0]);
    return ready;
  }
  void kill(int signal = SIGKILL) {
    if (pid_ > 0) {
      ::kill(pid_, signal);
      waitpid(pid_, nullptr, 0);
    }
    pid_ = -1;
  }
  /// It stops answering, and its connections stay open, until thaw().
  void freeze() { ::kill(pid_, SIGSTOP); }
  void thaw() { ::kill(pid_, SIGCONT); }

  std::string uri() const {
    return "test+unix:///default?socket=" + folder_.path().string() + "/libvirt-sock";
  }

 private:
  std::string source_dir_;
  TempFolder folder_;
  pid_t pid_ = -1;
};

} // namespace ci::test
