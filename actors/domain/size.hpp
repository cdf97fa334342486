#pragma once
/// Sizes as settings write them: `<n>B|K|M|G|T|P`, binary units, an optional space before the unit.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ci::domain {

/// Bytes, or nothing where the text is no size or does not fit 63 bits. A unit is needed: a bare number says
/// nothing.
std::optional<std::int64_t> parse_size(std::string_view text);

/// The shortest exact text that parse_size() reads back; `bytes` is not negative.
std::string format_size(std::int64_t bytes);

} // namespace ci::domain
