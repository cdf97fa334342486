/// The table of endpoints: one line each.
#include "http/routes.hpp"

#include "http/handlers.hpp"

namespace ci::http {

namespace {

constexpr auto everyone = Audience::everyone;
constexpr auto others = Audience::others;
constexpr auto guests = Audience::guests;

// clang-format off
constexpr Route table[] = {
    // method   pattern                              audience  proof                      handler
    {"POST",   "/profile/{profile_key}/take",         others,   Proof::token,             take_one},
    {"POST",   "/profile/{profile_key}/take/{count}", others,   Proof::token,             take_several},
    {"POST",   "/select-runner",                      others,   Proof::none,              select_runner, Limited::select},
    {"GET",    "/reservation/{unique_id}",            others,   Proof::token,             show_reservation},
    {"DELETE", "/reservation/{unique_id}",            others,   Proof::token,             release_reservation},
    {"GET",    "/github-jitconfig",                   guests,   Proof::none,              github_jitconfig},
    {"GET",    "/boot",                               guests,   Proof::none,              boot_script},
    {"GET",    "/profile/{profile_key}/screenshot.png", others, Proof::token_for_pictures, profile_picture},
    {"GET",    "/runner/{runner_id}/screenshot",      others,   Proof::token_for_pictures, runner_screenshot},
    {"GET",    "/runner/{runner_id}/screenshot.png",  others,   Proof::token_for_pictures, runner_picture},
    {"GET",    "/runner/{runner_id}/screenshot/now",  others,   Proof::token_for_pictures, runner_picture_now, Limited::picture_now},
    {"GET",    "/image-deps/{path...}",               guests,   Proof::none,              image_deps},
    {"GET",    "/cache/servo/{path...}",              guests,   Proof::none,              cached_repository},
    {"GET",    "/",                                   others,   Proof::none,              page},
    {"GET",    "/dashboard.html",                     others,   Proof::none,              dashboard_html},
    {"GET",    "/dashboard.json",                     others,   Proof::none,              dashboard_json},
    {"GET",    "/policy/override",                    others,   Proof::none,              show_override},
    {"POST",   "/policy/override",                    others,   Proof::token,             start_override},
    {"DELETE", "/policy/override",                    others,   Proof::token,             cancel_override},
    {"GET",    "/policy/explain",                     others,   Proof::none,              explain_policy},
    {"POST",   "/profile/{profile_key}/pause",        others,   Proof::token,             pause_profile},
    {"POST",   "/profile/{profile_key}/resume",       others,   Proof::token,             resume_profile},
    {"POST",   "/profile/{profile_key}/rebuild",      others,   Proof::token,             rebuild_image},
    {"POST",   "/runner/{runner_id}/destroy",         others,   Proof::token,             destroy_runner},
    {"POST",   "/github/webhook",                     others,   Proof::none,              github_webhook},
    {"GET",    "/healthz",                            everyone, Proof::none,              healthz},
    {"GET",    "/readyz",                             others,   Proof::none,              readyz},
    {"GET",    "/metrics",                            others,   Proof::token_or_loopback, metrics},
    {"GET",    "/history.json",                       others,   Proof::token_or_loopback, history},
    {"GET",    "/usage.json",                         others,   Proof::token_or_loopback, usage},
    {"GET",    "/openapi.json",                       others,   Proof::none,              openapi},
};
// clang-format on

} // namespace

std::span<const Route> routes() { return table; }

void add_routes(Router& router) {
  for (const auto& route : table)
    router.add(route);
}

} // namespace ci::http
