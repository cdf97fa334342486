/// Operators' levers: pause and resume a profile, have its image built anew, end a runner.
#include "http/context.hpp"
#include "http/handlers.hpp"

#include <nlohmann/json.hpp>

namespace ci::http {

namespace {

void set_paused(Context& context, const Request& request, const ResponderPtr& responder, bool paused) {
  const auto& key = request.path_parameter("profile_key");
  const auto policy = context.around.policy();
  if (!policy)
    return responder->refuse(not_ready());
  if (!policy->profiles.contains(key))
    return responder->refuse(problem_of({domain::Refusal::unknown_profile, {}, {}}));
  crank(context, responder, lever_atom::value, domain::Lever(domain::lever::SetPaused{key, paused}),
        LeverWriter([key, paused](Responder& to, const domain::LeverAnswer&) {
          to.answer(make_json(nlohmann::ordered_json{{"profile", key}, {"paused", paused}}.dump()));
        }));
}

} // namespace

void pause_profile(Context& context, const Request& request, const ResponderPtr& responder) {
  set_paused(context, request, responder, true);
}

void resume_profile(Context& context, const Request& request, const ResponderPtr& responder) {
  set_paused(context, request, responder, false);
}

void rebuild_image(Context& context, const Request& request, const ResponderPtr& responder) {
  const auto& key = request.path_parameter("profile_key");
  const auto policy = context.around.policy();
  if (!policy)
    return responder->refuse(not_ready());
  if (!policy->profiles.contains(key))
    return responder->refuse(problem_of({domain::Refusal::unknown_profile, {}, {}}));
  crank(context, responder, lever_atom::value, domain::Lever(domain::lever::RebuildImage{key}),
        LeverWriter([key](Responder& to, const domain::LeverAnswer&) {
          to.answer(make_json(nlohmann::ordered_json{{"profile", key}, {"rebuild", true}}.dump()));
        }));
}

void destroy_runner(Context& context, const Request& request, const ResponderPtr& responder) {
  const auto id = parse_positive(request.path_parameter("runner_id"));
  if (!id)
    return responder->refuse(
        bad_parameters({{"runner_id", "must be a positive decimal integer below 2^63"}}));
  crank(context, responder, lever_atom::value, domain::Lever(domain::lever::DestroyRunner{*id}),
        LeverWriter([id = *id](Responder& to, const domain::LeverAnswer&) {
          to.answer(make_json(nlohmann::ordered_json{{"id", id}, {"destroying", true}}.dump()));
        }));
}

} // namespace ci::http
