#pragma once
/// The endpoints. Each answers at once or hands its responder to the gateway; see router.hpp's Handler.

#include "http/router.hpp"

namespace ci::http {

// handlers_reserve.cpp
void take_one(Context&, const Request&, const ResponderPtr&);
void take_several(Context&, const Request&, const ResponderPtr&);
void select_runner(Context&, const Request&, const ResponderPtr&);
void show_reservation(Context&, const Request&, const ResponderPtr&);
void release_reservation(Context&, const Request&, const ResponderPtr&);

// handlers_policy.cpp
void show_override(Context&, const Request&, const ResponderPtr&);
void start_override(Context&, const Request&, const ResponderPtr&);
void cancel_override(Context&, const Request&, const ResponderPtr&);
void explain_policy(Context&, const Request&, const ResponderPtr&);

// handlers_lever.cpp
void pause_profile(Context&, const Request&, const ResponderPtr&);
void resume_profile(Context&, const Request&, const ResponderPtr&);
void rebuild_image(Context&, const Request&, const ResponderPtr&);
void destroy_runner(Context&, const Request&, const ResponderPtr&);

// handlers_guest.cpp
void github_jitconfig(Context&, const Request&, const ResponderPtr&);
void boot_script(Context&, const Request&, const ResponderPtr&);

// handlers_picture.cpp
void runner_screenshot(Context&, const Request&, const ResponderPtr&);
void runner_picture(Context&, const Request&, const ResponderPtr&);
void runner_picture_now(Context&, const Request&, const ResponderPtr&);
void profile_picture(Context&, const Request&, const ResponderPtr&);

// handlers_files.cpp
void image_deps(Context&, const Request&, const ResponderPtr&);
void cached_repository(Context&, const Request&, const ResponderPtr&);

// handlers_dashboard.cpp
void page(Context&, const Request&, const ResponderPtr&);
void dashboard_html(Context&, const Request&, const ResponderPtr&);
void dashboard_json(Context&, const Request&, const ResponderPtr&);

// handlers_history.cpp
void history(Context&, const Request&, const ResponderPtr&);
void usage(Context&, const Request&, const ResponderPtr&);

// handlers_webhook.cpp
void github_webhook(Context&, const Request&, const ResponderPtr&);

// handlers_operator.cpp
void healthz(Context&, const Request&, const ResponderPtr&);
void readyz(Context&, const Request&, const ResponderPtr&);
void metrics(Context&, const Request&, const ResponderPtr&);
void openapi(Context&, const Request&, const ResponderPtr&);

} // namespace ci::http
