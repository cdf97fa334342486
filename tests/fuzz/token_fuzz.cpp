/// What GitHub may answer where a token of the App's installation is asked for. The first line is the answer's Date.

#include "actors/domain/visible_ascii.hpp"
#include "actors/edge/github_tokens.hpp"
#include "tests/fuzz/promise.hpp"

#include <chrono>

using namespace ci::edge;
using namespace std::chrono_literals;

namespace {

constexpr int statuses[] = {201, 200, 401, 403, 404, 422, 429, 500};
const std::string secret = "a-jwt-of-the-fuzzer";

HttpAnswer read_answer(ci::fuzz::Input input) {
  HttpAnswer answer;
  answer.status = statuses[input.byte() % std::size(statuses)];
  answer.token_sent = secret;
  answer.headers["content-type"] = input.byte() & 1 ? "text/html" : "application/json; charset=utf-8";
  auto rest = input.rest();
  const auto line = rest.find('\n');
  if (line != rest.npos) {
    answer.headers["date"] = answer.headers["retry-after"] = std::string(rest.substr(0, line));
    rest.remove_prefix(line + 1);
  }
  answer.body = std::string(rest);
  return answer;
}

void check(const ci::domain::GithubError& error) {
  promise(error.message.size() <= 250, "a refusal is short");
  promise(error.message.find(secret) == error.message.npos, "a refusal holds no secret");
  promise(error.retry_after >= 1ms && error.retry_after <= 24h, "a refusal says when to come again");
  for (const unsigned char c : error.message)
    promise(c >= 0x20 && c != 0x7f, "a refusal is one line");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto answer = read_answer({data, size});
  int asked = 0, told = 0, installed = 0;
  GithubTokens tokens(
      {"4711", 5, "/nonexistent/app.pem"}, {}, 15s, // no key is needed: nothing is sent
      [&](HttpRequest, const HttpDone& done) {
        if (asked == 1)
          reached("asked again");
        promise(++asked <= 2, "GitHub is asked twice at most: its clock explains the first refusal");
        done(answer);
      },
      [&](const std::string& token) {
        ++installed;
        reached("a token");
        promise(!token.empty() && ci::domain::is_visible_ascii(token), "a token can stand in a header");
      });
  const auto ready = [&](const std::optional<ci::domain::GithubError>& refusal) {
    ++told;
    promise(refusal.has_value() == (installed == 0), "let go with a token, or refused without one");
    if (refusal)
      reached("a refusal");
    if (refusal)
      check(*refusal);
  };
  tokens.when_ready(ready);
  promise(told == 1, "who asks is answered once");
  tokens.when_ready(ready);
  promise(told == 2 && asked <= 2, "the next one is answered too, and GitHub not asked again");
  return 0;
}
