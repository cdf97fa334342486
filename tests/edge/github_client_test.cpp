#include "tests/edge/github_support.hpp"

#include <mutex>

using namespace github_test;
using namespace std::chrono_literals;

namespace {

std::string message(const std::string& text) { return R"({"message":")" + text + R"(","status":"400"})"; }
std::string labels_json(const std::string& labels) {
  return R"({"total_count":1,"labels":[)" + labels + "]}";
}

} // namespace

TEST_CASE("one connection carries call after call, each with GitHub's headers") {
  Server server([](const Request&) { return answer(200, runner_json(7, "a")); });
  GithubClient client(options(server));
  for (int i = 0; i < 3; ++i)
    CHECK(get(client, 7).value->name == "a");
  CHECK(server.connections() == 1);
  const auto request = server.requests().at(0);
  CHECK(request.method == "GET");
  CHECK(request.target == runners_path + "/7");
  CHECK(request.header("authorization") == "Bearer " + token);
  CHECK(request.header("user-agent") == "ci-monitor/" CI_MONITOR_VERSION);
  CHECK(request.header("accept") == "application/vnd.github+json");
  CHECK(request.header("x-github-api-version") == "2022-11-28");
}

TEST_CASE("a path in the API's address and a slash at its end are fine") {
  Server server([](const Request&) { return answer(200, runner_json(7, "a")); });
  auto enterprise = options(server);
  enterprise.api_url += "/api/v3/";
  enterprise.scope = "/orgs/o";
  GithubClient client(enterprise);
  CHECK(get(client, 7));
  CHECK(server.requests().at(0).target == "/api/v3/orgs/o/actions/runners/7");
}

TEST_CASE("a runner is registered by its name, group, labels and folder") {
  Server server(
      {answer(201, R"({"runner":)" + runner_json(7, "a@ci0") + R"(,"encoded_jit_config":"c2VjcmV0"})")});
  GithubClient client(options(server));
  const auto reply = generate(client, {"a@ci0", {"self-hosted", "X64", "we\"ird"}, "_work", 3});
  REQUIRE(reply);
  CHECK(reply.value->registration.id == 7);
  CHECK(reply.value->encoded_jit_config == "c2VjcmV0");
  const auto request = server.requests().at(0);
  CHECK(request.method == "POST");
  CHECK(request.target == runners_path + "/generate-jitconfig");
  CHECK(request.header("content-type") == "application/json");
  CHECK(request.header("expect").empty());
  CHECK(
      request.body ==
      R"({"labels":["self-hosted","X64","we\"ird"],"name":"a@ci0","runner_group_id":3,"work_folder":"_work"})");
}

TEST_CASE("a registration is sent once, although a connection that served before ends without a word") {
  for (auto end : {scripted::Answer::Then::close, scripted::Answer::Then::reset}) {
    Server server({answer(200, runner_json(7, "a")), {"", end}, answer(409, message("Already exists"))});
    GithubClient client(options(server));
    CHECK(get(client, 7));
    CHECK(generate(client, {"a", {"x"}, "_work", 1}).error.may_have_acted());
    CHECK(server.requests().size() == 2);
  }
}

TEST_CASE("text that is no UTF-8 is sent all the same, and throws nothing") {
  Server server({answer(422, message("bad"))});
  GithubClient client(options(server));
  CHECK(generate(client, {"a\xff", {}, "", 1}).error.kind == Kind::unprocessable);
}

TEST_CASE("labels are added, and all that are there come back") {
  Server server({answer(200, labels_json(label_json("a") + "," + label_json("b")))});
  GithubClient client(options(server));
  CHECK(*label(client, 7, {"b"}).value == std::vector<std::string>{"a", "b"});
  CHECK(server.requests().at(0).method == "POST");
  CHECK(server.requests().at(0).target == runners_path + "/7/labels");
  CHECK(server.requests().at(0).body == R"({"labels":["b"]})");
}

TEST_CASE("labels are removed one by one, in order, by their encoded names") {
  Server server({answer(200, labels_json(label_json("x/y"))), answer(200, labels_json(""))});
  GithubClient client(options(server));
  CHECK(unlabel(client, 7, {"reserved-for:a b", "x/y"}));
  REQUIRE(server.requests().size() == 2);
  CHECK(server.requests()[0].method == "DELETE");
  CHECK(server.requests()[0].target == runners_path + "/7/labels/reserved-for%3Aa%20b");
  CHECK(server.requests()[1].target == runners_path + "/7/labels/x%2Fy");
}

TEST_CASE("a label that could lead out of its path is never sent") {
  Server server([](const Request&) { return answer(200, labels_json("")); });
  GithubClient client(options(server));
  for (const auto* name : {"", ".", ".."})
    CHECK_MESSAGE(unlabel(client, 7, {name}).error.kind == Kind::refused, name);
  CHECK(unlabel(client, 7, {}));
  CHECK(server.requests().empty());
}

TEST_CASE("a 404 for a label is looked into") {
  const auto absent = answer(404, message("Label does not exist"));
  const auto run = [](std::vector<Answer> answers, std::vector<std::string> labels) {
    Server server(std::move(answers));
    GithubClient client(options(server));
    return unlabel(client, 7, std::move(labels));
  };
  SUBCASE("the runner is there without the label: removed") {
    CHECK(run({absent, answer(200, runner_json(7, "a"))}, {"x"}));
  }
  SUBCASE("and what else is not there needs no call of its own") {
    CHECK(run({absent, answer(200, runner_json(7, "a", label_json("Y"))), answer(200, labels_json(""))},
              {"x", "z", "y"}));
  }
  SUBCASE("the runner is gone: not found, whatever the first 404 said") {
    CHECK(run({absent, answer(404, message("Not Found"))}, {"x"}).error.kind == Kind::not_found);
  }
  SUBCASE("the runner still shows the label: refused") {
    CHECK(run({absent, answer(200, runner_json(7, "a", label_json("X")))}, {"x"}).error.kind ==
          Kind::refused);
  }
  SUBCASE("the look fails: its error") {
    CHECK(run({absent, answer(503, "")}, {"x"}).error.kind == Kind::server);
  }
}

