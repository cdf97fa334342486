#include "tests/simulators/github_simulator_fixture.hpp"

using namespace ci::github_simulator;

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
