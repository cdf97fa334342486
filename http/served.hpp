#pragma once
/// Telling what was served.

#include "actors/messages.hpp"
#include "http/server.hpp"

namespace ci::http {

/// Counts the answer by route and status, and its time by route. Any thread.
void report(const metrics_actor&, const Served&);
/// The access log's line, at debug. Names the route, never the path, the query or a header. Any thread.
void log(const Served&);

} // namespace ci::http
