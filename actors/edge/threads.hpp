#pragma once

#include <chrono>
#include <filesystem>
#include <system_error>
#include <thread>

namespace ci::edge {

/// Threads of this process; 1 where they can't be counted.
inline std::size_t count_threads() {
  std::error_code failure;
  std::filesystem::directory_iterator task("/proc/self/task", failure);
  std::size_t count = 0;
  for (; !failure && task != std::filesystem::directory_iterator(); task.increment(failure))
    ++count;
  return failure ? 1 : count;
}

/// Waits until the calling thread is the only one of this process, `patience` at most; whether it is. CAF detaches
/// the threads of detached actors: the actor system counts one as ended before it has ended, and what runs at exit
/// (destructors of statics, sanitizers' reports) must not run beside it. Inline: the tests' own main uses it, too.
inline bool wait_for_other_threads(std::chrono::milliseconds patience) {
  auto end = std::chrono::steady_clock::now() + patience;
  while (count_threads() > 1) {
    if (std::chrono::steady_clock::now() >= end)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1)); // nothing tells when a detached thread is gone
  }
  return true;
}

} // namespace ci::edge
