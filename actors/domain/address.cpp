#include "actors/domain/address.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

namespace ci::domain {

namespace {

constexpr int mapped_bits = 96; // ::ffff:0:0/96 holds the IPv4 addresses

template <class Number>
std::optional<Number> parse_number(std::string_view text, int base, std::size_t max_digits) {
  Number number{};
  if (text.empty() || text.size() > max_digits || text.front() == '-')
    return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return number;
}

/// At least one part; an empty text is one empty part.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos)
      return parts;
    text.remove_prefix(at + 1);
  }
}

std::optional<std::uint32_t> parse_v4(std::string_view text) {
  const auto parts = split(text, '.');
  if (parts.size() != 4)
    return std::nullopt;
  std::uint32_t value = 0;
  for (const auto part : parts) {
    const auto number = parse_number<unsigned>(part, 10, 3);
    // A leading zero means octal to some programs: such an address is not the same to all.
    if (!number || *number > 255 || (part.size() > 1 && part.front() == '0'))
      return std::nullopt;
    value = value << 8 | *number;
  }
  return value;
}

using Groups = std::vector<std::uint16_t>;

/// The groups of one side of `::`. An IPv4 address may stand in the place of the last two where `v4_allowed`.
std::optional<Groups> parse_groups(std::string_view text, bool v4_allowed) {
  Groups groups;
  if (text.empty())
    return groups;
  const auto parts = split(text, ':');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (v4_allowed && i + 1 == parts.size() && parts[i].find('.') != std::string_view::npos) {
      const auto v4 = parse_v4(parts[i]);
      if (!v4)
        return std::nullopt;
      groups.push_back(static_cast<std::uint16_t>(*v4 >> 16));
      groups.push_back(static_cast<std::uint16_t>(*v4));
    } else if (const auto group = parse_number<std::uint16_t>(parts[i], 16, 4)) {
      groups.push_back(*group);
    } else {
      return std::nullopt;
    }
  }
  return groups;
}

std::optional<Address> parse_v6(std::string_view text) {
  const auto gap = text.find("::");
  const bool has_gap = gap != std::string_view::npos;
  auto head = parse_groups(text.substr(0, gap), !has_gap);
  auto tail = has_gap ? parse_groups(text.substr(gap + 2), true) : Groups{};
  if (!head || !tail || (has_gap ? head->size() + tail->size() > 7 : head->size() != 8))
    return std::nullopt;
  head->resize(8 - tail->size());
  head->insert(head->end(), tail->begin(), tail->end());
  Address address;
  for (std::size_t i = 0; i < 8; ++i) {
    address.bytes[2 * i] = static_cast<std::uint8_t>((*head)[i] >> 8);
    address.bytes[2 * i + 1] = static_cast<std::uint8_t>((*head)[i]);
  }
  return address;
}

std::string v6_text(const Address& address) {
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < 8; ++i)
    groups[i] = address.bytes[2 * i] << 8 | address.bytes[2 * i + 1];
  std::size_t best = 8, best_length = 1; // a single zero group is written out
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t end = i;
    while (end < 8 && groups[end] == 0)
      ++end;
    if (end - i > best_length) {
      best = i;
      best_length = end - i;
    }
  }
  std::string text;
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == best) {
      text += "::";
      i += best_length - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':')
      text += ':';
    std::array<char, 4> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), groups[i], 16).ptr;
    text.append(digits.data(), end);
  }
  return text;
}

} // namespace

Address Address::v4(std::uint32_t host_order) {
  Address address;
  address.bytes[10] = address.bytes[11] = 0xff;
  for (int i = 0; i < 4; ++i)
    address.bytes[15 - i] = static_cast<std::uint8_t>(host_order >> (8 * i));
  return address;
}

bool Address::is_v4() const {
  return std::all_of(bytes.begin(), bytes.begin() + 10, [](auto b) { return b == 0; }) && bytes[10] == 0xff &&
         bytes[11] == 0xff;
}

std::uint32_t Address::v4_value() const {
  if (!is_v4())
    return 0;
  std::uint32_t value = 0;
  for (std::size_t i = 12; i < 16; ++i)
    value = value << 8 | bytes[i];
  return value;
}

bool Address::is_loopback() const {
  if (is_v4())
    return bytes[12] == 127;
  return std::all_of(bytes.begin(), bytes.end() - 1, [](auto b) { return b == 0; }) && bytes[15] == 1;
}

bool Address::is_public() const {
  static const auto others = [] {
    std::vector<Network> networks;
    for (const auto* text :
         {"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
          "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
          "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3", "::/3", "4000::/2", "8000::/1", "2001:db8::/32",
          "2001::/23", "2002::/16"})
      networks.push_back(*parse_network(text));
    return networks;
  }();
  return std::none_of(others.begin(), others.end(),
                      [this](const Network& network) { return network.contains(*this); });
}

bool Address::is_any() const {
  const auto first = is_v4() ? bytes.begin() + 12 : bytes.begin();
  return std::all_of(first, bytes.end(), [](auto b) { return b == 0; });
}

Address Address::masked(int bits) const {
  Address result = *this;
  const int kept = is_v4() ? bits + mapped_bits : bits;
  for (int i = 0; i < 16; ++i) {
    const int here = std::clamp(kept - 8 * i, 0, 8);
    result.bytes[static_cast<std::size_t>(i)] &= static_cast<std::uint8_t>(0xff00 >> here);
  }
  return result;
}

std::optional<Address> parse_address(std::string_view text) {
  if (text.find(':') != std::string_view::npos)
    return parse_v6(text);
  const auto v4 = parse_v4(text);
  return v4 ? std::optional{Address::v4(*v4)} : std::nullopt;
}

std::string to_string(const Address& address) {
  if (!address.is_v4())
    return v6_text(address);
  const auto& b = address.bytes;
  return std::to_string(b[12]) + '.' + std::to_string(b[13]) + '.' + std::to_string(b[14]) + '.' +
         std::to_string(b[15]);
}

bool Network::contains(const Address& address) const {
  return address.is_v4() == base.is_v4() && address.masked(bits) == base;
}

bool Network::overlaps(const Network& other) const {
  return bits <= other.bits ? contains(other.base) : other.contains(base);
}

std::optional<Network> parse_network(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address)
    return std::nullopt;
  if (slash == std::string_view::npos)
    return Network{*address, address->width()};
  const auto digits = text.substr(slash + 1);
  const auto bits = parse_number<int>(digits, 10, 3);
  if (!bits || *bits > address->width() || (digits.size() > 1 && digits.front() == '0'))
    return std::nullopt;
  return Network{address->masked(*bits), *bits};
}

std::string to_string(const Network& network) {
  const auto text = to_string(network.base);
  return network.bits == network.base.width() ? text : text + '/' + std::to_string(network.bits);
}

} // namespace ci::domain
