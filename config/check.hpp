#pragma once
/// What one key alone can't show: whether the settings fit together.

#include "config/findings.hpp"
#include "config/settings.hpp"

namespace ci::config {

/// The longest name that GitHub takes for a registration.
constexpr std::size_t max_registration_name = 64;
/// The largest id that registrations' names must have room for. An id may have 19 digits, but no host makes
/// ten million runners: at one a minute that takes 19 years.
constexpr domain::RunnerId largest_expected_id = 9'999'999;

/// Full name of a profile's key, as findings have it, e.g. `profiles.linux.target_count`.
std::string profile_key_name(const std::string& profile, const std::string& name);

/// Adds complaints and warnings. Skips what depends on a key that is complained of already.
void check(const Settings&, Findings&);

} // namespace ci::config
