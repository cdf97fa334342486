#pragma once
/// The service's API: who may ask what, and who answers it.

#include "http/context.hpp"
#include "http/router.hpp"

namespace ci::http {

/// Between the server and the handlers. The order of the checks is that of the specification: what the source
/// may see (404), the method (405), the token (401, 403); then the handler's: syntax (400), profile (404),
/// readiness (503).
class Api {
 public:
  Api(Options, Surroundings);

  /// In the server's thread. \p crowded: the peer has more connections open than it may have.
  void handle(Request, const ResponderPtr&, bool crowded);

  /// A new or restarted gateway; none at first. Any thread.
  void set_gateway(gateway_actor gateway) { context_.set_gateway(std::move(gateway)); }
  /// After a reload of the secrets. Any thread.
  void set_token(std::string_view token) { context_.token.set(token); }
  void set_webhook_secret(std::string_view secret) { context_.webhook_key.set(secret); }
  /// After a reload of the settings: takes over who may see pictures, and how often what may be asked. Any
  /// thread.
  void adjust(const Options&);
  /// What the handlers see; for tests.
  Context& context() { return context_; }

 private:
  /// Whether a source that did not show the token has asked for too much; then it was told.
  bool refused_as_too_often(Limited, const Request&, const ResponderPtr&);

  Context context_;
  Router router_;
};

} // namespace ci::http
