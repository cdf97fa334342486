#include "tests/simulators/github_simulator/api.hpp"

#include <doctest/doctest.h>

using namespace ci::github_simulator;
using namespace std::chrono_literals;

namespace {

/// GitHub with a clock that goes when it is told to.
struct Simulated {
  Api api{Identity{}};
  Moment now{1'700'000'000s};
  Answer last;

  Simulated() {
    set({{"online_delay", 10},
         {"offline_delay", 50},
         {"busy_delay", 3},
         {"gone_delay", 20},
         {"lease_timeout", 300}});
  }

  Json ask(const std::string& method, const std::string& target, const Json& body = nullptr,
           std::map<std::string, std::string> headers = {}) {
    Request request{.method = method};
    const auto at = target.find('?');
    request.path = target.substr(0, at);
    request.query = at == std::string::npos ? "" : target.substr(at + 1);
    request.headers = {{"host", "sim:1"}, {"user-agent", "test"}, {"authorization", "Bearer sim-token"}};
    for (const auto& [name, value] : headers)
      request.headers[name] = value;
    if (!body.is_null())
      request.body = body.is_string() ? body.get<std::string>() : body.dump();
    last = api.handle(request, now);
    api.answered(last);
    auto json = Json::parse(last.body, nullptr, false);
    return json.is_discarded() ? Json(nullptr) : json;
  }
  int status(const std::string& method, const std::string& target, const Json& body = nullptr,
             std::map<std::string, std::string> headers = {}) {
    ask(method, target, body, std::move(headers));
    return last.status;
  }
  std::string header(const std::string& name) const {
    for (const auto& [key, value] : last.headers)
      if (key == name)
        return value;
    return {};
  }
  void pass(Duration time) {
    now += time;
    api.advance(now);
  }
  void set(const Json& settings) { REQUIRE(status("PUT", "/_control/settings", settings) == 200); }
  void fault(const Json& json) { REQUIRE(status("POST", "/_control/faults", json) == 201); }

  Id add(const std::string& name, const LabelNames& labels = {"self-hosted", "prof"}) {
    const auto json = ask("POST", runners + "/generate-jitconfig",
                          {{"name", name}, {"runner_group_id", 1}, {"labels", labels}});
    REQUIRE(last.status == 201);
    return json["runner"]["id"];
  }
  Json get(Id id) { return ask("GET", path(id)); }
  std::string path(Id id, const std::string& below = "") const {
    return runners + "/" + std::to_string(id) + below;
  }
  /// What the runner's program does.
  int does(Id id, const std::string& method, const std::string& what, const Json& body = nullptr) {
    const auto* runner = api.world().model.runner(id);
    return status(method, "/_runner/" + std::to_string(id) + "/" + what, body,
                  {{"authorization", "Bearer " + (runner ? runner->token : "none")}});
  }
  void listen(Id id) {
    REQUIRE(does(id, "POST", "session") == 201);
    does(id, "GET", "job");
  }
  Id queue(const LabelNames& labels, const std::string& repo = "o/r") {
    const auto json = ask("POST", "/_control/jobs", {{"labels", labels}, {"repo", repo}});
    REQUIRE(last.status == 201);
    return json["id"];
  }
  const Job& job(Id id) { return *api.world().model.job(id); }
  std::vector<std::string> listed(const std::string& query = "") {
    std::vector<std::string> names;
    const auto listing = ask("GET", runners + query);
    for (const auto& runner : listing["runners"])
      names.push_back(runner["name"]);
    return names;
  }

  std::string runners = "/repos/o/r/actions/runners";
};

using Names = std::vector<std::string>;

} // namespace

// --- The life of a runner
// -----------------------------------------------------------------------------------

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

// --- Jobs
// ---------------------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(Simulated, "a job waits for a runner that has all its labels, whatever their case") {
  listen(add("a", {"self-hosted", "Prof"}));
  const auto work = queue({"SELF-HOSTED", "prof", "reserved-for:1"});
  CHECK(job(work).status == "queued");
  CHECK(job(work).runner == 0);
  const auto id = api.world().model.runners().begin()->first;
  CHECK(status("POST", path(id, "/labels"), {{"labels", {"Reserved-For:1"}}}) == 200);
  CHECK(job(work).status == "in_progress");
  CHECK(job(work).runner == id);
}