TEST_CASE("a label that GitHub still lists after removing it was not removed") {
  Server server({answer(200, labels_json(label_json("X")))});
  GithubClient client(options(server));
  CHECK(unlabel(client, 7, {"x"}).error.kind == Kind::malformed);
}

TEST_CASE("a runner is deleted by 204, and by nothing else") {
  Server server({scripted::no_content(), answer(404, message("Not Found")),
                 answer(422, message("Runner \\\"a\\\" is currently running a job and cannot be deleted.")),
                 answer(200, "<html>hotel wifi</html>", "", "text/html")});
  GithubClient client(options(server));
  CHECK(remove(client, 7));
  CHECK(remove(client, 7).error.kind == Kind::not_found);
  const auto busy = remove(client, 7);
  CHECK(busy.error.kind == Kind::unprocessable);
  CHECK(busy.error.message == "Runner \"a\" is currently running a job and cannot be deleted.");
  CHECK(remove(client, 7).error.kind == Kind::malformed);
  CHECK(server.requests().at(0).method == "DELETE");
}

TEST_CASE("a taken name, a wrong token and limits are told apart") {
  Server server({answer(409, message("Already exists")), answer(401, message("Bad credentials")),
                 answer(403, message("Resource not accessible")),
                 answer(403, message("You have exceeded a secondary rate limit"), "Retry-After: 17\r\n"),
                 answer(429, message("slow"), "X-RateLimit-Remaining: 0\r\n")});
  GithubClient client(options(server));
  CHECK(generate(client, {"a", {"x"}, "_work", 1}).error.kind == Kind::conflict);
  CHECK(get(client, 7).error.kind == Kind::unauthorized);
  CHECK(get(client, 7).error.kind == Kind::unauthorized);
  const auto limited = get(client, 7);
  CHECK(limited.error.kind == Kind::limited);
  CHECK(limited.error.retry_after == 17s);
  CHECK(limited.error.secondary);
  CHECK(!get(client, 7).error.secondary);
}

TEST_CASE("the hour's budget comes with the reply, and each exchange is told of") {
  Server server({answer(200, runner_json(7, "a"),
                        "X-RateLimit-Limit: 5000\r\nX-RateLimit-Remaining: 42\r\n"
                        "X-RateLimit-Reset: 99999999999\r\n"),
                 answer(404, message("gone"))});
  std::mutex mutex;
  std::vector<std::string> seen;
  GithubClient client(options(server), [&](const ci::edge::GithubExchange& exchange) {
    std::lock_guard lock(mutex);
    seen.push_back(std::string{exchange.operation} + " " + std::to_string(exchange.status) + " " +
                   std::to_string(exchange.rate_remaining.value_or(-1)));
    CHECK(exchange.seconds > 0);
  });
  const auto reply = get(client, 7);
  REQUIRE(reply.budget);
  CHECK(reply.budget->remaining == 42);
  CHECK(!remove(client, 7));
  std::lock_guard lock(mutex);
  CHECK(seen == std::vector<std::string>{"get 200 42", "delete 404 -1"});
}

TEST_CASE("a token with a line break can't smuggle a header in") {
  Server server({answer(200, runner_json(7, "a"))});
  auto broken = options(server);
  broken.token = "abc\r\nX-Evil: 1\n";
  GithubClient client(broken);
  CHECK(get(client, 7));
  CHECK(server.requests().at(0).header("authorization") == "Bearer abcX-Evil:1");
  CHECK(server.requests().at(0).header("x-evil").empty());
}

TEST_CASE("G9: the token is in no message, even if the server repeats it") {
  Server server({answer(400, message("your header was Bearer " + token))});
  GithubClient client(options(server));
  CHECK(get(client, 7).error.message == "your header was Bearer ***");
}

TEST_CASE("a read follows a redirect on its own server, once") {
  std::string base;
  Server server([&](const Request& request) {
    if (request.target == "/repositories/1/actions/runners/7")
      return answer(200, runner_json(7, "a"));
    return answer(301, message("Moved Permanently"),
                  "Location: " + base + "/repositories/1/actions/runners/7\r\n");
  });
  base = server.url();
  GithubClient client(options(server));
  CHECK(get(client, 7));
  SUBCASE("a write does not") {
    CHECK(remove(client, 7).error.kind == Kind::refused);
    CHECK(server.requests().size() == 3);
  }
}

TEST_CASE("a redirect that goes on and on is refused") {
  Server server([](const Request&) { return answer(307, message("round"), "Location: /x\r\n"); });
  GithubClient client(options(server));
  CHECK(get(client, 7).error.kind == Kind::refused);
  CHECK(server.requests().size() == 2);
}

TEST_CASE("G9: no redirect takes the token to another server") {
  Server other({answer(200, runner_json(7, "a"))});
  for (const int status : {301, 302, 303, 307, 308}) {
    Server server(
        [&](const Request&) { return answer(status, "{}", "Location: " + other.url() + "/x\r\n"); });
    GithubClient client(options(server));
    CHECK(get(client, 7).error.kind == Kind::refused);
    CHECK(remove(client, 7).error.kind == Kind::refused);
    CHECK(generate(client, {"a", {"x"}, "_work", 1}).error.kind == Kind::refused);
  }
  CHECK(other.requests().empty());
}
