#pragma once
/// `--check`: whether this host is ready for the settings.

#include "config/settings.hpp"

#include <iosfwd>

namespace ci::http {

/// Tries each path and address as the user that it runs as, reports a line each, with the command that mends what is
/// wrong. False where anything is.
bool check_host(const config::Settings&, std::ostream&);

} // namespace ci::http
