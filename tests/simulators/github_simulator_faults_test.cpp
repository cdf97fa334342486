#include "tests/simulators/github_simulator_fixture.hpp"

using namespace ci::github_simulator;

TEST_CASE_FIXTURE(Simulated, "faults are used up in their order") {
  fault({{"operation", "list"}, {"status", 502}, {"count", 2}});
  fault({{"status", 429},
         {"headers", {{"retry-after", "7"}, {"x-ratelimit-remaining", "0"}}},
         {"body", "busy"}});
  CHECK(status("GET", runners) == 502);
  CHECK(status("GET", "/repos/o/r/actions/runs/1") == 429);
  CHECK(last.body == "busy");
  CHECK(header("retry-after") == "7");
  CHECK(header("x-ratelimit-remaining") == "0");
  CHECK(status("GET", runners) == 502);
  CHECK(status("GET", runners) == 200);
  CHECK(ask("GET", "/_control/faults")["total_count"] == 0);
}

TEST_CASE_FIXTURE(Simulated, "a fault may last, until it is taken away") {
  fault({{"operation", "get"}, {"status", 500}, {"count", -1}});
  for (int i = 0; i < 5; ++i)
    CHECK(status("GET", path(1)) == 500);
  CHECK(status("DELETE", "/_control/faults") == 204);
  CHECK(status("GET", path(1)) == 404);
}

TEST_CASE_FIXTURE(Simulated, "a fault may be limited to a runner, by id or name") {
  const auto a = add("a"), b = add("b");
  fault({{"operation", "delete"}, {"status", 500}, {"runner", "b"}});
  fault({{"operation", "get"}, {"status", 500}, {"runner", a}});
  CHECK(status("DELETE", path(a)) == 204);
  CHECK(status("GET", path(b)) == 200);
  CHECK(status("DELETE", path(b)) == 500);
  CHECK(status("DELETE", path(b)) == 204);
  CHECK(status("GET", path(a)) == 500);
}

TEST_CASE_FIXTURE(Simulated, "an answer may be lost before or after acting") {
  const Json body = {{"name", "a"}, {"runner_group_id", 1}, {"labels", {"x"}}};
  const auto registering = [&](const char* kind) {
    fault({{"operation", "register"}, {"kind", kind}});
    ask("POST", runners + "/generate-jitconfig", body);
    return last.delivery;
  };
  CHECK(registering("timeout") == Delivery::held);
  CHECK(last.spread == 600s);
  CHECK(registering("reset") == Delivery::reset);
  CHECK(registering("close") == Delivery::closed);
  CHECK(listed().empty());
  CHECK(registering("reset_after_acting") == Delivery::reset);
  CHECK(listed() == Names{"a"});
  CHECK(status("POST", runners + "/generate-jitconfig", body) == 409);
  CHECK(ask("GET", "/_control/state")["counters"]["register"]["reset"] == 2);
}

TEST_CASE_FIXTURE(Simulated, "an answer may be spoilt") {
  add("a");
  const auto spoilt = [&](const char* kind) {
    fault({{"operation", "list"}, {"kind", kind}, {"bytes", 1'000'000}, {"seconds", 9}});
    return ask("GET", runners);
  };
  CHECK(spoilt("not_json").is_null());
  CHECK(header("content-type") == "text/html; charset=utf-8");
  const auto wrong = spoilt("wrong_types");
  CHECK(wrong["total_count"] == "1");
  CHECK(wrong["runners"][0]["name"].is_number());
  CHECK(wrong["runners"][0]["busy"] == "no");
  CHECK(spoilt("empty_list")["runners"].empty());
  CHECK(spoilt("huge")["runners"].size() == 1);
  CHECK(last.body.size() > 1'000'000);
  spoilt("truncated");
  CHECK(last.delivery == Delivery::truncated);
  spoilt("drip");
  CHECK(last.delivery == Delivery::dripped);
  CHECK(last.spread == 9s);
  spoilt("delay");
  CHECK(last.delay == 9s);
  CHECK(spoilt("status_after_acting").contains("message"));
  CHECK(last.status == 500);
}

TEST_CASE_FIXTURE(Simulated, "a fault meets a poll that waits when it is answered") {
  const auto id = add("a");
  fault({{"operation", "job"}, {"kind", "reset_after_acting"}});
  listen(id);
  CHECK(last.waiting == id);
  const auto work = queue({"prof"});
  CHECK(api.resume(id, false, now)->delivery == Delivery::reset);
  CHECK(job(work).runner == id);
  CHECK(does(id, "GET", "job") == 200);
}

