#include "actors/edge/libvirt_words.hpp"

#include <libvirt/libvirt.h>

#include <span>

namespace ci::edge {
namespace {

// In the order of libvirt's enumerations, which never change.
constexpr const char* running[] = {
    "unknown",        "booted",   "migrated", "restored", "from snapshot",  "unpaused", "migration cancelled",
    "save cancelled", "woken up", "crashed",  "postcopy", "postcopy failed"};
constexpr const char* paused[] = {"unknown",   "user",        "migration",     "save",           "dump",
                                  "I/O error", "watchdog",    "from snapshot", "shutting down",  "snapshot",
                                  "crashed",   "starting up", "postcopy",      "postcopy failed"};
constexpr const char* shutting_down[] = {"unknown", "user"};
constexpr const char* shut_off[] = {"unknown", "shutdown", "destroyed",     "crashed", "migrated",
                                    "saved",   "failed",   "from snapshot", "daemon"};
constexpr const char* crashed[] = {"unknown", "panicked"};

std::span<const char* const> words_of(int state) {
  switch (state) {
  case VIR_DOMAIN_RUNNING:
    return running;
  case VIR_DOMAIN_PAUSED:
    return paused;
  case VIR_DOMAIN_SHUTDOWN:
    return shutting_down;
  case VIR_DOMAIN_SHUTOFF:
    return shut_off;
  case VIR_DOMAIN_CRASHED:
    return crashed;
  default:
    return {};
  }
}

} // namespace

domain::GuestState guest_state(int state) {
  return state == VIR_DOMAIN_SHUTOFF || state == VIR_DOMAIN_CRASHED ? domain::GuestState::off
                                                                    : domain::GuestState::on;
}

std::string state_reason(int state, int reason) {
  const auto words = words_of(state);
  const std::string word = reason >= 0 && static_cast<std::size_t>(reason) < words.size() ? words[reason] : "unknown";
  return state == VIR_DOMAIN_PAUSED ? domain::paused + word : word;
}

GuestEvent guest_event(int event, int detail) {
  if (event == VIR_DOMAIN_EVENT_SHUTDOWN && detail == VIR_DOMAIN_EVENT_SHUTDOWN_HOST)
    return GuestEvent::shutdown_by_host;
  return event == VIR_DOMAIN_EVENT_STARTED ? GuestEvent::started : GuestEvent::other;
}

std::string close_reason(int reason) {
  switch (reason) {
  case VIR_CONNECT_CLOSE_REASON_EOF:
    return "libvirt closed the connection";
  case VIR_CONNECT_CLOSE_REASON_KEEPALIVE:
    return "libvirt did not answer keepalive messages";
  case VIR_CONNECT_CLOSE_REASON_CLIENT:
    return "the connection was closed by this side";
  default:
    return "the connection to libvirt broke";
  }
}

} // namespace ci::edge
