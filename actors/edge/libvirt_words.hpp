#pragma once
/// libvirt's numbers as our words.

#include "actors/domain/guest.hpp"

#include <string>

namespace ci::edge {

/// A virDomainState: shut off and crashed are off, everything else is on.
domain::GuestState guest_state(int state);
/// The reason that came with the state, e.g. "destroyed"; "unknown" for numbers without a word.
std::string state_reason(int state, int reason);
/// A virConnectCloseReason.
std::string close_reason(int reason);

} // namespace ci::edge
