#pragma once
/// What readers see: published by the monitor after each change, immutable, shared. Holds no secret.

#include "actors/domain/override.hpp"
#include "actors/domain/reservation.hpp"
#include "actors/domain/runner.hpp"
#include "actors/domain/spent.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ci::domain {

/// One runner as the dashboard shows it. The pointer changes when, and only when, its contents do, so a
/// renderer may cache by pointer.
struct RunnerView {
  RunnerId id = 0;
  std::string profile;
  Time created_at{};
  std::optional<Registration> registration;
  std::optional<std::string> guest_name; ///< none: there is no guest
  std::optional<std::string> ipv4_address;
  Status status = Status::StartedOrCrashed;
  /// For people and tools, beyond the contract: phase, reason, last error, reservation, when next tried ...
  std::map<std::string, std::string> details;
  friend bool operator==(const RunnerView&, const RunnerView&) = default;
};
using RunnerViewPtr = std::shared_ptr<const RunnerView>;

/// How a profile's images are doing.
struct ImageView {
  /// "none", "building", "sealing", "trial", "ready", or "hand-made"; the newest that is not being deleted.
  std::string state = "none";
  /// The one that new runners are made from; empty: there is none.
  std::string template_guest;
  /// Why builds fail, how many did in a row, since when, and when the next one is tried; empty where none did.
  std::string trouble;
  int failures = 0;
  std::optional<Time> trouble_since, next_try;
  /// Why a build is due, and what it waits for; empty where none is, or nothing keeps it.
  std::string due, waits_for;
  friend bool operator==(const ImageView&, const ImageView&) = default;
};

struct ProfileCounts {
  int target = 0, healthy = 0, started_or_crashed = 0, idle = 0, reserved = 0, busy = 0,
      done_or_unregistered = 0, invalid = 0, excess_healthy = 0, wanted = 0;
  /// When the image that new runners are made from was built; its age is up to the reader.
  std::optional<Time> image_made_at;
  bool paused = false; ///< by an operator: no new runners
  ImageView image;
  /// Why no runner is being made although one is wanted; empty where nothing is wrong.
  std::string trouble;
  friend bool operator==(const ProfileCounts&, const ProfileCounts&) = default;
};

struct ReservationView {
  std::string unique_id; ///< as spelt by the client
  std::string profile, qualified_repo, state;
  RunId run_id = 0;
  std::vector<ReservationSlot> slots;
  Time created_at{};
  std::optional<Time> granted_at, deadline, ended_at;
  friend bool operator==(const ReservationView&, const ReservationView&) = default;
};
using ReservationViewPtr = std::shared_ptr<const ReservationView>;
ReservationViewPtr view_of(const ReservationRecord&);

/// From so long before its end on a token is warned of.
constexpr Duration token_warning = std::chrono::hours{24 * 14};

/// How one of the parties is doing, for /readyz and the dashboard.
struct PartyHealth {
  bool well = false;
  std::string trouble;       ///< what is wrong, one line, no secret; empty where nothing is
  std::optional<Time> since; ///< since when it is as it is
};

struct Snapshot {
  std::uint64_t version = 0;
  Time at{};
  std::map<std::string, ProfileCounts> profiles;
  std::vector<RunnerViewPtr> runners;                     ///< by id
  std::map<std::string, ReservationViewPtr> reservations; ///< that live, by lower-case unique_id
  SpentReservations spent;
  std::shared_ptr<const Override> policy_override; ///< null: none is in force
  /// What an override would be decided by now; null before libvirt was heard.
  std::shared_ptr<const OverrideGround> override_ground;
  PartyHealth github, libvirt, store;
  /// When GitHub's token ends; none: GitHub does not say.
  std::optional<Time> github_token_expires_at;
  /// Guests and registrations that only look ours by their name, or names that do not parse.
  std::vector<std::string> strangers;
  Resources budget, held;
  bool draining = false; ///< SIGTERM was received

  /// Living or spent; null where the id is not known.
  ReservationViewPtr reservation(const std::string& unique_id) const {
    if (auto it = reservations.find(unique_id); it != reservations.end())
      return it->second;
    const auto ended = spent.find(unique_id);
    return ended ? view_of(*ended) : nullptr;
  }
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

} // namespace ci::domain
