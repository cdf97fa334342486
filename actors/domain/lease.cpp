#include "actors/domain/lease.hpp"

#include "actors/domain/names.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <set>

namespace ci::domain {
namespace {

/// The address in its usual form; empty where it does not count.
std::string counted(const AddressClaim& claim, const Network& network) {
  auto address = parse_address(claim.address);
  return address && address->is_v4() && network.contains(*address) ? to_string(*address) : "";
}

} // namespace

const char* to_string(AddressSource source) {
  switch (source) {
  case AddressSource::lease:
    return "lease";
  case AddressSource::arp:
    return "arp";
  case AddressSource::agent:
    return "agent";
  }
  return "?";
}

AddressListing addresses_by_guest(const std::vector<AddressClaim>& claims, const Network& network,
                                  bool trust_hearsay) {
  AddressListing result;
  result.trust_hearsay = trust_hearsay;
  std::map<std::string, AddressSource> sources;
  // A claim counts though the claimant has a newer address: whose it is now can't be told.
  std::map<std::string, std::set<std::string>> leased, claimed;
  for (auto& claim : claims) {
    auto text = counted(claim, network);
    if (text.empty())
      continue;
    claimed[text].insert(claim.guest);
    if (claim.source == AddressSource::lease)
      leased[text].insert(claim.guest);
    auto [best, first] = sources.try_emplace(claim.guest, claim.source);
    if (!first && best->second < claim.source)
      continue;
    best->second = claim.source;
    result.ipv4_by_guest[claim.guest] = text;
  }
  for (auto& [guest, source] : sources) {
    auto& address = result.ipv4_by_guest.at(guest);
    auto& rivals = source == AddressSource::lease && !trust_hearsay ? leased : claimed;
    if (rivals[address].size() > 1)
      result.ipv4_by_guest.erase(guest);
    else if (source != AddressSource::lease)
      result.hearsay[guest] = source;
  }
  return result;
}

std::vector<std::string> without_lease(const std::vector<std::string>& guests,
                                       const std::vector<AddressClaim>& claims, const Network& network) {
  std::vector<std::string> result;
  for (auto& guest : guests)
    if (std::none_of(claims.begin(), claims.end(), [&](auto& claim) {
          return claim.guest == guest && claim.source == AddressSource::lease &&
                 !counted(claim, network).empty();
        }))
      result.push_back(guest);
  return result;
}

std::string normal_mac(std::string_view mac) {
  std::array<unsigned, 6> b{};
  int used = 0;
  std::string text(mac);
  auto count =
      std::sscanf(text.c_str(), "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &used);
  if (count != 6 || used != static_cast<int>(text.size()))
    return to_lower(mac);
  char result[18];
  std::snprintf(result, sizeof result, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
  return result;
}

} // namespace ci::domain
