#pragma once
/// Things that are tried in a process of their own: dying, locks, other users, tiny disks.

#include <csignal>
#include <exception>
#include <functional>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

namespace ci::test {

/// Runs a function in a forked child and gives what it returned. A child that throws returns what() after
/// "threw: ".
inline std::string in_child(const std::function<std::string()>& work) {
  int ends[2];
  if (pipe(ends) != 0)
    return "no pipe";
  auto child = fork();
  if (child == 0) {
    std::string result;
    try {
      result = work();
    } catch (const std::exception& error) {
      result = std::string("threw: ") + error.what();
    }
    auto written = write(ends[1], result.data(), result.size());
    _exit(written < 0 ? 1 : 0);
  }
  close(ends[1]);
  std::string result;
  char buffer[4096];
  for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;)
    result.append(buffer, static_cast<std::size_t>(n));
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return result;
}

/// A child that reports progress one byte sequence at a time through a pipe until it is killed.
class ChattyChild {
 public:
  explicit ChattyChild(const std::function<void(int pipe)>& work) {
    int ends[2];
    if (pipe(ends) != 0)
      return;
    pid_ = fork();
    if (pid_ == 0) {
      close(ends[0]);
      try {
        work(ends[1]);
      } catch (...) {
      }
      _exit(0);
    }
    close(ends[1]);
    pipe_ = ends[0];
  }
  ChattyChild(const ChattyChild&) = delete;
  ChattyChild& operator=(const ChattyChild&) = delete;
  ~ChattyChild() {
    kill_now();
    close(pipe_);
  }
  /// False at the child's end.
  template <class T>
  bool read(T& value) {
    return ::read(pipe_, &value, sizeof value) == sizeof value;
  }
  void kill_now() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
      pid_ = -1;
    }
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  int pipe_ = -1;
};

} // namespace ci::test
