#include "http/api.hpp"

#include "http/openapi.hpp"
#include "http/routes.hpp"
#include "http/time_text.hpp"

namespace ci::http {

namespace {

Options without_secrets(Options options) {
  options.api_token.clear();
  options.webhook_secret.clear();
  return options;
}

Surroundings completed(Surroundings around) {
  if (!around.wall_now)
    around.wall_now = wall_now;
  if (!around.policy)
    around.policy = [] { return domain::PolicyPtr(); };
  if (!around.meters)
    around.meters = std::make_shared<MeterBoard>();
  return around;
}

Problem plain(int status, std::string detail) {
  Problem problem;
  problem.status = status;
  problem.detail = std::move(detail);
  return problem;
}

Problem crowded_out() {
  auto problem = plain(429, "Too many connections are open from this address.");
  problem.retry_after_seconds = 1;
  problem.close = true;
  return problem;
}

Problem too_often(int seconds) {
  auto problem = plain(429, "This address has asked for this too often; wait before the next try.");
  problem.retry_after_seconds = seconds;
  return problem;
}

Problem wrong_method(const std::vector<std::string>& allowed) {
  std::string list;
  for (const auto& method : allowed)
    list += (list.empty() ? "" : ", ") + method;
  auto problem = plain(405, "This path allows " + list + ".");
  problem.headers.emplace_back("Allow", list);
  return problem;
}

Problem no_token() {
  auto problem = plain(401, "This request needs the monitor API token as a Bearer token.");
  problem.headers.emplace_back("WWW-Authenticate", "Bearer");
  return problem;
}

Document describe(const Options& options) {
  auto text = openapi_document(routes(), options.external_base_url, options.version).dump();
  auto etag = etag_of(text);
  return {std::make_shared<const std::string>(std::move(text)), std::move(etag)};
}

} // namespace

Context::Context(Options given, Surroundings surroundings)
    : options(without_secrets(given)), around(completed(std::move(surroundings))), token(given.api_token), webhook_key(given.webhook_secret),
      admission(options.trusted_proxies, options.guest_network),
      dashboard(around.board, {options.external_base_url, options.github_web_url, options.version, options.public_pictures},
                around.wall_now),
      description(describe(options)), public_pictures(options.public_pictures), ready_within(options.ready_within),
      selects(options.limits.selects_per_minute), pictures_now(options.limits.pictures_now_per_minute),
      wrong_signatures(options.limits.wrong_signatures_per_minute) {}

gateway_actor Context::gateway() const {
  std::lock_guard lock(gateway_mutex_);
  return gateway_;
}

void Context::set_gateway(gateway_actor gateway) {
  std::lock_guard lock(gateway_mutex_);
  gateway_ = std::move(gateway);
}

Api::Api(Options options, Surroundings around) : context_(std::move(options), std::move(around)) {
  add_routes(router_);
}

void Api::adjust(const Options& options) {
  context_.public_pictures = options.public_pictures;
  context_.dashboard.show_pictures(options.public_pictures);
  context_.ready_within = options.ready_within;
  context_.selects.set(options.limits.selects_per_minute);
  context_.pictures_now.set(options.limits.pictures_now_per_minute);
}

bool Api::refused_as_too_often(Limited limited, const Request& request, const ResponderPtr& responder) {
  if (limited == Limited::no)
    return false;
  auto& limiter = limited == Limited::select ? context_.selects : context_.pictures_now;
  const auto wait = limiter.admit(request.source, context_.around.steady_now());
  if (wait)
    responder->refuse(too_often(*wait));
  return wait.has_value();
}

void Api::handle(Request request, const ResponderPtr& responder, bool crowded) {
  const auto& admission = context_.admission;
  admission.identify(request);
  const auto shown = shown_token(request, context_.token);
  if (crowded && !request.by_proxy && shown != Shown::right)
    return responder->refuse(crowded_out());
  auto found = router_.find(request.method, request.target.segments);
  if (found.allowed.empty() || !admission.may_see(request, found.audience))
    return responder->refuse(not_found());
  if (!found.route)
    return responder->refuse(wrong_method(found.allowed));
  responder->set_route(found.route->pattern);
  const bool proof_needed =
      found.route->proof == Proof::token ||
      (found.route->proof == Proof::token_or_loopback && !admission.is_direct_loopback(request)) ||
      (found.route->proof == Proof::token_for_pictures && !context_.public_pictures);
  if (proof_needed && shown == Shown::nothing)
    return responder->refuse(no_token());
  if (proof_needed && shown == Shown::wrong)
    return responder->refuse(plain(403, "The token is not the monitor API token."));
  if (shown != Shown::right && refused_as_too_often(found.route->limited, request, responder))
    return;
  request.path_parameters = std::move(found.parameters);
  found.route->handler(context_, request, responder);
}

} // namespace ci::http
