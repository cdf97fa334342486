#include "actors/domain/lease.hpp"

#include <doctest/doctest.h>

using namespace ci::domain;
using Addresses = std::map<std::string, std::string>;

namespace {
const Network guests = *parse_network("192.168.100.0/24");
constexpr auto arp = AddressSource::arp, agent = AddressSource::agent;

Addresses shown(const std::vector<AddressClaim>& claims, bool trust_hearsay = false) {
  return addresses_by_guest(claims, guests, trust_hearsay).ipv4_by_guest;
}
} // namespace

TEST_CASE("each guest has the address of its lease") {
  CHECK(shown({{"a", "192.168.100.2"}, {"b", "192.168.100.3"}}) ==
        Addresses{{"a", "192.168.100.2"}, {"b", "192.168.100.3"}});
}

TEST_CASE("addresses outside of the guests' network do not count") {
  CHECK(shown({{"a", "10.0.0.2"},
               {"a", "192.168.100.2"},
               {"b", "10.0.0.3"},
               {"c", "nonsense"},
               {"d", "fe80::1"}}) == Addresses{{"a", "192.168.100.2"}});
}

TEST_CASE("of several leases of one guest the last counts") {
  CHECK(shown({{"a", "192.168.100.2"}, {"a", "192.168.100.9"}}) == Addresses{{"a", "192.168.100.9"}});
}

TEST_CASE("an address that two guests claim stands with neither") {
  CHECK(shown({{"a", "192.168.100.2"}, {"b", "192.168.100.2"}, {"c", "192.168.100.3"}}) ==
        Addresses{{"c", "192.168.100.3"}});
  CHECK(shown({{"a", "192.168.100.2"}, {"a", "192.168.100.9"}, {"b", "192.168.100.2"}}) ==
        Addresses{{"a", "192.168.100.9"}});
}

TEST_CASE("what ARP and the agent say counts where there is no lease, ARP first, and is marked") {
  auto listing = addresses_by_guest({{"a", "192.168.100.9", agent},
                                     {"a", "192.168.100.2"},
                                     {"b", "192.168.100.4", agent},
                                     {"b", "192.168.100.3", arp},
                                     {"b", "192.168.100.8", agent},
                                     {"c", "10.0.0.5", arp},
                                     {"c", "192.168.100.5", agent}},
                                    guests);
  CHECK(listing.ipv4_by_guest ==
        Addresses{{"a", "192.168.100.2"}, {"b", "192.168.100.3"}, {"c", "192.168.100.5"}});
  CHECK(listing.hearsay == std::map<std::string, AddressSource>{{"b", arp}, {"c", agent}});
  CHECK(listing.serves("a"));
  CHECK_FALSE(listing.serves("b"));
  CHECK(listing.serves("nobody"));
}

TEST_CASE("G7: hearsay takes no lease away unless it is trusted, and then the address is nobody's") {
  const std::vector<AddressClaim> claims{{"a", "192.168.100.2"}, {"b", "192.168.100.2", agent}};
  CHECK(shown(claims) == Addresses{{"a", "192.168.100.2"}});
  CHECK(shown(claims, true) == Addresses{});
  CHECK(addresses_by_guest(claims, guests, true).hearsay.empty());
}

TEST_CASE("an address that two guests claim by hearsay stands with neither") {
  const std::vector<AddressClaim> claims{
      {"a", "192.168.100.2", arp}, {"b", "192.168.100.2", agent}, {"c", "192.168.100.3", agent}};
  CHECK(shown(claims) == Addresses{{"c", "192.168.100.3"}});
  CHECK(shown(claims, true) == Addresses{{"c", "192.168.100.3"}});
  CHECK(addresses_by_guest(claims, guests, true).serves("c"));
}

TEST_CASE("only guests without a lease in the network are asked for") {
  using Names = std::vector<std::string>;
  const std::vector<AddressClaim> claims{
      {"a", "192.168.100.2"}, {"b", "10.0.0.2"}, {"d", "192.168.100.4", arp}};
  CHECK(without_lease({"a", "b", "c", "d"}, claims, guests) == Names{"b", "c", "d"});
  CHECK(without_lease({}, claims, guests) == Names{});
}

TEST_CASE("MAC addresses compare although an agent leaves zeros out") {
  CHECK(normal_mac("52:54:0:9B:ba:6e") == "52:54:00:9b:ba:6e");
  CHECK(normal_mac("52:54:00:9b:ba:6e") == "52:54:00:9b:ba:6e");
  CHECK(normal_mac("0:0:0:0:0:0") == "00:00:00:00:00:00");
  for (const auto* odd : {"", "eth0", "52:54:00:9b:ba", "52:54:00:9b:ba:6e:01", "52:54:00:9b:ba:6e "})
    CHECK(normal_mac(odd) == odd);
}
