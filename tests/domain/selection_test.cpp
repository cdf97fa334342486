#include "actors/domain/selection.hpp"

#include <doctest/doctest.h>

using namespace ci::domain;
using namespace std::chrono_literals;

namespace {

const std::string id = "0f0e0d0c-0b0a-4908-8706-050403020100";
const std::string spelt = "0F0E0D0C-0b0a-4908-8706-050403020100";
const Time noon{std::chrono::hours(500'000)};

SelectRules rules() {
  SelectRules rules;
  rules.allowed_qualified_repo_prefix = "Octo/";
  rules.artifact_name_prefix = "servo-ci-runners_";
  rules.profiles = {{"linux", Tokenless::all}, {"own", Tokenless::same_repo}, {"closed", Tokenless::none}};
  return rules;
}
SelectRequest asked() { return {id, spelt, "octo/Repo", 7, ""}; }
Artifact artifact(std::int64_t number = 1) {
  return {number, "servo-ci-runners_" + spelt, 200, false, noon - 10s};
}
std::string text(const std::string& more = "self_hosted_image_name=linux\n") {
  return "unique_id=" + id + "\nqualified_repo=OCTO/repo\nrun_id=7\n" + more;
}
Refusal refusal_of(const std::string& contents, SelectRequest request = asked()) {
  return check_contents(rules(), request, artifact(), contents).verdict.refusal;
}
Refusal chosen(const std::vector<Artifact>& artifacts) {
  const auto result = choose_artifact(rules(), asked(), {artifacts, noon});
  const auto* refused = std::get_if<Verdict>(&result);
  return refused ? refused->refusal : Refusal::none;
}

} // namespace

TEST_CASE("a member of a queue selects nothing; others for the allowed repositories alone") {
  CHECK(check_request(rules(), asked()).refusal == Refusal::none);
  auto queued = rules();
  queued.queue_member = true;
  queued.allowed_qualified_repo_prefix = "other/";
  CHECK(check_request(queued, asked()).refusal == Refusal::select_disabled);
  for (const auto* repo : {"octopus/Repo", "oct/o", "evil/octo"}) {
    auto foreign = asked();
    foreign.qualified_repo = repo;
    CHECK(check_request(rules(), foreign).refusal == Refusal::repo_not_allowed);
  }
}

TEST_CASE("the newest artifact of exactly that name counts") {
  CHECK(chosen({}) == Refusal::no_artifact);
  auto other = artifact();
  other.name = "servo-ci-runners_" + id; // the spelling is part of the name
  CHECK(chosen({other}) == Refusal::no_artifact);
  auto older = artifact(9);
  older.created_at -= 1s;
  const auto result = choose_artifact(rules(), asked(), {{older, artifact(3), artifact(2)}, noon});
  CHECK(std::get<Artifact>(result).id == 3);
}

TEST_CASE("an artifact's age is by GitHub's clock, and may be just as old as allowed") {
  auto old = artifact();
  old.created_at = noon - 300s;
  CHECK(chosen({old}) == Refusal::none);
  old.created_at -= 1ms;
  CHECK(chosen({old}) == Refusal::artifact_expired);
  old.created_at = noon + 5s;
  CHECK(chosen({old}) == Refusal::none);
  old.expired = true;
  CHECK(chosen({old}) == Refusal::artifact_expired);
}

TEST_CASE("an archive may be just as large as allowed") {
  auto large = artifact();
  large.size = 64 << 10;
  CHECK(chosen({large}) == Refusal::none);
  ++large.size;
  CHECK(chosen({large}) == Refusal::artifact_too_large);
}

TEST_CASE("a select becomes a take of what its artifact wants") {
  const auto answer = check_contents(rules(), asked(), artifact(5), text() + "self_hosted_runner_count=20\n");
  REQUIRE(answer.verdict.refusal == Refusal::none);
  const auto& take = answer.take;
  CHECK(take.profile == "linux");
  CHECK(take.unique_id == id);
  CHECK(take.unique_id_spelt == spelt);
  CHECK(take.qualified_repo == "octo/Repo");
  CHECK(take.run_id == 7);
  CHECK(take.count == 20);
  CHECK(take.minimum == 20);
  CHECK(take.artifact_id == 5);
}

TEST_CASE("each thing that an artifact can have wrong has its refusal") {
  CHECK(refusal_of("nonsense") == Refusal::artifact_unreadable);
  for (const auto& wrong :
       {std::string{"unique_id=0f0e0d0c-0b0a-4908-8706-050403020101\nqualified_repo=octo/repo\nrun_id=7\n"},
        "unique_id=" + id + "\nqualified_repo=octo/repo2\nrun_id=7\n",
        "unique_id=" + id + "\nqualified_repo=octo/repo\nrun_id=8\n"})
    CHECK(refusal_of(wrong + "self_hosted_image_name=linux\n") == Refusal::artifact_mismatch);
  CHECK(refusal_of(text("")) == Refusal::no_profile);
  CHECK(refusal_of(text("self_hosted_image_name=mac\n")) == Refusal::unknown_profile);
  CHECK(refusal_of(text("self_hosted_image_name=closed\n")) == Refusal::not_tokenless);
  CHECK(refusal_of(text() + "self_hosted_runner_count=21\n") == Refusal::too_many_runners);
  CHECK(refusal_of(text() + "self_hosted_runner_count=9000000000000000000\n") == Refusal::too_many_runners);
}

TEST_CASE("an artifact with a key is for those who have it, and tells others nothing more") {
  const std::string digest(64, 'c');
  const auto locked = text("self_hosted_image_name=mac\nkey_sha256=" + digest + "\n");
  CHECK(refusal_of(locked) == Refusal::wrong_key);
  auto with_key = asked();
  with_key.key_sha256 = std::string(64, 'd');
  CHECK(refusal_of(locked, with_key) == Refusal::wrong_key);
  with_key.key_sha256 = digest;
  CHECK(refusal_of(locked, with_key) == Refusal::unknown_profile);
  CHECK(refusal_of(text(), with_key) == Refusal::none); // a key that nobody asked for
}

TEST_CASE("a profile may be for runs of the repository's own branches") {
  TakeRequest take;
  take.profile = "own";
  CHECK(needs_same_repository(rules(), take));
  take.profile = "linux";
  CHECK(!needs_same_repository(rules(), take));
  CHECK(check_run(asked(), {7, "in_progress", "", "OCTO/repo"}).refusal == Refusal::none);
  CHECK(check_run(asked(), {7, "in_progress", "", "fork/repo"}).refusal == Refusal::foreign_head);
  CHECK(check_run(asked(), {7, "in_progress", "", ""}).refusal == Refusal::foreign_head);
}

TEST_CASE("selects are the same only where they must get the same answer") {
  auto other = asked();
  other.qualified_repo = "OCTO/REPO";
  CHECK(other.identity() == asked().identity());
  other.unique_id_spelt = id;
  CHECK(other.identity() != asked().identity());
  other = asked();
  other.key_sha256 = "x";
  CHECK(other.identity() != asked().identity());
}

namespace {

/// An allowance of 60 calls, and the time.
struct Allowance {
  using Step = CallAllowance::Step;
  CallAllowance calls;
  Steady now{std::chrono::hours(1)};

  std::optional<Duration> take(Step step, std::uint32_t source, int per_minute = 60) {
    return calls.take(per_minute, now, step, Address::v4(source));
  }
  /// How many such calls are made before one is refused.
  int take_all(Step step, std::uint32_t source) {
    for (int made = 0;; ++made)
      if (take(step, source))
        return made;
  }
};

} // namespace

TEST_CASE_FIXTURE(Allowance, "an allowance holds in every minute") {
  const auto begin = now;
  const auto at = [&](std::chrono::nanoseconds after, int per_minute = 2) {
    now = begin + after;
    return take(Step::go_on, 1, per_minute);
  };
  CHECK(!at(0s));
  CHECK(!at(20s));
  CHECK(at(30s) == 30s);
  CHECK(at(60s - 1ns) == 1ms);
  CHECK(!at(60s));
  CHECK(at(61s) == 19s);
  CHECK(at(300s, 0) > 0s);
}

TEST_CASE_FIXTURE(Allowance, "a source has a sixth for looks, and one look when half of all calls are made") {
  std::uint32_t source = 0;
  for (int i = 0; i < 3; ++i)
    CHECK(take_all(Step::look_at_known, ++source) == 10);
  while (source < 33)
    CHECK(take_all(Step::look_at_known, ++source) == 1);
  CHECK(take_all(Step::look_at_known, ++source) == 0);
  CHECK(take(Step::go_on, 1) == 60s);
}

TEST_CASE_FIXTURE(Allowance, "a third is kept from looks at runs that have proved nothing") {
  std::uint32_t source = 0;
  for (int i = 0; i < 3; ++i)
    CHECK(take_all(Step::look, ++source) == 10);
  while (source < 13)
    CHECK(take_all(Step::look, ++source) == 1);
  CHECK(take_all(Step::look, ++source) == 0);
  CHECK(!take(Step::look_at_known, source));
  CHECK(take_all(Step::go_on, source) == 19);
}

TEST_CASE_FIXTURE(Allowance, "a source that is alone can make ten selects of three calls") {
  for (int i = 0; i < 10; ++i)
    for (const auto step : {Step::look, Step::go_on, Step::go_on})
      CHECK(!take(step, 1));
  now += 10s;
  CHECK(take(Step::look, 1) == 50s);
  CHECK(!take(Step::look, 2));
}

TEST_CASE_FIXTURE(Allowance, "however small the allowance is, the first to ask has a call") {
  CHECK(!take(Step::look, 1, 1));
  CHECK(take(Step::go_on, 1, 1) == 60s);
  now += 60s;
  CHECK(!take(Step::look, 2, 1));
}
