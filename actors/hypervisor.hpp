#pragma once
/// The actor that stands for libvirt towards the monitor.

#include "actors/messages.hpp"
#include "actors/metered.hpp"
#include "actors/workers.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace ci {

struct HypervisorSetup {
  domain::Prefixes prefixes;
  /// Listens to libvirt's events, lists, and finds addresses.
  host_actor control;
  /// Carry out orders; at least one. See Workers.
  std::vector<host_actor> workers;
  MeterPtr guest_meter;
  /// Spawns the actor of the guest of that name; unset: a Guest with the workers.
  std::function<guest_actor(const std::string&)> spawn_guest;
};

/// Knows whether libvirt is there, and who carries out a guest's orders.
///
/// Life: tells the control host to send events. Observations and the state of the connection are passed on to
/// the monitor; the latter also when the monitor begins to watch. An order goes to the guest's actor, which
/// is spawned for its first order and ended when a remove has succeeded and nothing else is ordered. A
/// guest's actor that dies has its orders answered with an error; the next order spawns another.
class Hypervisor : public Metered<hypervisor_actor::base> {
 public:
  Hypervisor(caf::actor_config&, MeterPtr, HypervisorSetup);
  ~Hypervisor() override;

  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  using Answer = caf::typed_response_promise<domain::HostReply>;
  using Addresses = caf::typed_response_promise<AddressReply>;
  struct Actor {
    guest_actor handle;
    std::map<std::uint64_t, Answer> orders; ///< in flight
  };

  void watch(monitor_actor);
  void connection(HostConnection&);
  void observed(const domain::GuestObservation&);
  caf::result<GuestListingReply> list();
  caf::result<AddressReply> addresses();
  caf::result<DefinitionsReply> definitions(const std::vector<std::string>& guests);
  void addresses_of(GuestListingReply&, Addresses);
  bool is_ours(const std::string& guest) const;

  template <class Atom>
  caf::result<domain::HostReply> order(Atom, const domain::GuestSpec&);
  void answer(const std::string& guest, std::uint64_t number, const domain::HostReply&, bool removed);
  Actor& actor_of(const std::string& guest);
  void guest_down(const caf::down_msg&);

  HypervisorSetup setup_;
  monitor_actor monitor_;
  HostConnection connection_{false, "not connected yet"};
  std::map<std::string, Actor> guests_;
  std::uint64_t orders_ = 0;
};

} // namespace ci
