#pragma once
/// Which endpoints there are.

#include "http/router.hpp"

#include <span>

namespace ci::http {

/// The table of endpoints, in the order in which they are tried.
std::span<const Route> routes();
void add_routes(Router&);

} // namespace ci::http
