/// For those who run the service.
#include "http/context.hpp"
#include "http/handlers.hpp"
#include "http/metrics_page.hpp"
#include "http/readiness.hpp"

namespace ci::http {

void healthz(Context&, const Request&, const ResponderPtr& responder) {
  responder->answer(make_json(R"({"status":"ok"})"));
}

void readyz(Context& context, const Request&, const ResponderPtr& responder) {
  const auto [cranked, last] = context.around.board->last_crank();
  const auto age = cranked ? std::optional(context.around.steady_now() - last) : std::nullopt;
  const auto snapshot = context.around.board->snapshot();
  responder->answer(readiness(snapshot.get(), age, context.ready_within, responder->instance()));
}

void metrics(Context& context, const Request&, const ResponderPtr& responder) {
  const auto& around = context.around;
  responder->answer(
      make_response(metrics_content_type,
                    metrics_text(around.registry.get(), around.meters.get(), around.board->snapshot().get(),
                                 around.wall_now(), context.options.version)));
}

void openapi(Context& context, const Request& request, const ResponderPtr& responder) {
  const auto& document = context.description;
  responder->answer(make_cacheable(request, "application/json", document.text, document.etag));
}

} // namespace ci::http
