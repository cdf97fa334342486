#pragma once
/// Who asks, and whether they may: source address, guest or not, token or not. Pure.

#include "http/digest.hpp"
#include "http/options.hpp"
#include "http/request.hpp"

namespace ci::http {

/// Who may see that a path exists.
enum class Audience { others, guests, everyone };
/// What a request must show.
enum class Proof {
  none,
  token,
  token_or_loopback, ///< a direct loopback peer that is no trusted proxy need not show the token
  token_for_pictures, ///< only where pictures are not public
};
/// What one source may do only so often in a minute, unless it shows the token.
enum class Limited { no, select, picture_now };

enum class Shown {
  nothing, ///< no Authorization, one that is not Bearer, or more than one
  wrong,
  right,
};
Shown shown_token(const Request&, const ApiToken&);

class Admission {
 public:
  Admission(std::vector<domain::Network> trusted_proxies, std::optional<domain::Network> guest_network)
      : trusted_proxies_(std::move(trusted_proxies)), guest_network_(guest_network) {}

  bool is_trusted_proxy(const domain::Address&) const;
  /// Sets `by_proxy` and `source`. Only a trusted proxy is believed, and only where it names one address.
  void identify(Request&) const;
  /// Only for identified requests. A direct peer in the guest network; never one that a proxy speaks for.
  bool is_guest(const Request&) const;
  bool may_see(const Request&, Audience) const;
  bool is_direct_loopback(const Request& request) const {
    return !request.by_proxy && request.peer.is_loopback();
  }

 private:
  std::vector<domain::Network> trusted_proxies_;
  std::optional<domain::Network> guest_network_;
};

} // namespace ci::http
