#pragma once
/// Times as texts. Any thread.

#include "actors/domain/types.hpp"

#include <string>

namespace ci::http {

/// `2026-11-23 10:00:00`, in UTC, for people. (For programs: domain::rfc3339.)
std::string readable_time(domain::Time);
/// `Mon, 23 Nov 2026 10:00:00 GMT`, as HTTP's Date.
std::string http_date(domain::Time);
/// Now, by the wall clock.
domain::Time wall_now();

} // namespace ci::http
