#include "http/intake.hpp"
#include "http/parameters.hpp"
#include "http/readiness.hpp"
#include "http/responder.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace ci::http;
using ci::domain::Refusal;
using nlohmann::json;
using namespace std::chrono_literals;

namespace {

json body_of(const Response& response) { return json::parse(*response.body); }

std::string header_of(const Response& response, const std::string& name) {
  const auto values = values_of(response.headers, name);
  return values.empty() ? "" : std::string(values.front());
}

Request asking(const std::string& target) {
  Request request;
  request.target = *parse_target(target);
  return request;
}

} // namespace

TEST_CASE("a problem has the members of RFC 9457") {
  const auto response = make_response(bad_parameters({{"a", "is missing"}, {"b", "is wrong"}}), "/x");
  CHECK(response.status == 400);
  CHECK(header_of(response, "content-type") == "application/problem+json");
  const auto body = body_of(response);
  CHECK(body["type"] == "about:blank");
  CHECK(body["title"] == "Bad Request");
  CHECK(body["status"] == 400);
  CHECK(body["instance"] == "/x");
  CHECK(body["errors"] ==
        json::parse(R"([{"parameter":"a","reason":"is missing"},{"parameter":"b","reason":"is wrong"}])"));
  CHECK(!body_of(make_response(not_found(), "/")).contains("errors"));
}

TEST_CASE("a path that is not UTF-8 does not break the error that names it") {
  CHECK(body_of(make_response(not_found(), "/\xff"))["instance"] == "/\xef\xbf\xbd");
}

TEST_CASE("every refusal has its status, and every 503 says when to come again") {
  const std::pair<Refusal, int> all[] = {
      {Refusal::not_ready, 503},          {Refusal::not_taken_up, 503}, {Refusal::busy, 503},
      {Refusal::github_away, 503},        {Refusal::store_away, 503},   {Refusal::guest_unknown, 503},
      {Refusal::not_registered, 503},     {Refusal::id_conflict, 409},  {Refusal::id_released, 409},
      {Refusal::id_spent, 410},           {Refusal::jit_gone, 410},     {Refusal::unknown_profile, 404},
      {Refusal::unknown_reservation, 404},
      {Refusal::select_disabled, 403},
      {Refusal::repo_not_allowed, 403},
      {Refusal::no_artifact, 403},
      {Refusal::artifact_expired, 403},
      {Refusal::artifact_too_large, 403},
      {Refusal::artifact_unreadable, 403},
      {Refusal::artifact_mismatch, 403},
      {Refusal::artifact_used, 403},
      {Refusal::wrong_key, 403},
      {Refusal::no_profile, 403},
      {Refusal::not_tokenless, 403},
      {Refusal::foreign_head, 403},
      {Refusal::too_many_runners, 403},
      {Refusal::run_is_full, 403}};
  for (const auto& [refusal, status] : all) {
    CHECK(status_of(refusal) == status);
    const auto response = make_response(problem_of({refusal, {}, {}}), "/");
    CHECK(response.status == status);
    CHECK((header_of(response, "Retry-After") == "1") == (status == 503));
    CHECK(!body_of(response)["detail"].get<std::string>().empty());
  }
}

TEST_CASE("the monitor's own words and pauses are kept, pauses rounded up") {
  const auto response = make_response(problem_of({Refusal::github_away, "GitHub rests.", 2001ms}), "/");
  CHECK(body_of(response)["detail"] == "GitHub rests.");
  CHECK(header_of(response, "Retry-After") == "3");
}

TEST_CASE("a responder answers once, and 503 where it was forgotten") {
  std::vector<int> sent;
  const auto make = [&] {
    return std::make_shared<Responder>("id", "/",
                                       [&](const Responder&, Response r) { sent.push_back(r.status); });
  };
  auto responder = make();
  responder->answer(make_json("1"));
  responder->answer(make_json("2"));
  responder->refuse(not_found());
  responder.reset();
  CHECK(sent == std::vector{200});
  make().reset();
  CHECK(sent == std::vector{200, 503});
}

