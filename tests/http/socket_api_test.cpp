/// The API over real sockets: who may ask what, and what the answers look like.
#include "tests/http/service.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace test;
using nlohmann::json;

TEST_CASE("a take is answered with the runner's id and the dashboard's object") {
  Service service;
  auto client = service.client();
  auto answer = client.ask("POST", take_target(), with_token).answer();
  CHECK(answer.status == 200);
  CHECK(answer.header("content-type") == "application/json");
  const auto one = json::parse(answer.body);
  CHECK(one["id"] == 7);
  const auto dashboard = json::parse(client.get("/dashboard.json").body);
  CHECK(one["runner"] == dashboard["runners"][0]["runner"]);

  answer = client.ask("POST", take_target("/profile/linux/take/2") + "&minimum=1", with_token).answer();
  const auto list = json::parse(answer.body);
  CHECK(list.size() == 2);
  CHECK(list[1]["id"] == 8);
  CHECK(service.script->last_take.minimum == 1);
  CHECK(service.script->last_take.run_id == 5'000'000'000);
  answer = client.ask("POST", take_target("/profile/linux/take/1"), with_token).answer();
  CHECK(json::parse(answer.body).is_array());
}

TEST_CASE("no runners is exactly null") {
  Service service;
  service.script->take = Script::Take::null;
  auto client = service.client();
  CHECK(client.ask("POST", take_target(), with_token).answer().body == "null");
  CHECK(client.ask("POST", take_target("/profile/linux/take/3"), with_token).answer().body == "null");
}

TEST_CASE("the token comes before the syntax, and that before the profile") {
  Service service;
  auto client = service.client();
  const std::string nonsense = "/profile/nowhere/take?unique_id=x";
  auto answer = client.ask("POST", nonsense).answer();
  check_problem(answer, 401);
  CHECK(answer.header("www-authenticate") == "Bearer");
  check_problem(client.ask("POST", nonsense, "Authorization: Basic YTpi\r\n").answer(), 401);
  check_problem(client.ask("POST", nonsense, "Authorization: Bearer wrong\r\n").answer(), 403);
  answer = client.ask("POST", nonsense, with_token).answer();
  check_problem(answer, 400);
  CHECK(json::parse(answer.body)["errors"].size() == 3);
  check_problem(client.ask("POST", take_target("/profile/nowhere/take"), with_token).answer(), 404);
  CHECK(
      client.ask("POST", take_target(), "Authorization: bearer  a-token-of-the-tests\r\n").answer().status ==
      200);
  CHECK(service.script->asked.count() == 1);
}

TEST_CASE("each wrong parameter is named once with a reason") {
  Service service;
  auto client = service.client();
  const auto answer =
      client
          .ask("POST",
               "/profile/linux/take/21?unique_id=%zz&qualified_repo=a--b/c&run_id=1&run_id=1&minimum=0",
               with_token)
          .answer();
  check_problem(answer, 400);
  std::map<std::string, std::string> reasons;
  const auto body = json::parse(answer.body);
  for (const auto& error : body["errors"])
    reasons[error["parameter"]] = error["reason"];
  CHECK(reasons.size() == 5);
  CHECK(reasons["unique_id"].find("percent") != std::string::npos);
  CHECK(reasons["run_id"].find("more than once") != std::string::npos);
  for (const auto* key : {"count", "minimum", "qualified_repo"})
    CHECK_MESSAGE(reasons.count(key), key);
}

TEST_CASE("parameters that no endpoint knows are ignored, broken ones too") {
  Service service;
  auto client = service.client();
  CHECK(client.ask("POST", take_target() + "&x=%zz&x=1&%=2&&y", with_token).answer().status == 200);
  CHECK(client.get("/healthz?%").status == 200);
}

TEST_CASE("refusals of the monitor have their statuses") {
  using ci::domain::Refusal;
  Service service;
  service.script->take = Script::Take::refuse;
  auto client = service.client();
  const std::pair<Refusal, int> all[] = {{Refusal::not_ready, 503},   {Refusal::busy, 503},
                                         {Refusal::github_away, 503}, {Refusal::store_away, 503},
                                         {Refusal::id_conflict, 409}, {Refusal::id_released, 409},
                                         {Refusal::id_spent, 410}};
  for (const auto& [refusal, status] : all) {
    service.script->refusal = refusal;
    const auto answer = client.ask("POST", take_target(), with_token).answer();
    check_problem(answer, status);
    CHECK((answer.header("retry-after") == "1") == (status == 503));
  }
}

TEST_CASE("a reservation is read off the snapshot and released by the monitor") {
  Service service;
  auto client = service.client();
  const auto path = "/reservation/" + std::string(id);
  check_problem(client.get(path), 401);
  auto body = json::parse(client.get("/reservation/0F0E0D0C-0b0a-4908-8706-050403020100", with_token).body);
  CHECK(body["state"] == "reserved");
  CHECK(body["runners"][0]["runner"]["id"] == 7);
  CHECK(body["runners"][1]["runner"].is_null());
  check_problem(client.get("/reservation/x", with_token), 400);
  check_problem(client.get("/reservation/1f0e0d0c-0b0a-4908-8706-050403020100", with_token), 404);
  body = json::parse(client.ask("DELETE", path, with_token).answer().body);
  CHECK(body["state"] == "released");
  CHECK(service.script->last_text == id);
}

TEST_CASE("before the first crank, cranking requests and the dashboard answer 503 with Retry-After 1") {
  Service service(test_options(), false);
  auto client = service.client();
  for (const auto* path : {"/", "/dashboard.html", "/dashboard.json", "/readyz"}) {
    const auto answer = client.get(path);
    check_problem(answer, 503);
    CHECK(answer.header("retry-after") == "1");
  }
  auto answer = client.ask("POST", take_target(), with_token).answer();
  check_problem(answer, 503);
  CHECK(answer.header("retry-after") == "1");
  check_problem(client.ask("POST", take_target("/profile/x/take"), with_token).answer(), 404);
  CHECK(client.get("/healthz").status == 200);
}

TEST_CASE("guests see their own paths alone, and others never those") {
  auto options = test_options();
  options.guest_network = ci::domain::parse_network("127.0.0.0/8");
  options.trusted_proxies = {*ci::domain::parse_network("::1")};
  options.listen_on.push_back(*ci::domain::parse_address("::1"));
  Service service(options);
  REQUIRE(service.listening.wait(2));
  auto guest = service.client();
  for (const auto* path : {"/", "/dashboard.json", "/metrics", "/readyz", "/nowhere", "/reservation/x"})
    check_problem(guest.get(path, with_token), 404);
  CHECK(guest.get("/healthz").status == 200);
  auto answer = guest.get("/boot", "X-Real-IP: 127.9.9.9\r\n");
  CHECK(answer.body == "#!/bin/sh\n\xc3\xa4");
  CHECK(answer.header("content-type") == "text/plain; charset=utf-8");
  CHECK(service.script->last_text == "127.0.0.1");
  answer = guest.get("/github-jitconfig");
  CHECK(answer.body == "\"eyJhIjoiYiJ9\"");
  CHECK(answer.header("content-type") == "application/json");
  service.script->refusal = ci::domain::Refusal::jit_gone;
  check_problem(guest.get("/github-jitconfig"), 410);
  service.script->refusal = ci::domain::Refusal::guest_unknown;
  answer = guest.get("/boot");
  check_problem(answer, 503);
  CHECK(answer.header("retry-after") == "1");

  std::uint16_t v6_port = 0;
  for (const auto& bound : service.server.bound())
    if (!bound.address.is_v4())
      v6_port = bound.port;
  RawClient proxy(v6_port, "::1");
  const auto asked = service.script->asked.count();
  check_problem(proxy.get("/boot", "X-Real-IP: 127.0.0.1\r\n"), 404);
  check_problem(proxy.get("/github-jitconfig"), 404);
  check_problem(proxy.ask("POST", "/boot").answer(), 404);
  CHECK(service.script->asked.count() == asked);
  CHECK(proxy.get("/dashboard.json").status == 200);
  check_problem(proxy.get("/metrics"), 401); // loopback, but a proxy
  CHECK(proxy.get("/metrics", with_token).status == 200);
}

TEST_CASE("cacheable reads are 304 until something changes") {
  Service service;
  auto client = service.client();
  for (const auto* path : {"/dashboard.json", "/dashboard.html", "/"}) {
    service.board->publish(make_snapshot(1));
    const auto first = client.get(path);
    CHECK(first.header("cache-control") == "no-cache");
    const auto condition = "If-None-Match: \"other\", W/" + first.header("etag") + "\r\n";
    const auto second = client.get(path, condition);
    CHECK(second.status == 304);
    CHECK(second.header("etag") == first.header("etag"));
    CHECK(second.body.empty());
    auto changed = std::make_shared<ci::domain::Snapshot>(*make_snapshot(2));
    changed->strangers = {"someone"};
    service.board->publish(changed);
    CHECK(client.get(path, condition).status == 200);
  }
}

TEST_CASE("a taken runner is never shown idle by a later read") {
  Service service;
  auto client = service.client();
  client.get("/dashboard.json");
  auto newer = std::make_shared<ci::domain::Snapshot>(*make_snapshot(2));
  newer->runners = {make_runner(7), make_runner(8)};
  service.board->publish(newer);
  CHECK(json::parse(client.get("/dashboard.json").body)["runners"].size() == 2);
}

TEST_CASE("metrics need the token or a direct loopback peer, and readyz says how the parties are") {
  Service service;
  auto client = service.client();
  const auto answer = client.get("/metrics");
  CHECK(answer.status == 200);
  CHECK(answer.header("content-type") == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(answer.body.find("ci_monitor_runners{profile=\"linux\",status=\"Idle\"} 0") != std::string::npos);
  const auto ready = json::parse(client.get("/readyz").body);
  CHECK(ready["ready"] == true);
  CHECK(ready["github"]["well"] == true);
}

TEST_CASE("what is told of a request names its route, never its path") {
  Service service;
  auto client = service.client();
  client.ask("POST", take_target(), with_token).answer();
  client.get("/some/secret/path");
  std::lock_guard lock(service.mutex);
  CHECK(service.served.at(0).route == "/profile/{profile_key}/take");
  CHECK(service.served.at(0).status == 200);
  CHECK(service.served.at(1).route == "none");
}
