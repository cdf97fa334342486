/// Takes whose proof is an artifact.
#include "tests/support/bench.hpp"

#include <doctest/doctest.h>

using namespace ci::test;

namespace {

const std::string first_id = "00000000-0000-4000-8000-000000000001";
const std::string second_id = "00000000-0000-4000-8000-000000000002";

TakeRequest tokenless(const std::string& id, std::int64_t artifact, int count = 1) {
  TakeRequest ask;
  ask.profile = "linux";
  ask.unique_id = ask.unique_id_spelt = id;
  ask.qualified_repo = "octo/repo";
  ask.run_id = 7;
  ask.count = ask.minimum = count;
  ask.artifact_id = artifact;
  return ask;
}

} // namespace

TEST_CASE(
    "G2: an artifact leads to at most one reservation, even over a restart and after its id is forgotten") {
  Bench b;
  b.start();
  b.boot_all();
  const auto first = b.take(tokenless(first_id, 99));
  REQUIRE(b.takes[first].runners.size() == 1);
  CHECK(b.takes[b.take(tokenless(first_id, 99))].runners.size() == 1); // a repeat is the same reservation
  CHECK(b.takes[b.take(tokenless(second_id, 99))].verdict.refusal == Refusal::artifact_used);
  b.release(first_id);
  b.start();
  CHECK(b.takes[b.take(tokenless(first_id, 99))].verdict.refusal == Refusal::id_spent);
  b.sleep_through(std::chrono::hours(24 * 8));
  b.advance(std::chrono::seconds(31));
  b.boot_all();
  CHECK(b.core->spent().empty());
  CHECK(b.takes[b.take(tokenless(first_id, 99))].verdict.refusal == Refusal::artifact_used);
  CHECK(b.takes[b.take(tokenless(first_id, 100))].runners.size() == 1);
}

TEST_CASE("an artifact that led to nothing may be shown again") {
  Bench b;
  b.start();
  CHECK(b.takes[b.take(tokenless(first_id, 99))].runners.empty()); // nobody is online yet
  b.boot_all();
  b.fail = [](const Effect& e) -> std::optional<GithubError> {
    if (std::holds_alternative<effect::Label>(e))
      return World::error(GithubError::Kind::server, 500);
    return {};
  };
  CHECK(b.takes[b.take(tokenless(first_id, 99))].verdict.refusal == Refusal::github_away);
  b.fail = nullptr;
  b.advance(std::chrono::seconds(2));
  CHECK(b.takes[b.take(tokenless(first_id, 99))].runners.size() == 1);
}

TEST_CASE("selects bring a workflow run to no more live runners than allowed") {
  Bench b;
  b.profile("linux", 4);
  b.policy->max_runners_per_run = 3;
  b.start();
  b.boot_all();
  auto with_token = tokenless(first_id, 0, 2);
  with_token.qualified_repo = "Octo/Repo";
  CHECK(b.takes[b.take(with_token)].runners.size() == 2); // counts, but is not refused
  CHECK(b.takes[b.take(tokenless(second_id, 99, 2))].verdict.refusal == Refusal::run_is_full);
  auto other_run = tokenless(second_id, 99, 2);
  other_run.run_id = 8;
  CHECK(b.takes[b.take(other_run)].runners.size() == 2);
}

TEST_CASE("notes of artifacts that can't be read keep nobody from taking") {
  Bench b;
  b.store.notes = {{"artifact:x", "1"}, {"artifact:5", "x"}, {"artifact:6", "7y"}, {"artifact:", ""}};
  b.start();
  b.boot_all();
  CHECK(b.takes[b.take(tokenless(first_id, 5))].runners.size() == 1);
  CHECK(b.takes[b.take(tokenless(second_id, 6))].runners.size() == 1);
}

TEST_CASE("an artifact is remembered for as long as GitHub may keep it") {
  Bench b;
  b.start();
  b.boot_all();
  b.take(tokenless(first_id, 99));
  const auto noted = [&] {
    return std::any_of(b.store.notes.begin(), b.store.notes.end(),
                       [](auto& note) { return note.first == "artifact:99"; });
  };
  b.sleep_through(std::chrono::hours(24 * 399));
  CHECK(noted());
  b.sleep_through(std::chrono::hours(24 * 2));
  CHECK_FALSE(noted());
}

TEST_CASE("runs of two repositories may have the same number") {
  Bench b;
  b.policy->max_runners_per_run = 1;
  b.start();
  b.boot_all();
  CHECK(b.takes[b.take(tokenless(first_id, 98))].runners.size() == 1);
  auto other = tokenless(second_id, 99);
  other.qualified_repo = "octo/other";
  CHECK(b.takes[b.take(other)].runners.size() == 1);
}
