#pragma once
/// The parts of the dashboard page that are cards: one a profile, one a thing that the host can run out of. Pure.

#include "actors/domain/snapshot.hpp"

#include <string>

namespace ci::http {

/// How many runners of each profile there are, of what status, and how its image stands.
std::string profile_section(const domain::Snapshot&);
/// What of the host's memory runners hold; empty where nothing was given to them.
std::string host_section(const domain::Snapshot&);

} // namespace ci::http
