/// GitHub's webhooks: checked and answered here, taken in by the monitor afterwards.
#include "http/context.hpp"
#include "http/handlers.hpp"
#include "http/share.hpp"
#include "http/webhook.hpp"

#include <spdlog/spdlog.h>

namespace ci::http {

namespace {

/// Deliveries that were answered and that the monitor has not taken in: more are refused, since a lost one does no
/// harm, and a flood must not fill the memory.
constexpr int most_waiting_notices = 1'000;

Problem webhook_problem(int status, std::string detail, std::optional<int> retry_after = std::nullopt) {
  Problem problem;
  problem.status = status;
  problem.detail = std::move(detail);
  problem.retry_after_seconds = retry_after;
  return problem;
}

/// The value of a header that must stand there exactly once; empty: it does not.
std::string_view only_value(const Request& request, std::string_view name) {
  const auto values = values_of(request.headers, name);
  return values.size() == 1 ? values.front() : std::string_view();
}

/// Whether GitHub signed it; else the sender was told. What GitHub signed is taken whatever else came from there:
/// anybody can make GitHub send wrong signatures.
bool is_signed(Context& context, const Request& request, const ResponderPtr& responder) {
  if (context.webhook_key.signs(request.body, only_value(request, "X-Hub-Signature-256")))
    return true;
  if (const auto wait = context.wrong_signatures.admit(request.source, context.around.steady_now()))
    responder->refuse(webhook_problem(429, "This address has sent too many wrong signatures; wait.", *wait));
  else
    responder->refuse(webhook_problem(
        403, "X-Hub-Signature-256 is missing, or not the body's signature with the webhook secret."));
  return false;
}

/// Counted until the monitor has taken it in, or is lost with it. Null: too many wait.
NoticePtr waiting_notice(Context& context, domain::GithubNotice notice) {
  auto share = share_of(context.waiting_notices, most_waiting_notices);
  if (!share)
    return nullptr;
  const auto held = std::make_shared<std::pair<domain::GithubNotice, std::shared_ptr<void>>>(std::move(notice),
                                                                                           std::move(share));
  return {held, &held->first};
}

} // namespace

void github_webhook(Context& context, const Request& request, const ResponderPtr& responder) {
  if (!context.webhook_key.usable())
    return responder->refuse(not_found());
  if (!is_signed(context, request, responder))
    return;
  const auto event = only_value(request, "X-GitHub-Event");
  if (!is_json_type(only_value(request, "Content-Type")))
    return responder->refuse(webhook_problem(400, "Set the webhook's content type to application/json."));
  if (event.empty())
    return responder->refuse(webhook_problem(400, "X-GitHub-Event is missing."));
  auto delivery = read_delivery(event, request.body);
  if (!delivery.complaint.empty())
    return responder->refuse(webhook_problem(400, std::move(delivery.complaint)));
  if (delivery.notice) {
    const auto gateway = context.gateway();
    if (!gateway || !context.around.board->snapshot())
      return responder->refuse(not_ready());
    auto notice = waiting_notice(context, std::move(*delivery.notice));
    if (!notice)
      return responder->refuse(unavailable("Too many deliveries wait; this one is not needed."));
    caf::anon_send(gateway, notice_atom::value, std::move(notice));
  }
  Response taken;
  taken.status = 202;
  taken.headers = {{"Cache-Control", "no-store"}};
  responder->answer(std::move(taken));
}

} // namespace ci::http
