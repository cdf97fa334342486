/// What GitHub may answer where a token of the App's installation is asked for.

#include "actors/domain/visible_ascii.hpp"
#include "actors/edge/github_tokens.hpp"
#include "tests/fuzz/github_input.hpp"

#include <chrono>

using namespace ci::edge;
using namespace std::chrono_literals;

namespace {

constexpr int statuses[] = {201, 200, 401, 403, 404, 422, 429, 500};

void check(const ci::domain::GithubError& error) {
  ci::fuzz::check_message(error.message, 250);
  promise(error.retry_after >= 1ms && error.retry_after <= 24h, "a refusal says when to come again");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto answer = ci::fuzz::read_answer({data, size}, statuses);
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
    if (!refusal)
      return;
    reached("a refusal");
    check(*refusal);
  };
  tokens.when_ready(ready);
  promise(told == 1, "who asks is answered once");
  tokens.when_ready(ready);
  promise(told == 2 && asked <= 2, "the next one is answered too, and GitHub not asked again");
  return 0;
}
