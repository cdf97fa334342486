#pragma once

#include <algorithm>
#include <string_view>

namespace ci::domain {

/// No space, no control character, nothing beyond ASCII.
inline bool is_visible_ascii(char c) { return c > ' ' && c <= '~'; }
/// Whether it may stand in a header as it is. True of "".
inline bool is_visible_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return is_visible_ascii(c); });
}

} // namespace ci::domain
