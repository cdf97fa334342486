#include "http/answers.hpp"

#include "http/render_json.hpp"

#include <nlohmann/json.hpp>

namespace ci::http {

namespace {

bool refused(Responder& responder, const domain::Verdict& verdict) {
  if (verdict.refusal == domain::Refusal::none)
    return false;
  responder.refuse(problem_of(verdict));
  return true;
}

std::string list_of(const std::vector<domain::RunnerViewPtr>& runners) {
  std::string text = "[";
  for (const auto& runner : runners)
    text += (text.size() > 1 ? "," : "") + taken_json(*runner);
  return text + ']';
}

} // namespace

void answer_take(Responder& responder, const domain::TakeAnswer& answer, bool list) {
  if (refused(responder, answer.verdict))
    return;
  if (answer.runners.empty())
    responder.answer(make_json("null"));
  else
    responder.answer(make_json(list ? list_of(answer.runners) : taken_json(*answer.runners.front())));
}

void answer_release(Responder& responder, const domain::ReleaseAnswer& answer) {
  if (refused(responder, answer.verdict))
    return;
  responder.answer(make_json(answer.reservation ? reservation_json(*answer.reservation, nullptr) : "null"));
}

void answer_jit(Responder& responder, const domain::JitAnswer& answer) {
  if (!refused(responder, answer.verdict))
    responder.answer(make_json(nlohmann::json(answer.encoded_jit_config).dump()));
}

void answer_boot(Responder& responder, const domain::BootAnswer& answer) {
  if (refused(responder, answer.verdict))
    return;
  auto response = make_response("text/plain; charset=utf-8", "");
  if (answer.script)
    response.body = answer.script;
  responder.answer(std::move(response));
}

void answer_lever(Responder& responder, const domain::LeverAnswer& answer,
                  const std::function<void(Responder&, const domain::LeverAnswer&)>& write) {
  if (!refused(responder, answer.verdict))
    write(responder, answer);
}

} // namespace ci::http
