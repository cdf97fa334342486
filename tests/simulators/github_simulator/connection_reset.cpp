#include "tests/simulators/github_simulator/connection_reset.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ci::github_simulator {

namespace {

bool is_connected_to(int descriptor, const std::string& address, std::uint16_t port) {
  sockaddr_storage peer{};
  socklen_t length = sizeof peer;
  if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &length) != 0)
    return false;
  char text[INET6_ADDRSTRLEN] = "";
  std::uint16_t peer_port = 0;
  if (peer.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(peer);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    peer_port = ntohs(v4.sin_port);
  } else if (peer.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(peer);
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    peer_port = ntohs(v6.sin6_port);
  }
  return peer_port == port && address == text;
}

} // namespace

/// RESTinio does not give out its sockets, so the descriptor is looked for. Its own way of closing shuts the
/// connection down first, which is a polite FIN; dissolving the association is a RST.
bool reset_connection(const std::string& peer_address, std::uint16_t peer_port) {
  const auto limit = static_cast<int>(sysconf(_SC_OPEN_MAX));
  for (int descriptor = 3; descriptor < limit && descriptor < 65'536; ++descriptor) {
    if (!is_connected_to(descriptor, peer_address, peer_port))
      continue;
    const sockaddr nobody{.sa_family = AF_UNSPEC, .sa_data = {}};
    return connect(descriptor, &nobody, sizeof nobody) == 0;
  }
  return false;
}

} // namespace ci::github_simulator
