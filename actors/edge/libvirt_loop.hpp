#pragma once
/// libvirt's event loop: without it there are no events, no close callbacks and no keepalive.

#include <atomic>
#include <string>
#include <thread>

namespace ci::edge {

/// Initialises libvirt and runs its event loop in a thread of its own. One at a time in a process, made
/// before the first connection is opened and destroyed after the last one was closed. Libvirt's habit of
/// writing errors to the terminal is turned off.
class EventLoop {
 public:
  /// Throws std::runtime_error where libvirt can't be initialised.
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

 private:
  void run();

  std::atomic<bool> stop_{false};
  int waker_ = -1;
  std::thread thread_;
};

/// Text of the last libvirt error of this thread, one line.
std::string last_libvirt_error();

} // namespace ci::edge
