/// GitHub's answers, as GitHub or whoever answers in its place may send them.

#include "actors/edge/github_answers.hpp"
#include "actors/edge/github_runs.hpp"
#include "tests/fuzz/promise.hpp"

using namespace ci::edge;

namespace {

constexpr int statuses[] = {200, 201, 204, 304, 401, 403, 404, 409, 422, 429, 500, 503};
const std::string secret = "ghp_secret_token";

/// Whether it was taken for what was asked.
template <class Reply>
bool check(const Reply& reply) {
  auto& text = reply.error.message;
  promise(text.size() <= 200, "an error is short");
  promise(text.find(secret) == text.npos, "an error holds no secret");
  for (unsigned char c : text)
    promise(c >= 0x20 && c != 0x7f, "an error is one line");
  return static_cast<bool>(reply);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ci::fuzz::Input input(data, size);
  HttpAnswer answer;
  answer.status = statuses[input.byte() % std::size(statuses)];
  answer.token_sent = secret;
  answer.headers["content-type"] = input.byte() & 1 ? "text/html" : "application/json; charset=utf-8";
  // The first line is a header's value: links and dates are read too.
  auto rest = input.rest();
  auto line = rest.find('\n');
  if (line != rest.npos) {
    for (auto name : {"link", "retry-after", "x-ratelimit-reset", "x-ratelimit-remaining", "date"})
      answer.headers[name] = std::string(rest.substr(0, line));
    rest.remove_prefix(line + 1);
  }
  answer.body = std::string(rest);
  if (check(read_page(answer)))
    reached("a page of runners");
  if (check(read_runner(answer, 7)))
    reached("a runner");
  if (check(read_jit(answer, "ci-runner-linux.7@ci0")))
    reached("a registration");
  if (check(read_labels(answer)))
    reached("labels");
  if (check(read_deleted(answer)))
    reached("a deletion");
  if (check(read_run(answer, 7)))
    reached("a run");
  if (check(read_jobs(answer)))
    reached("jobs");
  if (check(read_artifacts(answer)))
    reached("artifacts");
  return 0;
}
