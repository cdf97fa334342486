/// Policy overrides and operators' levers over real sockets.
#include "tests/http/service.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace test;
using nlohmann::json;
namespace domain = ci::domain;

namespace {

/// A snapshot with a host to decide overrides by, and one in force if asked for.
domain::SnapshotPtr host_snapshot(bool active) {
  auto snapshot = std::make_shared<domain::Snapshot>(*make_snapshot(2));
  snapshot->override_ground = std::make_shared<const domain::OverrideGround>(
      domain::OverrideGround{{{"a b/c", 1, 0, 0, {24, 0}}, {"linux", 3, 1, 0, {24, 0}}}, {96, 0}});
  if (active)
    snapshot->policy_override = std::make_shared<const domain::Override>(
        domain::Override{domain::Time(domain::Duration(1'795'428'000'000)),
                         {{"linux", 9}},
                         {{"linux", 4}},
                         {{"linux", 4}, {"a b/c", 0}},
                         {{"linux", {7, 8}}},
                         ""});
  return snapshot;
}

} // namespace

TEST_CASE("the override in force is shown to everyone, or null") {
  Service service;
  auto client = service.client();
  auto answer = client.get("/policy/override");
  CHECK(answer.status == 200);
  CHECK(answer.body == "null");
  service.board->publish(host_snapshot(true));
  const auto shown = json::parse(client.get("/policy/override").body);
  CHECK(shown["profile_override_counts"] == json{{"linux", 4}});
  CHECK(shown["profile_target_counts"] == json{{"linux", 4}, {"a b/c", 0}});
  CHECK(shown["actual_runner_ids_by_profile_key"] == json{{"linux", {7, 8}}});
  CHECK(shown["created_at"] == "2026-11-23T10:00:00Z");
  CHECK(json::parse(client.get("/dashboard.json").body)["policy_override"] == shown);
  CHECK(client.get("/dashboard.html").body.find("A policy override is in force") != std::string::npos);
}

TEST_CASE("an override is asked for by counts, each of a configured profile") {
  Service service;
  auto client = service.client();
  const auto post = [&](const std::string& query, const char* headers = with_token) {
    return client.ask("POST", "/policy/override" + query, headers).answer();
  };
  auto answer = post("?linux=9&a%20b%2Fc=0");
  CHECK(answer.status == 200);
  CHECK(json::parse(answer.body) == json{{"linux", 9}, {"a b/c", 0}});
  {
    std::lock_guard lock(service.script->mutex);
    CHECK(std::get<domain::lever::StartOverride>(service.script->last_lever).counts ==
          domain::ProfileNumbers{{"a b/c", 0}, {"linux", 9}});
  }
  const auto asked = service.script->asked.count();
  check_problem(post("?linux=9", ""), 401);
  check_problem(post("?linux=9", "Authorization: Bearer wrong\r\n"), 403);
  for (const auto* query : {"", "?linux", "?linux=", "?linux=x", "?linux=-1", "?linux=10001", "?linux=01",
                            "?linux=1.5", "?linux=%zz", "?linux=99999999999999999999"})
    check_problem(post(query), 400);
  answer = post("?linux=1&linux=2&linux=3&nowhere=x");
  check_problem(answer, 400);
  CHECK(json::parse(answer.body)["errors"].size() == 2);
  check_problem(post("?linux=1&nowhere=1"), 404);
  CHECK(service.script->asked.count() == asked);

  for (auto [refusal, status] : {std::pair(domain::Refusal::override_active, 409),
                                 {domain::Refusal::override_idle, 422},
                                 {domain::Refusal::override_unfit, 422},
                                 {domain::Refusal::not_ready, 503}}) {
    service.script->refusal = refusal;
    check_problem(post("?linux=9"), status);
  }
}

TEST_CASE("an override is cancelled with the token; null where there is none") {
  Service service;
  auto client = service.client();
  check_problem(client.ask("DELETE", "/policy/override").answer(), 401);
  auto answer = client.ask("DELETE", "/policy/override", with_token).answer();
  CHECK(answer.status == 200);
  CHECK(answer.body == "null");
  answer = client.ask("PUT", "/policy/override", with_token).answer();
  check_problem(answer, 405);
  CHECK(answer.header("allow") == "GET, HEAD, POST, DELETE");
}

