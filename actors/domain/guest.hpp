#pragma once
/// What libvirt says of guests, and what is ordered of it, as values.

#include "actors/domain/types.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ci::domain {

/// Whether a guest can be running anything.
enum class GuestState {
  absent, ///< libvirt knows no such guest
  off,    ///< defined, and not running: shut off or crashed
  on,     ///< anything else, paused and shutting down included: it may be working
};
const char* to_string(GuestState);

/// How libvirt's reason begins for a guest that is on and stands still.
inline const std::string paused = "paused: ";

/// A guest in that state, for that reason: it is on, and nothing in it runs.
inline bool stands_still(GuestState state, std::string_view reason) {
  return state == GuestState::on && reason.starts_with(paused);
}

/// One guest as libvirt reported it at one moment.
struct GuestObservation {
  std::string name;
  std::string uuid;
  GuestState state = GuestState::absent;
  /// libvirt's reason for the state, in words ("shutdown", "crashed", "destroyed", "paused: I/O error" ...); for people.
  std::string reason;
  /// When libvirt was asked.
  Steady read_at{};
};

/// All guests of a connection, whoever made them. A failed or partial listing is never one of these.
struct GuestListing {
  std::vector<GuestObservation> guests;
  Steady started_at{};
};

/// Who says that a guest has an address; the earlier, the better.
enum class AddressSource {
  lease, ///< the network's DHCP server, by MAC
  arp,   ///< the host's ARP table, by MAC: whoever sends can get there
  agent, ///< the guest itself
};
const char* to_string(AddressSource);

/// Addresses by guest name. Only addresses in `guest_network`. An address that two guests claim stands with
/// neither.
struct AddressListing {
  std::map<std::string, std::string> ipv4_by_guest;
  Steady started_at{};
  /// Those among them that have no lease: who says so.
  std::map<std::string, AddressSource> hearsay{};
  /// Whether that is enough for a boot script and a JIT config (`trust_guest_agent`); else it is only shown.
  bool trust_hearsay = false;

  bool serves(const std::string& guest) const { return trust_hearsay || !hearsay.contains(guest); }
};

/// How a runner's disk is made from its template's. Paths are absolute.
struct CloneOrder {
  std::string from;
  std::string to;
  /// Stated format of `from`; never probed.
  std::string format = "raw";
  /// Whether it may be a qcow2 overlay where the file system can't share blocks.
  bool may_overlay = false;
};

/// A runner's disk as it was made.
struct ClonedDisk {
  /// Empty: there is none.
  std::string file;
  std::string format;
  /// What an overlay is laid over, which then must stay as it is; empty: it is whole by itself.
  std::string backing_file;
  std::string backing_format;
};

/// The reason of a guest that is off because its host ended it in an orderly way (a signal to QEMU): libvirt
/// calls that `shutdown`, as it does the guest's own.
inline constexpr const char* shutdown_by_host = "shutdown by the host";
/// Inactive definitions of guests by name. Guests that are not there are left out.
using Definitions = std::map<std::string, std::string>;

/// Everything needed to make one runner guest; durable before anything of it exists.
struct GuestSpec {
  std::string name;
  std::string uuid;
  std::string mac;
  /// The template guest whose definition is taken over.
  std::string template_guest;
  /// Target device of the cloned disk; empty: the template's first disk.
  std::string disk_target;
  /// Where the cloned disk goes: a folder that is ours, and the prefix `<id>-` of the file's name there.
  std::string disk_folder;
  std::string disk_prefix;
  /// libvirt network filter for each interface; empty: none.
  std::string filter;
  /// Whether its disk may be an overlay.
  bool may_overlay = false;
  /// Of a removal: GitHub let its runner go, so that it may be stopped while it runs. Else it is known to be off, and
  /// one that is on after all is left alone.
  bool released = false;
  /// Of a start: its disk, as the answer to prepare told.
  ClonedDisk disk{};
};

/// Outcome of an order to the hypervisor.
struct HostReply {
  /// Empty: done. Else one line for people.
  std::string error;
  /// When the last libvirt call of the order returned. States read before it say nothing of the order's
  /// effect.
  Steady finished_at{};
  /// An error for which neither guest nor image is to blame: whoever carried it out has ended, and how far it came is
  /// not known; or the host has no room for a runner's disk.
  bool cut_short = false;
  /// Of a prepare: the disk that was made.
  ClonedDisk disk{};
  /// Of a start: when libvirt had taken the definition.
  Steady defined_at{};
  explicit operator bool() const { return error.empty(); }
};

} // namespace ci::domain
