/// Reservations: take, look, release.
#include "http/context.hpp"
#include "http/handlers.hpp"
#include "http/render_json.hpp"

namespace ci::http {

namespace {

/// Syntax first, then the profile: a wrong request is told so even where the profile does not exist.
void take(Context& context, const Request& request, const ResponderPtr& responder, const std::string* count) {
  const auto policy = context.around.policy();
  ParameterReader reader(request);
  const auto& key = request.path_parameter("profile_key");
  auto take =
      read_take(reader, key, count, policy ? policy->max_take_count : domain::Policy{}.max_take_count);
  if (!reader.errors().empty())
    responder->refuse(bad_parameters(reader.errors()));
  else if (!policy)
    responder->refuse(not_ready());
  else if (!policy->profiles.contains(key))
    responder->refuse(problem_of({domain::Refusal::unknown_profile, {}, {}}));
  else
    crank(context, responder, take_atom::value, std::move(take), count != nullptr);
}

} // namespace

void take_one(Context& context, const Request& request, const ResponderPtr& responder) {
  take(context, request, responder, nullptr);
}

void take_several(Context& context, const Request& request, const ResponderPtr& responder) {
  take(context, request, responder, &request.path_parameter("count"));
}

void select_runner(Context& context, const Request& request, const ResponderPtr& responder) {
  ParameterReader reader(request);
  auto select = read_select(reader, request);
  if (!reader.errors().empty())
    responder->refuse(bad_parameters(reader.errors()));
  else
    crank(context, responder, select_atom::value, std::move(select));
}

void show_reservation(Context& context, const Request& request, const ResponderPtr& responder) {
  ParameterReader reader(request);
  const auto id = read_unique_id(reader, request);
  if (!reader.errors().empty())
    return responder->refuse(bad_parameters(reader.errors()));
  const auto snapshot = context.around.board->snapshot();
  if (!snapshot)
    return responder->refuse(not_ready());
  const auto found = snapshot->reservation(id);
  if (!found)
    return responder->refuse(problem_of({domain::Refusal::unknown_reservation, {}, {}}));
  responder->answer(make_json(reservation_json(*found, snapshot.get())));
}

void release_reservation(Context& context, const Request& request, const ResponderPtr& responder) {
  ParameterReader reader(request);
  auto id = read_unique_id(reader, request);
  if (!reader.errors().empty())
    responder->refuse(bad_parameters(reader.errors()));
  else
    crank(context, responder, release_atom::value, std::move(id));
}

} // namespace ci::http
