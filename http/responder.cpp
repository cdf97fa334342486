#include "http/responder.hpp"

#include <spdlog/spdlog.h>

namespace ci::http {

Responder::~Responder() {
  if (!answered_)
    refuse(unavailable("The request was lost before it was answered; try again."));
}

void Responder::answer(Response response) noexcept {
  if (answered_.exchange(true))
    return;
  try {
    // Taken out, so that the request's resources go with the answer and not with the last owner of this.
    const auto send = std::move(send_);
    send(*this, std::move(response));
  } catch (const std::exception& e) {
    spdlog::error("event=answer_not_sent request_id={} text=\"{}\"", request_id_, e.what());
  }
}

void Responder::refuse(const Problem& problem) noexcept {
  try {
    answer(make_response(problem, instance_));
  } catch (const std::exception& e) {
    spdlog::error("event=refusal_not_written request_id={} text=\"{}\"", request_id_, e.what());
  }
}

} // namespace ci::http
