#include "actors/domain/lease.hpp"

#include <set>

namespace ci::domain {

std::map<std::string, std::string> addresses_by_guest(const std::vector<Lease>& leases,
                                                      const Network& network) {
  std::map<std::string, std::string> result;
  std::map<std::string, std::set<std::string>> claims;
  for (auto& lease : leases) {
    auto address = parse_address(lease.address);
    if (!address || !address->is_v4() || !network.contains(*address))
      continue;
    auto text = to_string(*address);
    result[lease.guest] = text;
    claims[text].insert(lease.guest);
  }
  // A claim counts though the claimant has a newer address: whose it is now can't be told.
  std::erase_if(result, [&](auto& entry) { return claims[entry.second].size() > 1; });
  return result;
}

} // namespace ci::domain
