#pragma once

#include <algorithm>
#include <string_view>

namespace ci::domain {

/// Whether it may stand in a header as it is: no space, no control character, nothing beyond ASCII. True of "".
inline bool is_visible_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

} // namespace ci::domain
