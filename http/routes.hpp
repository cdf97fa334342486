#pragma once
#include "http/router.hpp"

namespace ci::http {
/// All endpoints of the service.
void add_routes(Router&);
} // namespace ci::http
