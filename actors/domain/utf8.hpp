#pragma once
/// Whether bytes are UTF-8. Pure.

#include <string_view>

namespace ci::domain {

/// No overlong forms, surrogates or values above U+10FFFF.
bool is_utf8(std::string_view);

} // namespace ci::domain