TEST_CASE_FIXTURE(Simulated, "runners of an organization work for its repositories, and no others") {
  const auto id = ask("POST", "/orgs/O/actions/runners/generate-jitconfig",
                      {{"name", "a"}, {"runner_group_id", 1}, {"labels", {"x"}}})["runner"]["id"]
                      .get<Id>();
  listen(id);
  CHECK(job(queue({"x"}, "other/r")).status == "queued");
  CHECK(job(queue({"x"}, "o/R")).status == "in_progress");
  CHECK(status("GET", path(id)) == 404);
}

TEST_CASE_FIXTURE(Simulated, "the oldest job is first, and may be held back") {
  set({{"assign_delay", 5}});
  const auto first = queue({"prof"});
  pass(1s);
  const auto second = queue({"prof"});
  const auto id = add("a");
  listen(id);
  CHECK(api.next_change() == now + 4s);
  pass(4s);
  CHECK(job(first).runner == id);
  CHECK(job(second).status == "queued");
}

TEST_CASE_FIXTURE(Simulated, "a job that did not arrive is queued again") {
  const auto id = add("a");
  const auto work = queue({"prof"});
  listen(id);
  CHECK(last.gives_job_to == id);
  api.undelivered(last, now);
  CHECK(job(work).status == "queued");
  CHECK(get(id)["busy"] == false);
}

TEST_CASE_FIXTURE(Simulated, "a queued job is cancelled at once, a running one by its runner") {
  const auto queued = queue({"none"});
  CHECK(status("DELETE", "/_control/jobs/" + std::to_string(queued)) == 200);
  CHECK(job(queued).conclusion == "cancelled");
  CHECK(status("DELETE", "/_control/jobs/" + std::to_string(queued)) == 409);
  const auto work = queue({"prof"});
  const auto id = add("a");
  listen(id);
  CHECK(status("DELETE", "/_control/jobs/" + std::to_string(work)) == 200);
  CHECK(job(work).status == "in_progress");
  does(id, "POST", "alive");
  CHECK(Json::parse(last.body)["cancel"] == true);
}

TEST_CASE_FIXTURE(Simulated, "a run is what its jobs are") {
  const auto first = queue({"prof"});
  const auto run = job(first).run;
  const auto url = "/repos/o/r/actions/runs/" + std::to_string(run);
  CHECK(status("POST", "/_control/jobs", {{"labels", {"z"}}, {"run_id", run}}) == 201);
  CHECK(status("POST", "/_control/jobs", {{"labels", {"z"}}, {"run_id", 5}}) == 422);
  CHECK(ask("GET", url)["status"] == "queued");
  const auto id = add("a");
  listen(id);
  CHECK(ask("GET", url)["status"] == "in_progress");
  const auto jobs = ask("GET", url + "/jobs");
  CHECK(jobs["total_count"] == 2);
  CHECK(jobs["jobs"][0]["runner_id"] == id);
  CHECK(jobs["jobs"][1]["runner_name"].is_null());
  does(id, "POST", "done");
  status("DELETE", "/_control/jobs/" + std::to_string(first + 1));
  CHECK(ask("GET", url)["conclusion"] == "cancelled");
  CHECK(status("GET", "/repos/o/other/actions/runs/" + std::to_string(run)) == 404);
}

// --- Labels
// -------------------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(Simulated, "labels that the runner program would add by itself cannot be taken away") {
  const auto id = add("a", {"self-hosted", "X64", "prof", "PROF"});
  const auto all = ask("GET", path(id, "/labels"));
  CHECK(all["total_count"] == 3);
  CHECK(all["labels"][1]["type"] == "read-only");
  CHECK(all["labels"][2]["type"] == "custom");
  CHECK(status("DELETE", path(id, "/labels/x64")) == 422);
  CHECK(status("DELETE", path(id, "/labels/none")) == 404);
  CHECK(ask("DELETE", path(id, "/labels/Prof"))["total_count"] == 2);
  CHECK(ask("PUT", path(id, "/labels"), {{"labels", {"b", "c/d:e", "Linux"}}})["total_count"] == 5);
  CHECK(ask("DELETE", path(id, "/labels/c%2Fd%3ae"))["total_count"] == 4);
  CHECK(ask("DELETE", path(id, "/labels/linux"))["total_count"] == 3);
  CHECK(ask("DELETE", path(id, "/labels"))["total_count"] == 2);
}

