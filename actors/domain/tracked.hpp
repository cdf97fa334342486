#pragma once
/// What the decisions keep in memory of each runner and each reservation that lives, beside its record: what was seen of it,
/// and the orders under way. Belongs to Core.

#include "actors/domain/answers.hpp"
#include "actors/domain/backoff.hpp"
#include "actors/domain/guest.hpp"
#include "actors/domain/reservation.hpp"
#include "actors/domain/runner.hpp"
#include "actors/domain/snapshot.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ci::domain {

/// A runner in memory: its record, what was last seen of it, and the orders under way.
struct Runner {
  RunnerRecord rec;
  bool ordered = false;    ///< its record is committed: things may be made
  bool from_store = false; ///< an earlier process ordered it: what was under way then may have happened

  // As libvirt says.
  GuestState guest = GuestState::absent;
  bool guest_known = false; ///< some observation or listing told of it since the start of the process
  bool guest_started = false; ///< it was seen on: being off means that it ended
  std::string guest_reason;
  Steady guest_as_of{};        ///< observations read before this say nothing new
  std::uint64_t guest_seq = 0; ///< listings ordered before this say nothing new
  std::optional<std::uint64_t> guest_missing_seq; ///< not found then; only a listing ordered later can confirm it
  std::optional<Time> started_at;
  ClonedDisk disk; ///< as prepare told

  // For the metrics.
  std::set<std::string_view> steps; ///< that were measured
  std::optional<Steady> replaces;   ///< when the guest went off whose place it takes

  // As GitHub says.
  std::optional<Registration> reg;
  std::uint64_t reg_seq = 0; ///< listings and looks ordered before this say nothing new
  std::optional<Time> seen_at; ///< when GitHub showed it last
  std::optional<Time> offline_since; ///< GitHub has shown it so again and again ever since
  std::optional<std::uint64_t> missing_seq; ///< a 404 came then; only a listing ordered later can confirm it
  Backoff look{Duration{2'000}, Duration{30'000}};
  bool look_wanted = false;
  bool told_over = false; ///< a webhook said that its job is over: it is asked for until GitHub agrees
  Backoff over_look{Duration{2'000}, Duration{30'000}};

  // Orders under way.
  bool preparing = false, prepared = false, starting = false, registering = false, registered_once = false;
  bool registration_saved = false; ///< its registration and its JIT config are durable: its guest may be made
  bool looking = false, finding = false, unregistering = false, removing = false;
  Steady register_after{}; ///< GitHub's limits held its registration back until then
  std::uint64_t look_seq = 0;
  Time look_asked{};
  Backoff unregister_pause{Duration{2'000}, Duration{300'000}};
  struct Outage {
    Time at;
    std::string trouble;
  };
  /// The last try to unregister failed for GitHub's own sake, which set no time for the next; none: it did not.
  std::optional<Outage> outage;
  Backoff remove_pause{Duration{2'000}, Duration{300'000}};
  std::string last_error;

  // Destroying.
  std::uint64_t destroy_seq = 0; ///< looks ordered before this were not for its sake
  std::optional<Time> spared_at; ///< when that decision was withdrawn last, since GitHub called it busy
  std::optional<Time> first_not_busy;
  bool second_not_busy = false;
  void look_anew() { first_not_busy.reset(), second_not_busy = false; }
  bool own_end = false; ///< its guest went off, or its registration ended, without our doing

  // Asking for the JIT config again.
  struct JitWaiter {
    RequestId request;
    std::uint64_t seq; ///< looks ordered before this say nothing to it
    Time deadline;     ///< when nobody waits for the answer any more
  };
  std::vector<JitWaiter> jit_waiters;
  std::string stolen_from; ///< the reservation that it was promised to when another job took it; for readers
  std::optional<Time> orphan_label_since; ///< a reservation label at GitHub that no reservation here explains

  RunnerViewPtr view;

  bool guest_off() const { return guest_known && guest != GuestState::on && !starting; }
  bool guest_exists() const { return !rec.guest_removed && guest != GuestState::absent; }
  bool registration_exists() const { return rec.registration_id && !rec.registration_ended; }
  /// A guest that is off but was never seen on may still be starting: a start whose answer is lost, or was cut off by
  /// the end of a process, goes on at libvirt. It keeps its slot until its definition is gone (G4).
  bool holds_budget() const {
    return !rec.guest_removed && !(rec.phase != Phase::creating && guest_started && guest_off());
  }
};

/// A reservation in memory.
struct Reservation {
  ReservationRecord rec;
  bool committed = false; ///< the pending row is durable: labels may be set
  bool grant_committed = false;
  bool from_store = false; ///< an earlier process began it: any of its labels may be set
  Verdict failure;         ///< what to tell those who wait; none: `null`
  RequestId begun_by = 0; ///< the request that it is decided, or released, for; 0: one of an earlier process
  std::vector<RequestId> takers;
  std::vector<RequestId> releasers;
  struct Work {
    bool labelling = false, looking = false, unlabelling = false, maybe_labelled = false;
    bool write_spent = false; ///< the label call was counted when the take was begun
    Backoff unlabel_pause{Duration{1'000}, Duration{60'000}};
    Backoff label_pause{Duration{1'000}, Duration{60'000}}; ///< of a replacement, which need not be given up
    std::uint64_t look_seq = 0;
    std::optional<Time> unlisted_since; ///< its job had begun, and GitHub's list of jobs named others
  };
  std::map<RunnerId, Work> work;
  // After the grant (core_deadline.cpp):
  bool asking = false;         ///< about its workflow run
  bool asked_past = false;     ///< after the deadline, too
  bool jobs_wanted = false;    ///< only the run's jobs explain what happened
  std::optional<Time> ask_due; ///< when the run is asked next
  std::optional<Time> asked_at; ///< when it was asked last
  std::string given_up;        ///< why those of its runners are let go whose jobs have not begun; empty: they are kept
  ReservationViewPtr view;
};

} // namespace ci::domain
