/// What happened, and how the pools were used.
#include "http/context.hpp"
#include "http/handlers.hpp"
#include "http/render_history.hpp"
#include "http/share.hpp"

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
  auto share = share_of(context.recalls, most_recalls);
  if (!share) {
    responder->refuse(unavailable("Others are reading the history; try again."));
    return std::nullopt;
  }
  caf::delayed_anon_send(gateway, recall_patience, expire_atom::value, ResponderRef(responder));
  return Turn{std::move(historian), std::move(share)};
}

/// Has the historian carry out `Atom` with what \p read makes of the parameters. \p found is where its answer has
/// what was asked for, if it could be read; \p render makes JSON of that.
template <class Atom, class Read, class Reply, class Found>
void ask_historian(Context& context, const Request& request, const ResponderPtr& responder, Atom atom, Read read,
                   std::optional<Found> Reply::*found, std::string (*render)(const Found&)) {
  ParameterReader reader(request);
  auto query = read(reader);
  if (!reader.errors().empty())
    return responder->refuse(bad_parameters(reader.errors()));
  auto turn = turn_of(context, responder);
  if (!turn)
    return;
  std::function<void(const Reply&)> answer = [responder, found, render,
                                              share = std::move(turn->share)](const Reply& reply) {
    if (reply.*found)
      responder->answer(make_json(render(*(reply.*found))));
    else
      responder->refuse(unavailable("The history can't be read now; try again.", 5));
  };
  caf::anon_send(turn->historian, atom, std::move(query), std::move(answer));
}

} // namespace

void history(Context& context, const Request& request, const ResponderPtr& responder) {
  ask_historian(context, request, responder, recall_atom::value, read_history, &HistoryReply::page, history_json);
}

void usage(Context& context, const Request& request, const ResponderPtr& responder) {
  const auto read = [now = context.around.wall_now()](ParameterReader& reader) { return read_window(reader, now); };
  ask_historian(context, request, responder, tally_atom::value, read, &UsageReply::report, usage_json);
}

} // namespace ci::http
