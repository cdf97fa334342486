#pragma once
/// What the HTTP side is told at its start, as plain values. Filled by main from the settings.

#include "actors/domain/address.hpp"
#include "actors/domain/types.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ci::http {

/// How much of anything one client, or all of them, may ask for.
struct Limits {
  std::size_t url_bytes = 8 << 10;       ///< longer: 414
  std::size_t header_bytes = 32 << 10;   ///< names, values and separators of all fields together; larger: 431
  std::size_t body_bytes = 1 << 20;      ///< larger: 413
  int connections = 2000;                ///< of all sources; one more is closed unanswered
  int connections_per_source = 64;       ///< past it 429; a multiple of it is closed unanswered
  int selects_per_minute = 10;           ///< without the token, from one source; one more: 429
  int pictures_now_per_minute = 60;      ///< likewise
  int wrong_signatures_per_minute = 10;  ///< of webhooks, from one source; one more: 429 instead of 403
  std::size_t requests_in_flight = 1024; ///< cranking requests under way; one more: 503
};

struct Waits {
  /// Neither `send` nor `receive` may be longer.
  static constexpr domain::Duration longest{600'000};
  /// For one whole message of a client to come in, and how long an idle connection is kept.
  domain::Duration read{15'000};
  /// For a client to take an answer in.
  domain::Duration write{60'000};
  /// `monitor_thread_send_timeout`: for a request to be taken up.
  domain::Duration send{10'000};
  /// `monitor_thread_recv_timeout`: from then on, for it to be answered.
  domain::Duration receive{10'000};
  /// For a guest's request in all; guests give up after 5 s.
  domain::Duration guest{4'000};
  /// For a file that is served to be opened and its first piece read; from then on, for each piece to be read.
  domain::Duration file{10'000};
  /// Between two tries of an address that cannot be bound.
  domain::Duration bind_again{1'000};
};

struct Options {
  std::vector<domain::Address> listen_on;
  /// 0: each address gets a free port of its own.
  std::uint16_t port = 8000;
  /// Ends in `/`.
  std::string external_base_url;
  /// Secret: what clients show as Bearer.
  std::string api_token;
  /// Secret: what GitHub signs webhooks with; empty: none are taken.
  std::string webhook_secret;
  std::vector<domain::Network> trusted_proxies;
  std::optional<domain::Network> guest_network;
  Limits limits;
  /// Whether pictures of guests are shown without the token.
  bool public_pictures = true;
  Waits waits;
  /// A crank older than the greater of these makes the service unready.
  domain::Duration ready_within{30'000};
  /// Where people look at workflow runs; ends in `/`. For links on the page.
  std::string github_web_url = "https://github.com/";
  std::string version = CI_MONITOR_VERSION;
};

} // namespace ci::http
