/// What comes to /github/webhook: bodies with any signature, and what GitHub, or whoever has the secret, may say.

#include "actors/domain/names.hpp"
#include "http/webhook.hpp"
#include "tests/fuzz/promise.hpp"

using namespace ci::http;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const WebhookKey key("a-webhook-secret-of-the-fuzzer");
  constexpr const char* events[] = {"workflow_job", "workflow_run", "ping", "push"};
  ci::fuzz::Input input(data, size);
  const std::string_view event = events[input.byte() % std::size(events)];
  const auto body = input.rest();
  // The first line stands for a signature and a content type: whatever it is, it is not the right signature.
  const auto line = body.substr(0, body.find('\n'));
  promise(!key.signs(body, line), "no signature is guessed");
  is_json_type(line);

  const auto delivery = read_delivery(event, body);
  promise(!delivery.notice || delivery.complaint.empty(), "a notice or a complaint");
  promise(!delivery.notice || event == "workflow_job" || event == "workflow_run", "pings tell nothing");
  promise(delivery.complaint.size() <= 200, "a complaint is short");
  if (!delivery.complaint.empty())
    reached("a complaint");
  if (!delivery.notice)
    return 0;
  if (const auto* job = std::get_if<ci::domain::notice::Job>(&*delivery.notice)) {
    reached("a job");
    promise(ci::domain::is_qualified_repo(job->repository), "a repository by GitHub's rules");
    promise(job->run > 0 && job->runner >= 0 && job->labels.size() <= 100, "ids are positive, labels few");
  } else {
    const auto& over = std::get<ci::domain::notice::RunOver>(*delivery.notice);
    reached("a run that is over");
    promise(ci::domain::is_qualified_repo(over.repository) && over.run > 0, "a run of a repository");
  }
  return 0;
}
