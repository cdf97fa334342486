#include "actors/edge/libvirt_loop.hpp"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <mutex>
#include <stdexcept>

namespace ci::edge {
namespace {

/// Both hold for the life of the process and can't be undone.
void initialise_once() {
  static std::once_flag once;
  std::call_once(once, [] {
    virSetErrorFunc(nullptr, [](void*, virErrorPtr) {});
    if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0)
      throw std::runtime_error("libvirt: " + last_libvirt_error());
  });
}

} // namespace

EventLoop::EventLoop() {
  initialise_once();
  // A timeout that is never due. Setting it to 0 at the end interrupts the loop's poll.
  waker_ = virEventAddTimeout(
      -1, [](int, void*) {}, nullptr, nullptr);
  if (waker_ < 0)
    throw std::runtime_error("libvirt: " + last_libvirt_error());
  thread_ = std::thread([this] { run(); });
}

EventLoop::~EventLoop() {
  stop_ = true;
  virEventUpdateTimeout(waker_, 0);
  thread_.join();
  virEventRemoveTimeout(waker_);
}

void EventLoop::run() {
  while (!stop_)
    if (virEventRunDefaultImpl() < 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(100)); // never spin on a broken poll
}

std::string last_libvirt_error() {
  auto error = virGetLastError();
  std::string text = error && error->message ? error->message : "an unknown error";
  for (auto& c : text)
    if (c == '\n' || c == '\r')
      c = ' ';
  return text;
}

} // namespace ci::edge
