#include "actors/domain/utf8.hpp"

#include <cstdint>

namespace ci::domain {
namespace {

/// Length of the UTF-8 sequence that begins with `lead`, and the smallest code point it may stand for.
struct Sequence {
  std::size_t length;
  std::uint32_t smallest;
};
Sequence sequence(unsigned char lead) {
  if (lead < 0x80)
    return {1, 0};
  if (lead >= 0xc2 && lead < 0xe0)
    return {2, 0x80};
  if (lead >= 0xe0 && lead < 0xf0)
    return {3, 0x800};
  if (lead >= 0xf0 && lead < 0xf5)
    return {4, 0x10000};
  return {0, 0};
}

} // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto [length, smallest] = sequence(static_cast<unsigned char>(text[i]));
    if (length == 0 || i + length > text.size())
      return false;
    std::uint32_t code = static_cast<unsigned char>(text[i]) & (length == 1 ? 0x7fU : 0xffU >> (length + 1));
    for (std::size_t k = 1; k < length; ++k) {
      const auto byte = static_cast<unsigned char>(text[i + k]);
      if ((byte & 0xc0) != 0x80)
        return false;
      code = code << 6 | (byte & 0x3fU);
    }
    if (code < smallest || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
      return false;
    i += length;
  }
  return true;
}

} // namespace ci::domain
