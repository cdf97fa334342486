#include "actors/domain/lease.hpp"

#include <doctest/doctest.h>

using namespace ci::domain;
using Addresses = std::map<std::string, std::string>;

namespace {
const Network guests = *parse_network("192.168.100.0/24");
}

TEST_CASE("each guest has the address of its lease") {
  CHECK(addresses_by_guest({{"a", "192.168.100.2"}, {"b", "192.168.100.3"}}, guests) ==
        Addresses{{"a", "192.168.100.2"}, {"b", "192.168.100.3"}});
}

TEST_CASE("addresses outside of the guests' network do not count") {
  CHECK(
      addresses_by_guest(
          {{"a", "10.0.0.2"}, {"a", "192.168.100.2"}, {"b", "10.0.0.3"}, {"c", "nonsense"}, {"d", "fe80::1"}},
          guests) == Addresses{{"a", "192.168.100.2"}});
}

TEST_CASE("of several leases of one guest the last counts") {
  CHECK(addresses_by_guest({{"a", "192.168.100.2"}, {"a", "192.168.100.9"}}, guests) ==
        Addresses{{"a", "192.168.100.9"}});
}

TEST_CASE("an address that two guests claim stands with neither") {
  CHECK(addresses_by_guest({{"a", "192.168.100.2"}, {"b", "192.168.100.2"}, {"c", "192.168.100.3"}},
                           guests) == Addresses{{"c", "192.168.100.3"}});
  CHECK(addresses_by_guest({{"a", "192.168.100.2"}, {"a", "192.168.100.9"}, {"b", "192.168.100.2"}},
                           guests) == Addresses{{"a", "192.168.100.9"}});
}