TEST_CASE_FIXTURE(Simulated, "a label has the same id on every runner") {
  const auto one = ask("GET", path(add("a", {"x", "y"}), "/labels"));
  const auto other = ask("GET", path(add("b", {"Y"}), "/labels"));
  CHECK(one["labels"][1]["id"] == other["labels"][0]["id"]);
}

TEST_CASE_FIXTURE(Simulated, "1 to 100 labels are added, 0 to 100 replace") {
  const auto id = add("a");
  const LabelNames full(100, "x"), over(101, "x"), none;
  CHECK(status("POST", path(id, "/labels"), {{"labels", full}}) == 200);
  CHECK(status("POST", path(id, "/labels"), {{"labels", over}}) == 422);
  CHECK(status("POST", path(id, "/labels"), {{"labels", none}}) == 422);
  CHECK(status("PUT", path(id, "/labels"), {{"labels", none}}) == 200);
  CHECK(status("PUT", path(id, "/labels"), {{"labels", over}}) == 422);
  CHECK(status("PUT", path(id, "/labels"), {{"labels", "x"}}) == 422);
  CHECK(status("PUT", path(id, "/labels"), {{"labels", {1}}}) == 422);
  CHECK(status("PUT", path(id, "/labels"), Json::object()) == 422);
}

// --- Listings
// -----------------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(Simulated, "listings have 30 a page, at most 100, and a Link header where there are more") {
  for (int i = 0; i < 120; ++i)
    add("r" + std::to_string(i));
  CHECK(listed().size() == 30);
  CHECK(listed("?per_page=1000").size() == 100);
  CHECK(listed("?per_page=100&page=2").size() == 20);
  const std::string base = "<http://sim:1/repositories/1300000001/actions/runners?per_page=50&page=";
  CHECK(header("link") ==
        "<http://sim:1/repositories/1300000001/actions/runners?per_page=100&page=1>; rel=\"prev\", "
        "<http://sim:1/repositories/1300000001/actions/runners?per_page=100&page=1>; rel=\"first\"");
  listed("?page=2&per_page=50");
  CHECK(header("link") == base + "1>; rel=\"prev\", " + base + "3>; rel=\"next\", " + base +
                              "3>; rel=\"last\", " + base + "1>; rel=\"first\"");
  CHECK(ask("GET", "/repositories/1300000001/actions/runners?per_page=50&page=3")["runners"].size() == 20);
  CHECK(ask("GET", "/api/v3" + runners + "?page=9")["total_count"] == 120);
  CHECK(header("link").starts_with(
      "<http://sim:1/api/v3/repositories/1300000001/actions/runners?page=4>; rel=\"prev\""));
  CHECK(listed("?name=r7") == Names{"r7"});
  CHECK(header("link").empty());
}

TEST_CASE("nonsense in a query counts as not given") {
  for (const auto* query : {"per_page=0", "per_page=x&page=-1", "page=0", "&&=&per_page"}) {
    const auto page = page_of(parse_query(query), 100, 100);
    CHECK_MESSAGE((page.size == 30 && page.number == 1 && page.last == 4), query);
  }
  CHECK(page_of(parse_query("per_page=7"), 0, 100).last == 1);
  CHECK(page_of({}, 100, 10).last == 10);
}

TEST_CASE_FIXTURE(Simulated, "what has not changed is 304 without a body, and costs nothing") {
  add("a");
  listed();
  const auto etag = header("etag");
  const auto used = header("x-ratelimit-used");
  CHECK(etag.starts_with("W/\""));
  CHECK(status("GET", runners, nullptr, {{"if-none-match", "\"x\", " + etag}}) == 304);
  CHECK(last.body.empty());
  CHECK(header("content-type").empty());
  CHECK(header("etag") == etag);
  CHECK(header("x-ratelimit-used") == used);
  add("b");
  CHECK(status("GET", runners, nullptr, {{"if-none-match", etag}}) == 200);
}

// --- Refusals
// -----------------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(Simulated, "who has no right token is sent away") {
  CHECK(status("GET", runners, nullptr, {{"authorization", "token sim-token"}}) == 200);
  CHECK(status("GET", runners, nullptr, {{"authorization", "bearer sim-token"}}) == 200);
  CHECK(status("GET", runners, nullptr, {{"authorization", "Bearer other"}}) == 401);
  CHECK(status("GET", runners, nullptr, {{"authorization", "sim-token"}}) == 401);
  CHECK(status("GET", runners, nullptr, {{"authorization", ""}}) == 401);
  CHECK(Json::parse(last.body)["status"] == "401");
  CHECK(Json::parse(last.body).contains("documentation_url"));
  CHECK(status("GET", runners, nullptr, {{"user-agent", ""}}) == 403);
}

