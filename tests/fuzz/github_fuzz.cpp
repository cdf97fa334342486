/// GitHub's answers, as GitHub or whoever answers in its place may send them.

#include "actors/edge/github_answers.hpp"
#include "actors/edge/github_runs.hpp"
#include "tests/fuzz/github_input.hpp"

using namespace ci::edge;

namespace {

constexpr int statuses[] = {200, 201, 204, 304, 401, 403, 404, 409, 422, 429, 500, 503};

/// Whether it was taken for what was asked.
template <class Reply>
bool check(const Reply& reply) {
  ci::fuzz::check_message(reply.error.message, 200);
  return static_cast<bool>(reply);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto answer = ci::fuzz::read_answer({data, size}, statuses);
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
