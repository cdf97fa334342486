#include "http/intake.hpp"

#include "http/digest.hpp"

#include <algorithm>

namespace ci::http {

namespace {

bool is_word(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

std::size_t size_of(const Headers& headers) {
  std::size_t size = 0;
  for (const auto& [name, value] : headers)
    size += name.size() + 2 + value.size() + 2; // ": " and the line's end
  return size;
}

Problem refuse(int status, std::string detail) {
  Problem problem;
  problem.status = status;
  problem.detail = std::move(detail);
  return problem;
}

std::string id_of(const Headers& headers) {
  const auto shown = values_of(headers, "X-Request-Id");
  return shown.size() == 1 && is_request_id(shown.front()) ? std::string(shown.front()) : random_id();
}

std::optional<Problem> past_limit(const RawRequest& raw, const Limits& limits) {
  if (raw.target.size() > limits.url_bytes)
    return refuse(414, "The URL is longer than " + std::to_string(limits.url_bytes) + " bytes.");
  if (size_of(raw.headers) > limits.header_bytes)
    return refuse(431, "The headers are larger than " + std::to_string(limits.header_bytes) + " bytes.");
  if (raw.body.size() > limits.body_bytes)
    return refuse(413, "The body is larger than " + std::to_string(limits.body_bytes) + " bytes.");
  return std::nullopt;
}

} // namespace

bool is_request_id(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), is_word);
}

Intake take_in(RawRequest raw, const Limits& limits) {
  Intake intake;
  intake.request.id = id_of(raw.headers);
  intake.request.method = std::move(raw.method);
  intake.request.peer = intake.request.source = raw.peer;
  if ((intake.refusal = past_limit(raw, limits)))
    return intake;
  if (values_of(raw.headers, "Host").size() != 1) {
    intake.refusal = refuse(400, "A request must have exactly one Host header.");
    return intake;
  }
  auto target = parse_target(raw.target);
  if (!target) {
    intake.refusal = refuse(400, "The path of the URL is not well formed.");
    return intake;
  }
  intake.request.target = std::move(*target);
  intake.request.headers = std::move(raw.headers);
  intake.request.body = std::move(raw.body);
  return intake;
}

} // namespace ci::http