TEST_CASE_FIXTURE(Simulated, "a forgotten runner is missing from whole listings") {
  for (const auto* name : {"a", "b", "c"})
    add(name);
  fault({{"kind", "forget"}, {"runner", "c"}, {"count", 2}});
  CHECK(listed("?per_page=1") == Names{"a"});
  CHECK(listed("?per_page=1&page=2") == Names{"b"});
  CHECK(listed("?name=c").empty());
  CHECK(listed() == Names{"a", "b", "c"});
}

TEST_CASE_FIXTURE(Simulated, "faults that are none are refused") {
  for (const Json& json :
       {Json{{"kind", "nonsense"}}, Json{{"operation", "nonsense"}}, Json{{"count", 0}},
        Json{{"kind", "forget"}}, Json{{"typo", 1}}, Json{{"status", "500"}}, Json{{"status", 99}}})
    CHECK_MESSAGE(status("POST", "/_control/faults", json) == 422, json.dump());
}

TEST_CASE_FIXTURE(Simulated, "settings that are none are refused, and change nothing") {
  for (const Json& json : {Json{{"typo", 1}}, Json{{"online_delay", -1}}, Json{{"etags", 1}},
                           Json{{"answer_delay", {{"typo", 1}}}}, Json{{"report_busy", "no"}}})
    CHECK_MESSAGE(status("PUT", "/_control/settings", json) == 422, json.dump());
  CHECK(status("PUT", "/_control/settings", {{"gone_delay", 1}, {"typo", 1}}) == 422);
  CHECK(ask("GET", "/_control/settings")["gone_delay"] == 20);
}

TEST_CASE_FIXTURE(Simulated, "answers are late by operation") {
  set({{"answer_delay", {{"list", 2}, {"*", 1}}}});
  status("GET", runners);
  CHECK(last.delay == 2s);
  const auto id = add("a");
  CHECK(last.delay == 1s);
  does(id, "POST", "session");
  CHECK(last.delay == 0s);
}

TEST_CASE_FIXTURE(Simulated, "a lie is told of one runner or of all, and changes nothing") {
  const auto id = add("a");
  queue({"prof"});
  listen(id);
  pass(20s);
  CHECK(status("PUT", "/_control/runners/a", {{"status", "offline"}}) == 200);
  CHECK(get(id)["status"] == "offline");
  CHECK(status("PUT", "/_control/runners/a", Json::object()) == 200);
  CHECK(get(id)["status"] == "online");
  set({{"report_busy", false}});
  CHECK(get(id)["busy"] == false);
  CHECK(status("DELETE", path(id)) == 422);
}

TEST_CASE_FIXTURE(Simulated, "a runner vanishes and appears") {
  const auto id = add("a");
  listen(id);
  CHECK(status("POST", "/_control/runners/a/vanish") == 200);
  CHECK(status("GET", path(id)) == 404);
  CHECK(listed().empty());
  CHECK(does(id, "POST", "alive") == 404);
  CHECK(status("POST", "/_control/runners/a/appear") == 200);
  CHECK(listed() == Names{"a"});
  CHECK(does(id, "POST", "alive") == 200);
  CHECK(status("POST", "/_control/runners/a/vanish", {{"program", false}}) == 200);
  CHECK(does(id, "POST", "alive") == 200);
}

TEST_CASE_FIXTURE(Simulated, "foreign runners are as they were said to be") {
  CHECK(status("POST", "/_control/runners", {{"name", "f"}, {"busy", true}}) == 201);
  CHECK(status("POST", "/_control/runners", {{"name", "f"}}) == 409);
  const auto runner = ask("GET", runners)["runners"][0];
  CHECK(runner["status"] == "online");
  CHECK(runner["busy"] == true);
  CHECK(status("DELETE", path(runner["id"])) == 422);
  CHECK(status("DELETE", "/_control/runners/f") == 204);
  CHECK(listed().empty());
}

TEST_CASE_FIXTURE(Simulated, "everything goes on after a restart, and no session is lost by it") {
  const auto id = add("a");
  const auto work = queue({"prof"});
  const auto waiting = queue({"other"});
  listen(id);
  add("b");
  fault({{"operation", "list"}, {"kind", "forget"}, {"runner", "b"}});
  const auto kept = api.save();
  const auto token = api.world().model.runner(id)->token;

  Simulated other;
  other.now = now + 10h;
  other.api.load(nlohmann::json::parse(kept.dump()), other.now);
  other.pass(0s);
  CHECK(other.api.save()["model"]["jobs"] == kept["model"]["jobs"]);
  CHECK(other.listed() == Names{"a"});
  CHECK(other.get(id)["busy"] == true);
  CHECK(other.get(id)["status"] == "online");
  CHECK(other.api.world().model.runner(id)->token == token);
  CHECK(other.does(id, "POST", "done") == 200);
  CHECK(other.job(work).is_completed());
  CHECK(other.job(waiting).status == "queued");
  CHECK(other.add("c") == id + 2);
}