TEST_CASE_FIXTURE(Simulated, "known versions are selected, unknown ones refused") {
  CHECK(status("GET", runners) == 200);
  CHECK(header("x-github-api-version-selected") == "2022-11-28");
  CHECK(status("GET", runners, nullptr, {{"x-github-api-version", "2026-03-10"}}) == 200);
  CHECK(header("x-github-api-version-selected") == "2026-03-10");
  CHECK(status("GET", runners, nullptr, {{"x-github-api-version", "2020-01-01"}}) == 400);
  CHECK(ask("GET", "/rate_limit").contains("rate"));
  CHECK_FALSE(ask("GET", "/rate_limit", nullptr, {{"x-github-api-version", "2026-03-10"}}).contains("rate"));
}

TEST_CASE_FIXTURE(Simulated, "what cannot be registered says why") {
  const auto refused = [this](const Json& body) {
    return status("POST", runners + "/generate-jitconfig", body);
  };
  Json body = {{"name", "a"}, {"runner_group_id", 1}, {"labels", {"x"}}};
  CHECK(refused("{") == 400);
  CHECK(refused("[1]") == 400);
  CHECK(refused(Json::object()) == 422);
  for (const auto* field : {"name", "runner_group_id", "labels"}) {
    auto without = body;
    without.erase(field);
    CHECK_MESSAGE(refused(without) == 422, field);
    CHECK(Json::parse(last.body)["message"].get<std::string>().find(field) != std::string::npos);
    auto wrong = body;
    wrong[field] = 1.5;
    CHECK_MESSAGE(refused(wrong) == 422, field);
  }
  body["name"] = std::string(65, 'n');
  CHECK(refused(body) == 422);
  body["name"] = std::string(64, 'n');
  CHECK(refused(body) == 201);
  CHECK(refused(body) == 409);
}

TEST_CASE_FIXTURE(Simulated, "there are no other paths") {
  for (const auto* path :
       {"/", "/repos/o/r/actions/runners/", "/repos/o/r", "/repos/o/r/actions/runners/x",
        "/orgs/o/actions/runs/1", "/repositories/7/actions/runners", "/_control", "/_runner/1"})
    CHECK_MESSAGE(status("GET", path) == 404, path);
  CHECK(status("PATCH", runners) == 404);
}

TEST_CASE("only the scopes that were named exist") {
  Simulated github;
  github.api.world().identity.scopes = {"repos/o/r"};
  CHECK(github.status("GET", "/repos/O/R/actions/runners") == 200);
  CHECK(github.status("GET", "/repos/o/other/actions/runners") == 404);
  CHECK(github.status("GET", "/orgs/o/actions/runners") == 404);
}

TEST_CASE_FIXTURE(Simulated, "the hour's budget runs out and comes back") {
  set({{"rate_limit", 2}, {"rate_limit_status", 429}});
  CHECK(status("GET", runners) == 200);
  CHECK(status("GET", "/rate_limit") == 200);
  CHECK(status("GET", runners) == 200);
  CHECK(header("x-ratelimit-remaining") == "0");
  CHECK(status("GET", runners) == 429);
  CHECK(header("x-ratelimit-remaining") == "0");
  pass(1h);
  CHECK(status("GET", runners) == 200);
}

TEST_CASE_FIXTURE(Simulated, "the secondary limits count points a minute, and requests at once") {
  set({{"secondary_limit", true}, {"secondary_points", 10}, {"secondary_concurrent", 1}});
  const auto id = add("a");
  CHECK(status("DELETE", path(id, "/labels")) == 200);
  CHECK(status("DELETE", path(id, "/labels")) == 200);
  CHECK(status("DELETE", path(id, "/labels")) == 403);
  CHECK(header("retry-after") == "60");
  pass(1min);
  CHECK(status("DELETE", path(id, "/labels")) == 200);
  Request slow{.method = "GET", .path = "/rate_limit"};
  slow.headers = {{"user-agent", "test"}, {"authorization", "token sim-token"}};
  const auto held = api.handle(slow, now);
  CHECK(status("GET", runners) == 403);
  api.answered(held);
  CHECK(status("GET", runners) == 200);
}

// --- Faults and lies
// ----------------------------------------------------------------------------------------

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
