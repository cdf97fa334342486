/// Pictures of guests' screens.
#include "http/byte_range.hpp"
#include "http/file_answer.hpp"
#include "http/handlers.hpp"

namespace ci::http {

namespace {

constexpr auto png = "image/png";

/// The runner of the path as it is published; else it was refused.
domain::RunnerViewPtr runner_of(Context& context, const Request& request, const ResponderPtr& responder) {
  const auto id = parse_positive(request.path_parameter("runner_id"));
  const auto snapshot = context.around.board->snapshot();
  if (!id)
    responder->refuse(bad_parameters({{"runner_id", "must be a positive decimal integer below 2^63"}}));
  else if (!snapshot)
    responder->refuse(not_ready());
  else {
    for (const auto& view : snapshot->runners)
      if (view->id == *id)
        return view;
    responder->refuse(not_found());
  }
  return nullptr;
}

} // namespace

void runner_screenshot(Context& context, const Request& request, const ResponderPtr& responder) {
  const auto runner = runner_of(context, request, responder);
  if (!runner)
    return;
  Response response;
  response.status = 302;
  response.headers = {{"Location", context.options.external_base_url + "runner/" +
                                       std::to_string(runner->id) + "/screenshot.png"},
                      {"Cache-Control", "no-store"}};
  responder->answer(std::move(response));
}

void runner_picture(Context& context, const Request& request, const ResponderPtr& responder) {
  if (const auto runner = runner_of(context, request, responder))
    serve_file(context, request, responder,
               {domain::ServedFolder::pictures, domain::runner_picture_path(runner->id), png});
}

void profile_picture(Context& context, const Request& request, const ResponderPtr& responder) {
  const auto policy = context.around.policy();
  const auto& key = request.path_parameter("profile_key");
  if (!policy)
    return responder->refuse(not_ready());
  if (!policy->profiles.contains(key))
    return responder->refuse(problem_of({domain::Refusal::unknown_profile, {}, {}}));
  serve_file(context, request, responder,
             {domain::ServedFolder::pictures, domain::profile_picture_path(key), png});
}

void runner_picture_now(Context& context, const Request& request, const ResponderPtr& responder) {
  const auto runner = runner_of(context, request, responder);
  if (!runner)
    return;
  if (!runner->guest_name)
    return responder->refuse(not_found());
  const auto screenshots = context.around.screenshots ? context.around.screenshots() : screenshots_actor();
  if (!screenshots)
    return responder->refuse(not_ready());
  // In the actor's thread: hands on and leaves.
  PicturedTo answer = [&context, request = conditions_of(request), responder,
                       id = runner->id](const domain::PictureOutcome& outcome) {
    if (outcome.state == domain::PictureState::taken)
      serve_file(context, request, responder,
                 {domain::ServedFolder::pictures, domain::runner_picture_path(id), png, false});
    else if (outcome.state == domain::PictureState::off)
      responder->refuse(unavailable("The runner's guest does not run, so there is nothing to be seen."));
    else
      responder->refuse(unavailable("No picture of the runner's guest could be taken; try again."));
  };
  caf::anon_send(screenshots, shot_atom::value, runner->id, std::move(answer));
}

} // namespace ci::http
