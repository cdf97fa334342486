#pragma once
/// A connection's end without an answer.

#include <cstdint>
#include <string>

namespace ci::github_simulator {

enum class Cut {
  reset,  ///< the peer gets a RST, as from a broken network
  closed, ///< the peer gets a FIN, as from a program that ends
};

/// Cuts the connection of this process with that peer. The descriptor stays open, for its owner to close.
/// False where there is no such connection.
bool cut_connection(const std::string& peer_address, std::uint16_t peer_port, Cut);

} // namespace ci::github_simulator
