/// POST /select-runner, with a selector that says what the test wants.
#include "tests/http/service.hpp"

using namespace test;
using ci::domain::Refusal;

namespace {

/// What the selector says, and what it was asked.
struct Say {
  std::atomic<Refusal> refusal{Refusal::none};
  std::atomic<bool> silent{false};
  std::mutex mutex;
  ci::domain::SelectRequest asked;
};

class FakeSelector : public ci::selector_actor::base {
 public:
  FakeSelector(caf::actor_config& config, std::shared_ptr<Say> say)
      : ci::selector_actor::base(config), say_(std::move(say)) {}
  behavior_type make_behavior() override {
    return {[this](ci::select_atom, const ci::domain::SelectRequest& asked) {
              auto promise = make_response_promise<ci::domain::SelectAnswer>();
              {
                std::lock_guard lock(say_->mutex);
                say_->asked = asked;
              }
              ci::domain::SelectAnswer answer{{say_->refusal, {}, {}}, {}};
              answer.take.profile = "linux";
              answer.take.unique_id = answer.take.unique_id_spelt = asked.unique_id;
              answer.take.count = answer.take.minimum = 2;
              answer.take.artifact_id = 42;
              if (say_->silent)
                quit(caf::exit_reason::kill);
              else
                promise.deliver(answer);
              return promise;
            },
            [](ci::policy_atom, const ci::domain::SelectRules&) {}};
  }

 private:
  std::shared_ptr<Say> say_;
};

struct Selecting : Service {
  std::shared_ptr<Say> say = std::make_shared<Say>();
  Selecting() { watch_selector(spawn<FakeSelector>(say)); }

  RawAnswer select(const std::string& query = take_query, const std::string& headers = "") {
    return client().ask("POST", "/select-runner" + query, headers).answer();
  }
};

} // namespace

TEST_CASE("a select without a token becomes a take, and its answer is a list") {
  Selecting service;
  const auto answer = service.select();
  CHECK(answer.status == 200);
  const auto list = nlohmann::json::parse(answer.body);
  REQUIRE(list.size() == 2);
  CHECK(list[0]["id"] == 7);
  CHECK(service.script->last_take.artifact_id == 42);
  CHECK(service.say->asked.unique_id == id);
  CHECK(service.say->asked.qualified_repo == "servo/servo");
  CHECK(service.say->asked.run_id == 5'000'000'000);
  CHECK(service.say->asked.key_sha256.empty());
  CHECK(service.say->asked.source == *ci::domain::parse_address("127.0.0.1"));
}

TEST_CASE("of a reservation key only the digest goes on") {
  Selecting service;
  service.select(take_query, "X-Reservation-Key: abc\r\n");
  CHECK(service.say->asked.key_sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  check_problem(service.select(take_query, "X-Reservation-Key: a\r\nX-Reservation-Key: b\r\n"), 400);
}

TEST_CASE("what the selector refuses never reaches the monitor") {
  Selecting service;
  service.say->refusal = Refusal::no_artifact;
  const auto answer = service.select();
  check_problem(answer, 403);
  CHECK(nlohmann::json::parse(answer.body)["type"] == "urn:ci-monitor:problem:no-artifact");
  service.say->refusal = Refusal::unknown_profile;
  check_problem(service.select(), 404);
  service.say->refusal = Refusal::github_away;
  const auto away = service.select();
  check_problem(away, 503);
  CHECK(away.header("retry-after") == "1");
  CHECK(service.script->asked.count() == 0);
}

TEST_CASE("what the monitor refuses of a select is refused likewise") {
  Selecting service;
  service.script->take = Script::Take::refuse;
  service.script->refusal = Refusal::run_is_full;
  check_problem(service.select(), 403);
  service.script->take = Script::Take::null;
  service.script->refusal = Refusal::none;
  CHECK(service.select().body == "null");
}

TEST_CASE("a select's parameters are checked first") {
  Selecting service;
  check_problem(service.select(""), 400);
  check_problem(service.select("?unique_id=x&qualified_repo=servo/servo&run_id=1"), 400);
  check_problem(service.select(std::string("?unique_id=") + id + "&qualified_repo=servo&run_id=1"), 400);
  check_problem(service.select(std::string("?unique_id=") + id + "&qualified_repo=servo/servo&run_id=0"),
                400);
  CHECK(service.client().get("/select-runner" + take_query).status == 405);
}

TEST_CASE("a selector that dies costs its clients a 503") {
  Selecting service;
  service.say->silent = true;
  check_problem(service.select(), 503);
}
