#pragma once
/// IP addresses and networks as values: who a peer is, and whether it counts as a guest or a trusted proxy.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ci::domain {

/// An IPv4 or IPv6 address. An IPv4-mapped IPv6 address (`::ffff:1.2.3.4`) is the IPv4 address: the same peer
/// must not count as two. Kept in the mapped form, so that equal addresses have equal bytes.
struct Address {
  std::array<std::uint8_t, 16> bytes{};

  static Address v4(std::uint32_t host_order);
  bool is_v4() const;
  /// In host order; 0 for an IPv6 address.
  std::uint32_t v4_value() const;
  /// 32 or 128.
  int width() const { return is_v4() ? 32 : 128; }
  bool is_loopback() const;
  /// `0.0.0.0` or `::`: every address of the host.
  bool is_any() const;
  /// Of the internet at large: neither of a private or shared network, nor link-local, loopback, multicast or
  /// reserved.
  bool is_public() const;
  /// The address with all but its first `bits` bits zero; `bits` is within 0 and width().
  Address masked(int bits) const;
  friend bool operator==(const Address&, const Address&) = default;
  friend auto operator<=>(const Address&, const Address&) = default;
};

/// Reads dotted decimal (four numbers, no leading zeros) or RFC 4291 text. No zone (`%eth0`), port or
/// brackets.
std::optional<Address> parse_address(std::string_view text);
/// RFC 5952 text: lower case, the longest run of zeros shortened.
std::string to_string(const Address&);

/// An address and how many of its first bits count.
struct Network {
  Address base; ///< masked
  int bits = 0; ///< 0 to base.width()

  bool contains(const Address&) const;
  bool overlaps(const Network&) const;
  friend bool operator==(const Network&, const Network&) = default;
};

/// Reads `<address>/<bits>`, or an address alone, which is the network of that one address. Host bits are
/// dropped.
std::optional<Network> parse_network(std::string_view text);
/// `<address>/<bits>`; an address alone where all bits count.
std::string to_string(const Network&);

} // namespace ci::domain
