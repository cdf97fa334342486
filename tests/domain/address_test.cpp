#include "actors/domain/address.hpp"

#include <doctest/doctest.h>

using namespace ci::domain;

namespace {
Address address(std::string_view text) {
  const auto result = parse_address(text);
  REQUIRE_MESSAGE(result, text);
  return *result;
}
Network network(std::string_view text) {
  const auto result = parse_network(text);
  REQUIRE_MESSAGE(result, text);
  return *result;
}
} // namespace

TEST_CASE("an IPv4 address is four numbers up to 255") {
  CHECK(address("192.168.100.7").v4_value() == 0xc0a86407);
  CHECK(to_string(address("0.0.0.0")) == "0.0.0.0");
  CHECK(to_string(address("255.255.255.255")) == "255.255.255.255");
  for (const auto* text : {"", ".", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.-1", "1.2.3.+1", "01.2.3.4",
                           "1.2.3.0x1", "1.2.3.4 ", "1..3.4", "localhost", "1.2.3.1234"})
    CHECK_MESSAGE(!parse_address(text), text);
}

TEST_CASE("an IPv6 address may be shortened once and may end in an IPv4 address") {
  CHECK(to_string(address("::")) == "::");
  CHECK(to_string(address("::1")) == "::1");
  CHECK(to_string(address("2001:DB8::")) == "2001:db8::");
  CHECK(to_string(address("2001:db8:0:0:1:0:0:1")) == "2001:db8::1:0:0:1");
  CHECK(to_string(address("1:0:3:4:5:6:7:8")) == "1:0:3:4:5:6:7:8");
  CHECK(address("64:ff9b::192.0.2.33") == address("64:ff9b::c000:221"));
  for (const auto* text :
       {":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "12345::", "::g",
        "::1%eth0", "[::1]", "::-1", "1.2.3.4::", "::1.2.3", "fe80::1/64", "1:2:3:4:5:6:7:1.2.3.4"})
    CHECK_MESSAGE(!parse_address(text), text);
}

TEST_CASE("an IPv4-mapped address is the IPv4 address") {
  CHECK(address("::ffff:192.168.100.7") == address("192.168.100.7"));
  CHECK(address("::ffff:c0a8:6407") == address("192.168.100.7"));
  CHECK(to_string(address("::ffff:1.2.3.4")) == "1.2.3.4");
  CHECK(network("192.168.100.0/24").contains(address("::ffff:192.168.100.200")));
  CHECK(!address("::ff00:1.2.3.4").is_v4());
  CHECK(address("::1.2.3.4").v4_value() == 0);
}

TEST_CASE("loopback and the address of all interfaces are known in both families") {
  CHECK(address("127.9.9.9").is_loopback());
  CHECK(address("::1").is_loopback());
  CHECK(address("::ffff:127.0.0.1").is_loopback());
  CHECK(!address("128.0.0.1").is_loopback());
  CHECK(!address("::2").is_loopback());
  CHECK(!address("2001:db8::1").is_loopback());
  CHECK(address("0.0.0.0").is_any());
  CHECK(address("::").is_any());
  CHECK(!address("0.0.0.1").is_any());
}

TEST_CASE("a network holds its first and its last address and neither neighbour") {
  const auto guests = network("192.168.100.0/24");
  CHECK(guests.contains(address("192.168.100.0")));
  CHECK(guests.contains(address("192.168.100.255")));
  CHECK(!guests.contains(address("192.168.99.255")));
  CHECK(!guests.contains(address("192.168.101.0")));
  CHECK(!guests.contains(address("::c0a8:6407")));
  const auto odd = network("10.0.0.64/27");
  CHECK(odd.contains(address("10.0.0.95")));
  CHECK(!odd.contains(address("10.0.0.96")));
  const auto v6 = network("2001:db8::/33");
  CHECK(v6.contains(address("2001:db8:7fff::1")));
  CHECK(!v6.contains(address("2001:db8:8000::1")));
}

TEST_CASE("a network of no bits is its whole family, and an address alone is a network of one") {
  CHECK(network("0.0.0.0/0").contains(address("255.1.2.3")));
  CHECK(!network("0.0.0.0/0").contains(address("::1")));
  CHECK(network("::/0").contains(address("ffff::")));
  CHECK(!network("::/0").contains(address("1.2.3.4")));
  CHECK(network("127.0.0.1") == network("127.0.0.1/32"));
  CHECK(to_string(network("::1/128")) == "::1");
}

TEST_CASE("host bits of a network are dropped") {
  CHECK(network("192.168.100.7/24") == network("192.168.100.0/24"));
  CHECK(to_string(network("2001:db8::1/32")) == "2001:db8::/32");
}

TEST_CASE("more bits than the address has, and bits that are no number, are refused") {
  CHECK(parse_network("10.0.0.0/32"));
  CHECK(parse_network("::/128"));
  for (const auto* text :
       {"10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/8/8", "/8", "10/8", "10.0.0.0/1234",
        "10.0.0.0/x"})
    CHECK_MESSAGE(!parse_network(text), text);
}

TEST_CASE("networks overlap where one holds the other") {
  CHECK(network("10.0.0.0/8").overlaps(network("10.1.0.0/16")));
  CHECK(network("10.1.0.0/16").overlaps(network("10.0.0.0/8")));
  CHECK(network("10.1.0.0/16").overlaps(network("10.1.0.0/16")));
  CHECK(!network("10.0.0.0/16").overlaps(network("10.1.0.0/16")));
  CHECK(!network("0.0.0.0/0").overlaps(network("::/0")));
}

TEST_CASE("an IPv6 peer is told apart by its first 64 bits where it is masked so") {
  CHECK(address("2001:db8:1:2:3::9").masked(64) == address("2001:db8:1:2::"));
  CHECK(address("1.2.3.4").masked(32) == address("1.2.3.4"));
}

TEST_CASE("public addresses are those of the internet at large") {
  for (const auto* text : {"1.1.1.1", "20.60.0.1", "172.32.0.1", "192.167.255.255", "100.63.255.255", "2606:4700::1"})
    CHECK_MESSAGE(ci::domain::parse_address(text)->is_public(), text);
  for (const auto* text :
       {"0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.2", "169.254.169.254", "172.16.0.1", "172.31.255.255",
        "192.168.1.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1",
        "fd00::1", "fc00::1", "ff02::1", "2001:db8::1", "2002:7f00:1::", "64:ff9b::7f00:1", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1"})
    CHECK_MESSAGE(!ci::domain::parse_address(text)->is_public(), text);
}
