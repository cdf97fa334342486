#pragma once
/// libvirt's numbers as our words.

#include "actors/domain/guest.hpp"
#include "actors/edge/libvirt_host.hpp"

#include <string>

namespace ci::edge {

/// A virDomainState: shut off and crashed are off, everything else is on.
domain::GuestState guest_state(int state);
/// The reason that came with the state, e.g. "destroyed"; "unknown" for numbers without a word.
std::string state_reason(int state, int reason);
/// A virDomainEventType and its detail.
GuestEvent guest_event(int event, int detail);
/// A virConnectCloseReason.
std::string close_reason(int reason);

} // namespace ci::edge
