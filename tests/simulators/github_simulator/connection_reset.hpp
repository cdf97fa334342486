#pragma once
/// A connection's end as a broken network makes it.

#include <cstdint>
#include <string>

namespace ci::github_simulator {

/// Resets the connection of this process with that peer: the peer gets a RST and nothing else. The descriptor
/// stays open, for its owner to close. False where there is no such connection.
bool reset_connection(const std::string& peer_address, std::uint16_t peer_port);

} // namespace ci::github_simulator
