/// Files for guests.
#include "http/file_answer.hpp"
#include "http/handlers.hpp"

namespace ci::http {

namespace {

/// The decoded path behind the first \p skipped segments. The router let no slash within a segment pass.
std::string rest_of(const Request& request, std::size_t skipped) {
  std::string path;
  for (std::size_t i = skipped; i < request.target.segments.size(); ++i)
    path += (i > skipped ? "/" : "") + request.target.segments[i];
  return path;
}

constexpr auto bytes = "application/octet-stream";

} // namespace

void image_deps(Context& context, const Request& request, const ResponderPtr& responder) {
  serve_file(context, request, responder, {domain::ServedFolder::image_deps, rest_of(request, 1), bytes});
}

void cached_repository(Context& context, const Request& request, const ResponderPtr& responder) {
  serve_file(context, request, responder, {domain::ServedFolder::repository, rest_of(request, 2), bytes});
}

} // namespace ci::http
