#pragma once
/// From what the host knows of guests' addresses to addresses by guest.

#include "actors/domain/address.hpp"
#include "actors/domain/guest.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace ci::domain {

/// Somebody says that a guest has an address.
struct AddressClaim {
  std::string guest;
  std::string address;
  AddressSource source = AddressSource::lease;
};

/// The IPv4 address of each guest within the network. A guest's lease counts before ARP, and that before its
/// agent; of several of one source the last: libvirt lists the newest lease last. An address that two guests
/// claim stands with neither, but hearsay that is not trusted takes no lease away: else any guest could.
AddressListing addresses_by_guest(const std::vector<AddressClaim>&, const Network&,
                                  bool trust_hearsay = false);

/// Those of the guests that have no lease within the network: for these ARP and the guest agent are asked.
std::vector<std::string> without_lease(const std::vector<std::string>& guests,
                                       const std::vector<AddressClaim>&, const Network&);

/// A MAC address in lower case with two digits a byte: guest agents leave leading zeros out. What is no MAC
/// address comes back in lower case.
std::string normal_mac(std::string_view);

} // namespace ci::domain
