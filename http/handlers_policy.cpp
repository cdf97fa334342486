/// Policy overrides: the one in force, a new one, its end, and what a new one would be granted.
#include "http/context.hpp"
#include "http/handlers.hpp"
#include "http/render_json.hpp"

namespace ci::http {

namespace {

/// The asked counts; none where the request was refused: syntax first, then unknown profiles.
std::optional<domain::ProfileNumbers> read(Context& context, const Request& request,
                                           const ResponderPtr& responder) {
  ParameterReader reader(request);
  auto counts = read_override(reader, request);
  const auto policy = context.around.policy();
  if (!reader.errors().empty()) {
    responder->refuse(bad_parameters(reader.errors()));
    return std::nullopt;
  }
  if (!policy) {
    responder->refuse(not_ready());
    return std::nullopt;
  }
  for (const auto& [key, count] : counts)
    if (!policy->profiles.contains(key)) {
      responder->refuse(problem_of(
          {domain::Refusal::unknown_profile, "There is no profile " + key + ".", domain::Duration{}}));
      return std::nullopt;
    }
  return counts;
}

void write_granted(Responder& responder, const domain::LeverAnswer& answer) {
  responder.answer(make_json(answer.granted ? numbers_json(*answer.granted) : "null"));
}

} // namespace

void show_override(Context& context, const Request&, const ResponderPtr& responder) {
  const auto snapshot = context.around.board->snapshot();
  if (!snapshot)
    return responder->refuse(not_ready());
  const auto& active = snapshot->policy_override;
  responder->answer(make_json(active ? override_json(*active) : "null"));
}

void start_override(Context& context, const Request& request, const ResponderPtr& responder) {
  if (auto counts = read(context, request, responder))
    crank(context, responder, lever_atom::value,
          domain::Lever(domain::lever::StartOverride{std::move(*counts)}), LeverWriter(write_granted));
}

void cancel_override(Context& context, const Request&, const ResponderPtr& responder) {
  crank(context, responder, lever_atom::value, domain::Lever(domain::lever::CancelOverride{}),
        LeverWriter(write_granted));
}

/// Decided here, off the snapshot: it asks no actor and changes nothing.
void explain_policy(Context& context, const Request& request, const ResponderPtr& responder) {
  const auto counts = read(context, request, responder);
  if (!counts)
    return;
  const auto snapshot = context.around.board->snapshot();
  if (!snapshot || !snapshot->override_ground)
    return responder->refuse(not_ready());
  const auto& ground = *snapshot->override_ground;
  const auto decision = domain::decide_override(*counts, ground);
  if (decision.refusal == domain::OverrideRefusal::unknown_profile)
    return responder->refuse(not_ready()); // the settings were read again a moment ago
  const auto verdict =
      snapshot->policy_override
          ? domain::Verdict{domain::Refusal::override_active,
                            "Another policy override is active; without it, this would be the outcome.",
                            {}}
          : domain::verdict_of(decision);
  responder->answer(make_json(explanation_json(*counts, ground, verdict, decision)));
}

} // namespace ci::http
