#pragma once
/// `--check`: whether this host is ready for the settings.

#include "config/settings.hpp"

#include <iosfwd>
#include <string>

namespace ci::http {

/// Tries each path and address as the user that it runs as, reports a line each, with the command that mends
/// what is wrong. False where anything is. \p adopt: says, too, what `--adopt` would take over of guests and
/// files here; GitHub is not asked. \p env_file: where secrets come from; need not exist.
bool check_host(const config::Settings&, const std::string& env_file, std::ostream&, bool adopt = false);

/// What is wrong with `guest_filter`, and how to mend it; empty where nothing is, or none is wanted. Asks libvirt, for
/// 5 s at most; while that does not answer, nobody can say. An EventLoop must run.
std::string lack_of_filter(const std::string& libvirt_uri, const std::string& filter);

} // namespace ci::http
