#pragma once
/// What tells one guest from every other one, made of random bits.

#include <cstdint>
#include <cstdio>
#include <string>

namespace ci::domain {

/// UUID version 4 of 128 random bits, in canonical form.
inline std::string uuid_v4(std::uint64_t high, std::uint64_t low) {
  high = (high & 0xffffffffffff0fffULL) | 0x4000;
  low = (low & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;
  char text[40];
  std::snprintf(text, sizeof text, "%08x-%04x-%04x-%04x-%012llx", static_cast<unsigned>(high >> 32),
                static_cast<unsigned>(high >> 16 & 0xffff), static_cast<unsigned>(high & 0xffff),
                static_cast<unsigned>(low >> 48), static_cast<unsigned long long>(low & 0xffffffffffffULL));
  return text;
}

/// A MAC address in QEMU's range, which is locally administered, of 24 random bits.
inline std::string mac_address(std::uint64_t bits) {
  char text[24];
  std::snprintf(text, sizeof text, "52:54:00:%02x:%02x:%02x", static_cast<unsigned>(bits >> 16 & 0xff),
                static_cast<unsigned>(bits >> 8 & 0xff), static_cast<unsigned>(bits & 0xff));
  return text;
}

} // namespace ci::domain
