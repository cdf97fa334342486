#pragma once
/// Times as texts. Any thread.

#include "actors/domain/types.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace ci::http {

/// `2026-11-23 10:00:00`, in UTC, for people. (For programs: domain::rfc3339.)
std::string readable_time(domain::Time);
/// `Mon, 23 Nov 2026 10:00:00 GMT`, as HTTP's Date.
std::string http_date(domain::Time);
/// Reads that form, the only one that is still sent. None where it is another, or no time.
std::optional<domain::Time> parse_http_date(std::string_view);
/// Now, by the wall clock.
domain::Time wall_now();

} // namespace ci::http
