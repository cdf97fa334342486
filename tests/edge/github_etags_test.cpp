#include "actors/edge/github_etags.hpp"
#include "tests/edge/github_support.hpp"

using namespace github_test;
using namespace std::chrono_literals;

namespace {

/// Has one version of everything, and says 304 to whoever has that.
struct Versioned {
  std::atomic<int> version{1};
  std::atomic<int> bodies{0};
  std::function<std::string(int version)> body;
  std::string more; ///< headers
  Server server{[this](const Request& request) {
    const auto etag = "W/\"" + std::to_string(version) + "\"";
    const auto headers = "ETag: " + etag + "\r\nDate: Fri, 02 Jan 2026 03:04:05 GMT\r\n" + more;
    if (request.header("if-none-match") == etag)
      return Answer{"HTTP/1.1 304 Not Modified\r\n" + headers + "\r\n"};
    ++bodies;
    return answer(200, body(version), headers);
  }};
};

ci::edge::HttpAnswer tagged(const std::string& etag, std::size_t size) {
  ci::edge::HttpAnswer answer;
  answer.status = 200;
  answer.headers = {{"etag", etag}, {"content-type", "application/json"}};
  answer.body.assign(size, 'x');
  return answer;
}

} // namespace

TEST_CASE("G11: a runner by its id is not sent again while nothing changed, and is when something did") {
  Versioned github;
  github.body = [](int version) { return runner_json(7, "v" + std::to_string(version)); };
  GithubClient client(options(github.server));
  for (int i = 0; i < 3; ++i)
    CHECK(get(client, 7).value->name == "v1");
  CHECK(github.bodies == 1);
  github.version = 2;
  CHECK(get(client, 7).value->name == "v2");
  CHECK(get(client, 7).value->name == "v2");
  CHECK(github.bodies == 2);
  client.set_token("another"); // may see other things
  CHECK(get(client, 7).value->name == "v2");
  CHECK(github.bodies == 3);
}

TEST_CASE("G11: runs, their jobs and their artifacts are not sent again either") {
  Versioned github;
  GithubClient client(options(github.server));
  SUBCASE("a run") {
    github.body = [](int) { return R"({"id":5,"status":"queued","conclusion":null})"; };
    for (int i = 0; i < 2; ++i)
      CHECK(reply_of<WorkflowRun>([&](auto done) { client.run("o/r", 5, done); }).value->status == "queued");
    CHECK(github.bodies == 1);
  }
  SUBCASE("jobs, page by page") {
    github.body = [](int) { return R"({"total_count":1,"jobs":[{"id":6,"status":"queued","labels":["a"]}]})"; };
    for (int i = 0; i < 2; ++i)
      CHECK(reply_of<std::vector<WorkflowJob>>([&](auto done) { client.jobs("o/r", 5, done); }).value->size() == 1);
    CHECK(github.bodies == 1);
  }
  SUBCASE("artifacts, whose age is by the date of the answer that says so") {
    github.body = [](int) {
      return R"({"total_count":1,"artifacts":[{"id":8,"name":"n","size_in_bytes":9,"expired":false,)"
             R"("created_at":"2026-01-02T03:04:00Z"}]})";
    };
    for (int i = 0; i < 2; ++i) {
      const auto reply = reply_of<ArtifactListing>([&](auto done) { client.artifacts("o/r", 5, "n", done); });
      REQUIRE(reply);
      CHECK(reply.value->artifacts.size() == 1);
      CHECK(reply.value->at - reply.value->artifacts[0].created_at == 5s);
    }
    CHECK(github.bodies == 1);
  }
}

TEST_CASE("G12: a runner that is gone is asked for as if it had never been known") {
  std::string asked;
  int count = 0;
  Server server([&](const Request& request) {
    asked += request.method + "(" + request.header("if-none-match") + ")";
    ++count;
    return count == 2   ? answer(404, R"({"message":"Not Found"})")
           : count == 4 ? scripted::no_content()
                        : answer(200, runner_json(7, "a"), "ETag: \"1\"\r\n");
  });
  GithubClient client(options(server));
  REQUIRE(get(client, 7));
  CHECK(get(client, 7).error.kind == Kind::not_found);
  REQUIRE(get(client, 7));
  REQUIRE(remove(client, 7));
  REQUIRE(get(client, 7));
  CHECK(asked == R"(GET()GET("1")GET()DELETE()GET())");
}

TEST_CASE("a 304 that nobody asked for, and a body under another's tag, are no answers") {
  Server server({Answer{"HTTP/1.1 304 Not Modified\r\n\r\n"}, answer(200, runner_json(8, "b"), "ETag: \"1\"\r\n"),
                 Answer{"HTTP/1.1 304 Not Modified\r\n\r\n"}});
  GithubClient client(options(server));
  CHECK(get(client, 7).error.kind == Kind::refused);
  CHECK(get(client, 7).error.kind == Kind::malformed); // it is of runner 8
  CHECK(get(client, 7).error.kind == Kind::malformed); // and stays so
}

TEST_CASE("answers that were used least lately are forgotten first, and an answer without a tag at once") {
  ci::edge::GithubEtags etags(3'000);
  etags.put("a", tagged("1", 500));
  etags.put("b", tagged("2", 500));
  CHECK(etags.find("a")->etag == "1");
  etags.put("c", tagged("3", 500));
  CHECK(etags.find("b") == nullptr);
  CHECK(etags.find("a") != nullptr);
  CHECK(etags.find("c") != nullptr);
  etags.put("a", tagged("", 500));
  CHECK(etags.find("a") == nullptr);
  etags.put("d", tagged("4", 5'000));
  CHECK(etags.find("d") == nullptr);
  CHECK(etags.find("c") != nullptr);
  etags.clear();
  CHECK(etags.find("c") == nullptr);
}

TEST_CASE("the end of a token is read with its zone, or not at all") {
  const auto end_of = [](const std::string& text) -> std::int64_t {
    Server server({answer(200, page_json(0, {}), "github-authentication-token-expiration: " + text + "\r\n")});
    GithubClient client(options(server));
    const auto reply = list(client);
    REQUIRE(reply);
    const auto& end = reply.value->token_expires_at;
    return end ? end->time_since_epoch() / std::chrono::seconds{1} : 0;
  };
  CHECK(end_of("2026-05-04 12:34:56 UTC") == 1'777'898'096);
  CHECK(end_of("2026-05-04 14:34:56 +0200") == 1'777'898'096);
  CHECK(end_of("2026-05-04 07:04:56 -0530") == 1'777'898'096);
  for (const auto* bad : {"", "never", "2026-05-04", "1026-05-04 12:34:56 UTC", "2026-13-04 12:34:56 UTC"})
    CHECK_MESSAGE(end_of(bad) == 0, bad);
}