TEST_CASE("take parameters are read in full") {
  const auto request =
      asking("/?unique_id=0F0E0D0C-0b0a-4908-A706-050403020100&qualified_repo=Servo/servo.x_y&"
             "run_id=9223372036854775807&minimum=3&other=%zz");
  ParameterReader reader(request);
  const std::string count = "20";
  const auto take = read_take(reader, "linux", &count, 20);
  CHECK(reader.errors().empty());
  CHECK(take.unique_id == "0f0e0d0c-0b0a-4908-a706-050403020100");
  CHECK(take.unique_id_spelt == "0F0E0D0C-0b0a-4908-A706-050403020100");
  CHECK(take.qualified_repo == "Servo/servo.x_y");
  CHECK(take.run_id == 9'223'372'036'854'775'807);
  CHECK(take.count == 20);
  CHECK(take.minimum == 3);
}

TEST_CASE("the minimum is the count where it is not given, and at most the count") {
  const std::string good = "/?unique_id=0f0e0d0c-0b0a-4908-8706-050403020100&qualified_repo=a/b&run_id=1";
  const std::string count = "4";
  const auto request = asking(good);
  ParameterReader reader(request);
  CHECK(read_take(reader, "x", &count, 20).minimum == 4);
  const auto more = asking(good + "&minimum=5");
  ParameterReader second(more);
  read_take(second, "x", &count, 20);
  REQUIRE(second.errors().size() == 1);
  CHECK(second.errors()[0].parameter == "minimum");
  const auto one = asking(good + "&minimum=1");
  ParameterReader third(one);
  CHECK(read_take(third, "x", nullptr, 20).count == 1);
  CHECK(third.errors().empty());
}

TEST_CASE("numbers have one spelling") {
  CHECK(parse_positive("1") == 1);
  for (const auto* text :
       {"", "0", "01", "-1", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "9223372036854775808", "\u0661"})
    CHECK_MESSAGE(!parse_positive(text), text);
}

TEST_CASE("ETags are compared weakly, in lists too") {
  Request request;
  CHECK(!none_match_names(request, "\"a\""));
  request.headers = {{"If-None-Match", "\"x\" , W/\"a\""}};
  CHECK(none_match_names(request, "\"a\""));
  CHECK(!none_match_names(request, "\"b\""));
  request.headers = {{"If-None-Match", "*"}};
  CHECK(none_match_names(request, "\"b\""));
  request.headers = {{"If-None-Match", "a"}, {"If-None-Match", ""}};
  CHECK(!none_match_names(request, "\"a\""));
}

TEST_CASE("readiness follows the age of the last crank, and says how everyone is") {
  ci::domain::Snapshot snapshot;
  snapshot.github.trouble = "502";
  snapshot.store.well = true;
  auto response = readiness(&snapshot, 30s, 30s, "/readyz");
  CHECK(response.status == 200); // GitHub being down does not make the service unready
  CHECK(body_of(response)["github"]["trouble"] == "502");
  response = readiness(&snapshot, 30001ms, 30s, "/readyz");
  CHECK(response.status == 503);
  CHECK(header_of(response, "content-type") == "application/problem+json");
  CHECK(body_of(response)["store"]["well"] == true);
  CHECK(body_of(response)["monitor"]["last_crank_age"] == 30.001);
  CHECK(readiness(nullptr, std::nullopt, 30s, "/readyz").status == 503);
  snapshot.draining = true;
  CHECK(readiness(&snapshot, 1s, 30s, "/readyz").status == 503);
}

TEST_CASE("the monitor is stuck after a minute without a crank, or what /readyz allows it where that is longer") {
  CHECK(!is_stuck(std::nullopt, 30s));
  CHECK(!is_stuck(59'999ms, 30s));
  CHECK(is_stuck(60s, 30s));
  // It sleeps for an hour where nothing happens, and /readyz allows three of them.
  CHECK(!is_stuck(2h, 3h));
  CHECK(is_stuck(3h, 3h));
}
