#pragma once
/// What GitHub, or whoever answers in its place, may say: shared by the targets that read it.

#include "actors/edge/github_http.hpp"
#include "tests/fuzz/promise.hpp"

#include <string>

namespace ci::fuzz {

/// Goes with each request, and stands in no message.
inline const std::string secret = "ghp_secret_token";

/// The first byte chooses the status, the second the type; the first line is a header's value: links and dates are
/// read too. The rest is the body.
template <std::size_t N>
edge::HttpAnswer read_answer(Input input, const int (&statuses)[N]) {
  edge::HttpAnswer answer;
  answer.status = statuses[input.byte() % N];
  answer.token_sent = secret;
  answer.headers["content-type"] = input.byte() & 1 ? "text/html" : "application/json; charset=utf-8";
  auto rest = input.rest();
  const auto line = rest.find('\n');
  if (line != rest.npos) {
    for (auto name : {"link", "retry-after", "x-ratelimit-reset", "x-ratelimit-remaining", "date"})
      answer.headers[name] = std::string(rest.substr(0, line));
    rest.remove_prefix(line + 1);
  }
  answer.body = std::string(rest);
  return answer;
}

inline void check_message(const std::string& text, std::size_t longest) {
  promise(text.size() <= longest, "an error is short");
  promise(text.find(secret) == text.npos, "an error holds no secret");
  for (const unsigned char c : text)
    promise(c >= 0x20 && c != 0x7f, "an error is one line");
}

} // namespace ci::fuzz
