/// The dashboard: for people, for their browsers' updates, for machines.
#include "http/context.hpp"
#include "http/handlers.hpp"

namespace ci::http {

namespace {

constexpr auto html = "text/html; charset=utf-8";

void serve(const Request& request, const ResponderPtr& responder, const std::optional<Document>& document,
           const char* content_type, Headers more = {}) {
  if (!document)
    return responder->refuse(not_ready());
  auto response = make_cacheable(request, content_type, document->text, document->etag);
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.insert(response.headers.end(), more.begin(), more.end());
  responder->answer(std::move(response));
}

} // namespace

void page(Context& context, const Request& request, const ResponderPtr& responder) {
  const auto document = context.dashboard.page();
  if (!document) {
    auto problem = not_ready();
    problem.headers.emplace_back("Refresh", "2"); // a browser comes again by itself
    return responder->refuse(problem);
  }
  serve(request, responder, document, html,
        {{"Content-Security-Policy", content_security_policy()}, {"Referrer-Policy", "no-referrer"}});
}

void dashboard_html(Context& context, const Request& request, const ResponderPtr& responder) {
  serve(request, responder, context.dashboard.contents(), html,
        {{"Content-Security-Policy", content_security_policy()}});
}

void dashboard_json(Context& context, const Request& request, const ResponderPtr& responder) {
  serve(request, responder, context.dashboard.json(), "application/json");
}

} // namespace ci::http