TEST_CASE("what would be granted is explained without asking the monitor") {
  Service service;
  auto client = service.client();
  check_problem(client.get("/policy/explain?linux=4"), 503); // libvirt was not heard yet
  service.board->publish(host_snapshot(false));
  const auto explain = [&](const std::string& query) {
    const auto answer = client.get("/policy/explain" + query);
    CHECK(answer.status == 200);
    return json::parse(answer.body);
  };
  auto told = explain("?linux=4");
  CHECK(told["granted"] == json{{"linux", 3}});
  CHECK(told["refusal"].is_null());
  CHECK(told["budget"]["1g_hugepages"] == 96);
  CHECK(told["profiles"]["linux"]["configured_target"] == 3);
  CHECK(told["profiles"]["linux"]["reserved_or_busy"] == 1);
  CHECK(told["profiles"]["linux"]["beyond_target"] == 2);
  CHECK(told["profiles"]["linux"]["target_meanwhile"] == 4);
  CHECK(told["profiles"]["a b/c"]["target_meanwhile"] == 0);
  told = explain("?linux=2");
  CHECK(told["granted"].is_null());
  CHECK(told["refusal"] == "override_idle");
  check_problem(client.get("/policy/explain"), 400);
  check_problem(client.get("/policy/explain?linux=x"), 400);
  check_problem(client.get("/policy/explain?nowhere=1"), 404);
  std::string many = "?";
  for (int i = 0; many.size() < 8'000; ++i)
    many += std::to_string(i) + "&";
  auto answer = client.get("/policy/explain" + many);
  check_problem(answer, 400);
  CHECK(json::parse(answer.body)["errors"].size() == 1);
  service.board->publish(host_snapshot(true));
  CHECK(explain("?linux=4")["refusal"] == "override_active");
  CHECK(service.script->asked.count() == 0);
}

TEST_CASE("profiles are paused and resumed with the token") {
  Service service;
  auto client = service.client();
  for (bool paused : {true, false}) {
    const std::string path = paused ? "/profile/linux/pause" : "/profile/linux/resume";
    check_problem(client.ask("POST", path).answer(), 401);
    const auto answer = client.ask("POST", path, with_token).answer();
    CHECK(answer.status == 200);
    CHECK(json::parse(answer.body) == json{{"profile", "linux"}, {"paused", paused}});
    std::lock_guard lock(service.script->mutex);
    const auto lever = std::get<domain::lever::SetPaused>(service.script->last_lever);
    CHECK(lever.profile == "linux");
    CHECK(lever.paused == paused);
  }
  check_problem(client.ask("POST", "/profile/nowhere/pause", with_token).answer(), 404);
  check_problem(client.ask("GET", "/profile/linux/pause", with_token).answer(), 405);
  auto snapshot = std::make_shared<domain::Snapshot>(*make_snapshot(2));
  snapshot->profiles["linux"].paused = true;
  service.board->publish(snapshot);
  CHECK(json::parse(client.get("/dashboard.json").body)["profile_runner_counts"]["linux"]["paused"] == true);
  CHECK(client.get("/").body.find("Paused") != std::string::npos);
}

TEST_CASE("an image is built anew with the token, and its trouble is shown") {
  Service service;
  auto client = service.client();
  check_problem(client.ask("POST", "/profile/linux/rebuild").answer(), 401);
  const auto answer = client.ask("POST", "/profile/linux/rebuild", with_token).answer();
  CHECK(answer.status == 200);
  CHECK(json::parse(answer.body) == json{{"profile", "linux"}, {"rebuild", true}});
  {
    std::lock_guard lock(service.script->mutex);
    CHECK(std::get<domain::lever::RebuildImage>(service.script->last_lever).profile == "linux");
  }
  check_problem(client.ask("POST", "/profile/nowhere/rebuild", with_token).answer(), 404);
  check_problem(client.ask("GET", "/profile/linux/rebuild", with_token).answer(), 405);
  auto snapshot = std::make_shared<domain::Snapshot>(*make_snapshot(2));
  auto& image = snapshot->profiles["linux"].image;
  image.trouble = "the <disk> is full";
  image.failures = 2;
  image.trouble_since = image.next_try = domain::Time(domain::Duration(1'700'000'000'000));
  service.board->publish(snapshot);
  const auto told = json::parse(client.get("/dashboard.json").body)["profile_runner_counts"]["linux"]["image"];
  CHECK(told["trouble"] == "the <disk> is full");
  CHECK(told["failures"] == 2);
  CHECK(told["trouble_since"] == "2023-11-14T22:13:20Z");
  CHECK(client.get("/").body.find("the &lt;disk&gt; is full") != std::string::npos);
}

TEST_CASE("a runner is destroyed by hand with the token") {
  Service service;
  auto client = service.client();
  check_problem(client.ask("POST", "/runner/7/destroy").answer(), 401);
  CHECK(client.ask("POST", "/runner/7/destroy", with_token).answer().status == 200);
  {
    std::lock_guard lock(service.script->mutex);
    CHECK(std::get<domain::lever::DestroyRunner>(service.script->last_lever).runner == 7);
  }
  for (const auto* id : {"x", "0", "-1", "07", "99999999999999999999"})
    check_problem(client.ask("POST", std::string("/runner/") + id + "/destroy", with_token).answer(), 400);
  service.script->refusal = domain::Refusal::runner_busy;
  check_problem(client.ask("POST", "/runner/7/destroy", with_token).answer(), 409);
  service.script->refusal = domain::Refusal::unknown_runner;
  check_problem(client.ask("POST", "/runner/7/destroy", with_token).answer(), 404);
}
