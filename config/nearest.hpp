#pragma once
/// Finds what somebody may have meant to write.

#include <string>
#include <string_view>
#include <vector>

namespace ci::config {

/// How many characters must be inserted, deleted, replaced or swapped with their neighbour to make `b` of
/// `a`. Case counts.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The name with the smallest distance to `written`, the first one of equals; empty where there are no names.
std::string nearest(std::string_view written, const std::vector<std::string>& names);

} // namespace ci::config
