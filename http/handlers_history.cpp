/// What happened, and how the pools were used.
#include "http/context.hpp"
#include "http/handlers.hpp"
#include "http/render_history.hpp"

namespace ci::http {

namespace {

/// More are refused: each is some reading for the one historian.
constexpr int most_recalls = 16;
/// A disk that hangs answers nobody.
constexpr domain::Duration recall_patience{10'000};

/// The right to have the historian read. While it is held, it counts.
struct Turn {
  historian_actor historian;
  std::shared_ptr<void> share;
};

/// None where the request was refused.
std::optional<Turn> turn_of(Context& context, const ResponderPtr& responder) {
  auto historian = context.around.historian ? context.around.historian() : historian_actor();
  const auto gateway = context.gateway();
  if (!historian || !gateway) {
    responder->refuse(not_ready());
    return std::nullopt;
  }
  auto count = context.recalls;
  std::shared_ptr<void> share(nullptr, [count](void*) { --*count; });
  if (++*count > most_recalls) {
    responder->refuse(unavailable("Others are reading the history; try again."));
    return std::nullopt;
  }
  caf::delayed_anon_send(gateway, recall_patience, expire_atom::value, ResponderRef(responder));
  return Turn{std::move(historian), std::move(share)};
}

Problem unreadable() { return unavailable("The history can't be read now; try again.", 5); }

} // namespace

void history(Context& context, const Request& request, const ResponderPtr& responder) {
  ParameterReader reader(request);
  auto query = read_history(reader);
  if (!reader.errors().empty())
    return responder->refuse(bad_parameters(reader.errors()));
  auto turn = turn_of(context, responder);
  if (!turn)
    return;
  RecalledTo answer = [responder, share = std::move(turn->share)](const HistoryReply& reply) {
    if (reply.page)
      responder->answer(make_json(history_json(*reply.page)));
    else
      responder->refuse(unreadable());
  };
  caf::anon_send(turn->historian, recall_atom::value, std::move(query), std::move(answer));
}

void usage(Context& context, const Request& request, const ResponderPtr& responder) {
  ParameterReader reader(request);
  const auto window = read_window(reader, context.around.wall_now());
  if (!reader.errors().empty())
    return responder->refuse(bad_parameters(reader.errors()));
  auto turn = turn_of(context, responder);
  if (!turn)
    return;
  TalliedTo answer = [responder, share = std::move(turn->share)](const UsageReply& reply) {
    if (reply.report)
      responder->answer(make_json(usage_json(*reply.report)));
    else
      responder->refuse(unreadable());
  };
  caf::anon_send(turn->historian, tally_atom::value, window, std::move(answer));
}

} // namespace ci::http
