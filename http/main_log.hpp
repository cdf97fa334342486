#pragma once
/// The log on standard output.

#include <string>

namespace ci::http {

/// From now on what is logged goes there, in lines of `<time> level=<level> <text>`. A reader that stands still holds
/// up nobody: see edge::LineWriter. \p level: spdlog's word for the lowest that is logged.
void set_up_logging(const std::string& level);

/// Writes what the reader of the log did not take before. Any thread; to be called now and then.
void flush_log();

/// Before the process ends: waits half a second at most for the reader. The log stays usable, for threads that are left.
void drain_log();

} // namespace ci::http
