#include "tests/simulators/github_simulator_fixture.hpp"

using namespace ci::github_simulator;

TEST_CASE_FIXTURE(Simulated, "a registration begins offline, unknown and without a version") {
  const auto runner = get(add("a"));
  CHECK(runner["id"] == 3'000'000'000);
  CHECK(runner["status"] == "offline");
  CHECK(runner["busy"] == false);
  CHECK(runner["os"] == "unknown");
  CHECK(runner["version"].is_null());
  CHECK(runner["ephemeral"] == true);
}

TEST_CASE_FIXTURE(Simulated, "the blob tells the program who it is and how to prove it") {
  const auto answer = ask("POST", runners + "/generate-jitconfig",
                          {{"name", "a"}, {"runner_group_id", 1}, {"labels", {"x"}}, {"work_folder", "w"}});
  const auto files = Json::parse(*base64_decoded(answer["encoded_jit_config"].get<std::string>()));
  const auto settings = Json::parse(*base64_decoded(files[".runner"].get<std::string>()));
  const auto credentials = Json::parse(*base64_decoded(files[".credentials"].get<std::string>()));
  CHECK(settings["agentId"] == answer["runner"]["id"]);
  CHECK(settings["agentName"] == "a");
  CHECK(settings["workFolder"] == "w");
  CHECK(settings["serverUrl"] == "http://sim:1");
  CHECK(credentials["token"] == api.world().model.runner(settings["agentId"])->token);
}

TEST_CASE_FIXTURE(Simulated, "a session is told after a while, a job later, and the end of it later still") {
  const auto id = add("a");
  listen(id);
  pass(9s);
  CHECK(get(id)["status"] == "offline");
  pass(1s);
  CHECK(get(id)["status"] == "online");
  CHECK(get(id)["os"] == "Linux");
  const auto work = queue({"prof"});
  CHECK(job(work).status == "in_progress");
  CHECK(api.take_news() == std::set<Id>{id});
  CHECK(api.resume(id, false, now)->status == 200);
  CHECK(get(id)["busy"] == false);
  CHECK(status("DELETE", path(id)) == 422);
  pass(3s);
  CHECK(get(id)["busy"] == true);
  CHECK(does(id, "POST", "done", {{"conclusion", "failure"}}) == 200);
  CHECK(job(work).conclusion == "failure");
  CHECK(job(work).runner_name == "a");
  CHECK(get(id)["busy"] == true);
  CHECK(status("DELETE", path(id)) == 422);
  CHECK(does(id, "GET", "job") == 404);
  CHECK(does(id, "DELETE", "session") == 204);
  pass(19s);
  CHECK(listed() == Names{"a"});
  pass(1s);
  CHECK(listed().empty());
  CHECK(status("GET", path(id)) == 404);
  CHECK(add("a") == id + 1);
}

TEST_CASE_FIXTURE(Simulated, "a program that is killed while idle leaves its registration offline") {
  const auto id = add("a");
  listen(id);
  pass(20s);
  api.poll_lost(id, now);
  pass(49s);
  CHECK(get(id)["status"] == "online");
  pass(1s);
  CHECK(get(id)["status"] == "offline");
  CHECK(status("DELETE", path(id)) == 204);
  CHECK(status("DELETE", path(id)) == 404);
}

TEST_CASE_FIXTURE(Simulated,
                  "a program that is killed at work keeps its registration busy until the lease ends") {
  const auto id = add("a");
  const auto work = queue({"prof"});
  listen(id);
  pass(50s);
  CHECK(get(id)["status"] == "offline");
  CHECK(get(id)["busy"] == true);
  CHECK(status("DELETE", path(id)) == 422);
  CHECK(status("POST", runners + "/generate-jitconfig",
               {{"name", "a"}, {"runner_group_id", 1}, {"labels", {"x"}}}) == 409);
  pass(249s);
  CHECK(get(id)["busy"] == true);
  pass(1s);
  CHECK(job(work).conclusion == "failure");
  CHECK(get(id)["busy"] == false);
  CHECK(status("DELETE", path(id)) == 204);
}

TEST_CASE_FIXTURE(Simulated, "the lease may take the registration with it") {
  set({{"lease_removes_record", true}});
  const auto id = add("a");
  queue({"prof"});
  listen(id);
  pass(300s);
  CHECK(status("GET", path(id)) == 404);
  CHECK(api.world().model.departed().back().why == "lease");
}

TEST_CASE_FIXTURE(Simulated, "signs of life keep a runner at work online") {
  const auto id = add("a");
  queue({"prof"});
  listen(id);
  for (int i = 0; i < 20; ++i) {
    pass(40s);
    CHECK(does(id, "POST", "alive") == 200);
  }
  CHECK(get(id)["status"] == "online");
}

TEST_CASE_FIXTURE(Simulated, "a deleted runner's program is sent away, also from its poll") {
  const auto id = add("a");
  listen(id);
  CHECK(status("DELETE", path(id)) == 204);
  CHECK(api.take_news() == std::set<Id>{id});
  CHECK(api.resume(id, false, now)->status == 404);
  CHECK(does(id, "POST", "session") == 404);
}

TEST_CASE_FIXTURE(Simulated, "a runner has one session, which needs its token") {
  const auto id = add("a");
  CHECK(status("POST", "/_runner/" + std::to_string(id) + "/session") == 401);
  CHECK(does(id, "GET", "job") == 409);
  CHECK(does(id, "POST", "session") == 201);
  CHECK(does(id, "POST", "session") == 409);
  CHECK(does(id, "DELETE", "session") == 204);
  CHECK(does(id, "POST", "session") == 201);
}

TEST_CASE_FIXTURE(Simulated, "a poll ends with nothing after its wait") {
  const auto id = add("a");
  does(id, "POST", "session");
  does(id, "GET", "job?wait=7");
  CHECK(last.waiting == id);
  CHECK(last.wait_until == now + 7s);
  pass(7s);
  CHECK_FALSE(api.resume(id, false, now));
  CHECK(api.resume(id, true, now)->status == 204);
  queue({"prof"});
  CHECK(does(id, "GET", "job?wait=0") == 200);
  CHECK(does(id, "GET", "job?wait=0") == 200);
}

TEST_CASE_FIXTURE(Simulated,
                  "registrations that are not used, and on demand those that only listen, are removed") {
  set({{"unused_removal", 100}, {"idle_removal", 40}});
  add("unused");
  const auto id = add("idle");
  listen(id);
  CHECK(api.next_change() <= now + 40s);
  pass(40s);
  CHECK(listed() == Names{"unused"});
  CHECK(api.take_news().contains(id));
  pass(60s);
  CHECK(listed().empty());
}
