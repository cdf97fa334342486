#pragma once
/// A runner: what the store keeps of it, what was last seen of it, and the status that follows.

#include "actors/domain/github.hpp"
#include "actors/domain/guest.hpp"
#include "actors/domain/types.hpp"

#include <optional>
#include <string>

namespace ci::domain {

/// Where a runner stands between its durable order and its end.
enum class Phase {
  creating,   ///< ordered; registration, disk and guest are being made
  live,       ///< made; it starts, idles or works
  destroying, ///< to be unregistered and removed, as soon as that is allowed
  gone,       ///< nothing of it is left; the row stays for a while to recognise latecomers
};
const char* to_string(Phase);

/// What the store keeps of one runner. Committed before the things it names exist.
struct RunnerRecord {
  RunnerId id = 0;
  std::string profile;
  std::string guest_name;
  std::string registration_name;
  std::string uuid;
  std::string mac;
  std::string template_guest;
  /// What it holds of the host, as noted when it was ordered.
  Resources held;
  Phase phase = Phase::creating;
  Time created_at{};
  std::optional<RegistrationId> registration_id;
  /// GitHub confirmed that the registration is no more, or there never was to be one.
  bool registration_ended = false;
  /// Secret. Empty where there is none (yet, or any more).
  std::string jit_config;
  /// From here on the guest may be running a job, until it is off.
  std::optional<Time> jit_served_at;
  int jit_fetches = 0;
  std::optional<Time> online_at;
  /// GitHub called it busy at least once: a JIT runner takes one job, so it stays Busy until it is gone.
  bool busy_seen = false;
  /// Definition, NVRAM and disk are deleted.
  bool guest_removed = false;
  /// Of one that is being destroyed: its guest was seen on, so being off means that it ended.
  bool started = false;
  /// Its reservation labels could not be taken off: it must never be taken again.
  bool spoiled = false;
  /// Why it is being destroyed, in words; empty where it is not.
  std::string reason;
  std::optional<Time> ended_at;

  friend bool operator==(const RunnerRecord&, const RunnerRecord&) = default;
};

/// The words of the API. Order of the members is of no meaning.
enum class Status { StartedOrCrashed, DoneOrUnregistered, Invalid, Busy, Reserved, Idle };
const char* to_string(Status);
constexpr Status all_statuses[] = {Status::StartedOrCrashed, Status::DoneOrUnregistered,
                                   Status::Invalid,          Status::Busy,
                                   Status::Reserved,         Status::Idle};

/// What the status is decided by; spec/runners.md, "Status of a runner". First match wins.
struct StatusFacts {
  bool create_under_way = false;
  bool any_order_under_way = false;
  bool guest_exists = false;
  bool guest_was_started = false;
  bool guest_running = false;
  bool registration_exists = false;
  bool registrations_in_use = true; ///< false under `dont_register_runners`
  bool busy_now_or_ever = false;
  bool reserved = false;
  bool online = false;
};
Status status_of(const StatusFacts&);

} // namespace ci::domain
