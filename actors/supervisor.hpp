#pragma once
/// The actor that keeps the others alive.

#include "actors/metered.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace ci {

/// Actors that live and die together, because they share a state or a thread's work.
struct Role {
  struct Member {
    std::string actor; ///< the name of its meter
    caf::actor handle;
  };
  std::string name;
  /// Roles whose handles it holds: when one of them is begun anew, so is this one. They stand before it in
  /// the list.
  std::vector<std::string> needs;
  /// Roles that are begun anew with it all the same: what they have under way for it must not outlive it.
  std::vector<std::string> along;
  /// Spawns the actors and makes them known. Runs in the supervisor's thread.
  std::function<std::vector<Member>()> spawn;
  /// Its actors are told to end: cuts short what blocks them. May be unset.
  std::function<void()> ending;
};

struct Supervision {
  /// In the order in which they are begun; ended the other way round.
  std::vector<Role> roles;
  /// An actor of that name was begun anew.
  std::function<void(const std::string& actor)> restarted;
  /// Nothing more can be done: the process is to end, and to be started again from outside. Once; the reason
  /// is for people.
  std::function<void(const std::string& why)> give_up;
  /// Before a restart; doubles with each death in a row.
  std::chrono::milliseconds first_pause{100}, longest_pause{10'000};
  /// So long without a death ends a row.
  std::chrono::milliseconds calm{60'000};
  /// More deaths in a row are not mended by one more restart.
  int most_deaths = 10;
  /// An actor that was told to end and has not after so long is stuck.
  std::chrono::milliseconds patience{45'000};
};

// What the supervisor tells itself; nobody else sends these.
using anew_atom = caf::atom_constant<caf::atom("anew")>;
using stuck_atom = caf::atom_constant<caf::atom("stuck")>;
using end_all_atom = caf::atom_constant<caf::atom("end_all")>;

using supervisor_actor = caf::typed_actor<
    /// Ends all roles; answered when the last actor has ended. None is begun anew any more.
    caf::replies_to<end_all_atom>::with<caf::unit_t>,
    /// The pause is over. The number says which.
    caf::reacts_to<anew_atom, std::uint64_t>,
    /// Patience with those that are to end is over.
    caf::reacts_to<stuck_atom, std::uint64_t>>;

/// Life: begins all roles, then watches their actors. When one dies, its role is ended, and with it every
/// role that holds a handle of it. When the last of their actors has ended, so that nothing of an earlier
/// life can act any more, and a pause is over, they are begun anew and rebuild their state from the store,
/// GitHub and libvirt, as after a start of the process. Meanwhile the others go on. Holds no state but that;
/// never waits.
class Supervisor : public Metered<supervisor_actor::base> {
 public:
  Supervisor(caf::actor_config&, MeterPtr, Supervision);

  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  struct Charge {
    Role role;
    std::vector<Role::Member> members;
    bool ended = false; ///< told to end, or not begun yet
  };

  void begin(Charge&);
  void down(const caf::down_msg&);
  void bring_down(Charge& dead);
  void end(Charge&);
  void settle();
  void begin_anew();
  void stuck();
  void give_up(const std::string& why);
  bool all_ended_are_gone() const;
  void mark_dependents(std::vector<bool>& marked) const;

  Supervision setup_;
  std::vector<Charge> charges_;
  int deaths_ = 0; ///< in a row
  std::chrono::steady_clock::time_point last_death_{};
  std::uint64_t generation_ = 0; ///< of the timers
  bool restart_due_ = false;     ///< the pause is over
  bool given_up_ = false;
  std::vector<caf::typed_response_promise<caf::unit_t>> stoppers_;
};

} // namespace ci
