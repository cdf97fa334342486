#pragma once
/// From the host's DHCP leases to addresses by guest.

#include "actors/domain/address.hpp"

#include <map>
#include <string>
#include <vector>

namespace ci::domain {

/// One lease, as libvirt gave it for a guest.
struct Lease {
  std::string guest;
  std::string address;
};

/// The IPv4 address of each guest within the network. Of several of one guest the last counts: libvirt lists
/// the newest lease last. An address that two guests claim stands with neither.
std::map<std::string, std::string> addresses_by_guest(const std::vector<Lease>&, const Network&);

} // namespace ci::domain
