/// What guests ask, known by the address they ask from.
#include "http/context.hpp"
#include "http/handlers.hpp"

namespace ci::http {

// The peer's own address, never one that a header names: a guest cannot choose who it is.

void github_jitconfig(Context& context, const Request& request, const ResponderPtr& responder) {
  crank(context, responder, jit_atom::value, domain::to_string(request.peer));
}

void boot_script(Context& context, const Request& request, const ResponderPtr& responder) {
  crank(context, responder, boot_atom::value, domain::to_string(request.peer));
}

} // namespace ci::http
