#include "http/admission.hpp"

#include <algorithm>

namespace ci::http {

namespace {
constexpr std::string_view scheme = "Bearer ";
} // namespace

Shown shown_token(const Request& request, const ApiToken& token) {
  const auto values = values_of(request.headers, "Authorization");
  if (values.size() != 1 || !equal_caseless(values.front().substr(0, scheme.size()), scheme))
    return Shown::nothing;
  auto shown = values.front().substr(scheme.size());
  shown.remove_prefix(std::min(shown.find_first_not_of(' '), shown.size()));
  if (shown.empty())
    return Shown::nothing;
  return token.matches(shown) ? Shown::right : Shown::wrong;
}

bool Admission::is_trusted_proxy(const domain::Address& address) const {
  return std::any_of(trusted_proxies_.begin(), trusted_proxies_.end(),
                     [&](const domain::Network& network) { return network.contains(address); });
}

void Admission::identify(Request& request) const {
  request.by_proxy = is_trusted_proxy(request.peer);
  request.source = request.peer;
  if (!request.by_proxy)
    return;
  const auto named = values_of(request.headers, "X-Real-IP");
  if (named.size() != 1)
    return;
  if (const auto address = domain::parse_address(named.front()))
    request.source = *address;
}

bool Admission::is_guest(const Request& request) const {
  return !request.by_proxy && guest_network_ && guest_network_->contains(request.peer);
}

bool Admission::may_see(const Request& request, Audience audience) const {
  return audience == Audience::everyone || (audience == Audience::guests) == is_guest(request);
}

} // namespace ci::http
