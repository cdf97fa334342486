#include "tests/simulators/github_simulator/connection_cut.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace ci::github_simulator {

namespace {

constexpr int first_descriptor = 3; // behind the standard streams
constexpr int most_descriptors = 65'536;

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

/// RESTinio gives out neither its sockets nor a way to close them while it reads, so the descriptor is looked
/// for.
bool cut_connection(const std::string& peer_address, std::uint16_t peer_port, Cut cut) {
  const auto limit = static_cast<int>(std::min<long>(sysconf(_SC_OPEN_MAX), most_descriptors));
  for (int descriptor = first_descriptor; descriptor < limit; ++descriptor) {
    if (!is_connected_to(descriptor, peer_address, peer_port))
      continue;
    if (cut == Cut::closed)
      return shutdown(descriptor, SHUT_RDWR) == 0;
    // To close it would be a polite FIN; to dissolve the association is a RST.
    const sockaddr nobody{.sa_family = AF_UNSPEC, .sa_data = {}};
    return connect(descriptor, &nobody, sizeof nobody) == 0;
  }
  return false;
}

} // namespace ci::github_simulator
