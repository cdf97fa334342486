#include "tests/edge/github_support.hpp"

using namespace github_test;
using namespace std::chrono_literals;

namespace {

const std::string dated = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

std::string artifact_json(std::int64_t id, const std::string& name, const std::string& more = "") {
  return R"({"id":)" + std::to_string(id) + R"(,"node_id":"x","name":")" + name +
         R"(","size_in_bytes":199,"expired":false,"created_at":"1994-11-06T08:49:00Z","workflow_run":{"id":7})" +
         more + "}";
}
std::string artifacts_json(const std::string& list) {
  return R"({"total_count":1,"artifacts":[)" + list + "]}";
}
std::string job_json(const std::string& status, const std::string& runner = "null") {
  return R"({"id":100520616165,"run_id":7,"status":")" + status +
         R"(","conclusion":null,"labels":["a","b"],"runner_name":)" + runner + "}";
}

GithubReply<WorkflowRun> run(GithubClient& client) {
  return reply_of<WorkflowRun>([&](auto done) { client.run("o/r", 7, done); });
}
GithubReply<std::vector<WorkflowJob>> jobs(GithubClient& client) {
  return reply_of<std::vector<WorkflowJob>>([&](auto done) { client.jobs("o/r", 7, done); });
}
GithubReply<ArtifactListing> artifacts(GithubClient& client) {
  return reply_of<ArtifactListing>([&](auto done) { client.artifacts("o/r", 7, "x y", done); });
}
GithubReply<ArtifactArchive> archive(GithubClient& client, std::size_t limit = 100) {
  return reply_of<ArtifactArchive>([&](auto done) { client.archive("o/r", 9, limit, done); });
}
Answer redirect(const std::string& to) { return answer(302, "", "Location: " + to + "\r\n"); }
/// The server under another name than the client knows it by.
std::string elsewhere(const Server& server) {
  auto url = server.url();
  return url.replace(url.find("127.0.0.1"), 9, "localhost") + "/blob?sig=a%2Fb";
}

} // namespace

TEST_CASE("a run says how it stands and where its commit is from") {
  Server server(
      {answer(
           200,
           R"({"id":7,"status":"completed","conclusion":"cancelled","head_repository":{"full_name":"f/r"}})"),
       answer(200, R"({"id":7,"status":"queued","conclusion":null,"head_repository":null})"),
       answer(200, R"({"id":8,"status":"queued","conclusion":null})"), answer(404, "{}")});
  GithubClient client(options(server));
  const auto over = run(client);
  REQUIRE(over);
  CHECK(over.value->over());
  CHECK(over.value->conclusion == "cancelled");
  CHECK(over.value->head_repository == "f/r");
  const auto queued = run(client);
  REQUIRE(queued);
  CHECK(!queued.value->over());
  CHECK(queued.value->head_repository.empty());
  CHECK(run(client).error.kind == Kind::malformed);
  CHECK(run(client).error.kind == Kind::not_found);
  CHECK(server.requests().at(0).target == "/repos/o/r/actions/runs/7");
}

TEST_CASE("jobs are read from all pages") {
  Server server([](const Request& request) {
    const bool first = request.target.find("page=2") == std::string::npos;
    return answer(200,
                  R"({"total_count":2,"jobs":[)" +
                      (first ? job_json("queued") : job_json("in_progress", R"("r1")")) + "]}",
                  first ? "Link: </repositories/1/jobs?page=2>; rel=\"next\"\r\n" : "");
  });
  GithubClient client(options(server));
  const auto reply = jobs(client);
  REQUIRE(reply);
  REQUIRE(reply.value->size() == 2);
  CHECK(reply.value->at(0).waits());
  CHECK(reply.value->at(0).id == 100'520'616'165);
  CHECK(reply.value->at(0).labels == std::vector<std::string>{"a", "b"});
  CHECK(!reply.value->at(1).waits());
  CHECK(reply.value->at(1).runner_name == "r1");
}

TEST_CASE("pages of jobs that never end are no answer") {
  Server server([](const Request&) {
    return answer(200, R"({"total_count":2,"jobs":[]})", "Link: </again>; rel=\"next\"\r\n");
  });
  GithubClient client(options(server));
  CHECK(jobs(client).error.kind == Kind::malformed);
  CHECK(server.requests().size() == 20);
}

TEST_CASE("artifacts are asked for by name, and no other is believed") {
  Server server({answer(
      200, artifacts_json(artifact_json(5'000'000'000, "x y") + "," + artifact_json(6, "x")), dated)});
  GithubClient client(options(server));
  const auto reply = artifacts(client);
  REQUIRE(reply);
  REQUIRE(reply.value->artifacts.size() == 1);
  const auto& found = reply.value->artifacts.front();
  CHECK(found.id == 5'000'000'000);
  CHECK(found.size == 199);
  CHECK(reply.value->at - found.created_at == 37s);
  CHECK(server.requests().at(0).target == "/repos/o/r/actions/runs/7/artifacts?name=x%20y&per_page=100");
}

TEST_CASE("artifacts without a date, or of a wrong shape, are no answer") {
  Server server({answer(200, artifacts_json(artifact_json(5, "x y"))),
                 answer(200, artifacts_json(R"({"id":5,"name":"x y"})"), dated), answer(200, "{}", dated)});
  GithubClient client(options(server));
  for (int i = 0; i < 3; ++i)
    CHECK(artifacts(client).error.kind == Kind::malformed);
}

TEST_CASE("G9: the archive is fetched from another host, and that one does not get the token") {
  std::string target;
  Server server([&](const Request& request) {
    return request.target.starts_with("/blob") ? answer(200, "PK bytes", "", "application/zip")
                                               : redirect(target);
  });
  target = elsewhere(server);
  GithubClient client(options(server));
  const auto reply = archive(client);
  REQUIRE(reply);
  CHECK(reply.value->bytes == "PK bytes");
  const auto requests = server.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].target == "/repos/o/r/actions/artifacts/9/zip");
  CHECK(requests[0].header("authorization") == "Bearer " + token);
  CHECK(requests[1].target == "/blob?sig=a%2Fb");
  CHECK(requests[1].header("authorization").empty());
  CHECK(requests[1].head.find(token) == std::string::npos);
}

TEST_CASE("an archive is cut off where it gets too large, whether its length is told or not") {
  std::string target;
  const std::string body(101, 'x');
  std::atomic<int> turn{0};
  Server server([&](const Request& request) -> Answer {
    if (!request.target.starts_with("/blob"))
      return redirect(target);
    if (turn++ == 0)
      return answer(200, body, "", "application/zip");
    return {"HTTP/1.1 200 X\r\nConnection: close\r\n\r\n" + body, Answer::Then::close};
  });
  target = elsewhere(server);
  GithubClient client(options(server));
  CHECK(archive(client).value->too_large);
  CHECK(archive(client).value->too_large);
  CHECK(archive(client, 101).value->bytes == body);
}

TEST_CASE("GitHub Enterprise Server may deliver the archive itself, at a private address, without the token") {
  std::string target;
  Server server([&](const Request& request) {
    return request.target.starts_with("/storage") ? answer(200, "PK bytes", "", "application/zip") : redirect(target);
  });
  target = server.url() + "/storage?sig=a%2Fb";
  auto enterprise = options(server);
  enterprise.private_redirects = false; // as where the API is on another machine
  GithubClient client(enterprise);
  const auto reply = archive(client);
  REQUIRE_MESSAGE(reply, reply.error.message);
  CHECK(reply.value->bytes == "PK bytes");
  const auto requests = server.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[1].target == "/storage?sig=a%2Fb");
  CHECK(requests[1].head.find(token) == std::string::npos);
}

TEST_CASE("an archive is not fetched from another port of the API's host, a second redirect, or what is no address") {
  std::string target;
  Server server([&](const Request& request) {
    return request.target.starts_with("/blob") ? redirect("http://127.0.0.3/") : redirect(target);
  });
  GithubClient client(options(server));
  for (const auto& bad :
       {std::string{"/blob"}, std::string{"http://127.0.0.1:1/"}, std::string{"file:///etc/passwd"},
        std::string{"http://user:pw@localhost/"}, std::string{}}) {
    target = bad;
    CHECK_MESSAGE(archive(client).error.kind == Kind::refused, bad);
  }
  CHECK(server.requests().size() == 5);
  for (const auto& twice : {elsewhere(server), server.url() + "/blob"}) {
    target = twice;
    CHECK(archive(client).error.kind == Kind::refused);
  }
  CHECK(server.requests().size() == 9);
}

TEST_CASE("an archive is not fetched from a private address, unless the API itself is on this machine") {
  std::string target;
  Server server([&](const Request& request) {
    return request.target.starts_with("/blob") ? answer(200, "x") : redirect(target);
  });
  target = elsewhere(server);
  auto public_api = options(server);
  public_api.private_redirects = false; // as where the API is at api.github.com
  GithubClient client(public_api);
  const auto reply = archive(client);
  CHECK(reply.error.kind == Kind::unreachable);
  CHECK(reply.error.message == "the address is none of the internet at large");
  CHECK(server.requests().size() == 1);
}

TEST_CASE("what the other host refuses is no archive") {
  std::string target;
  Server server([&](const Request& request) {
    return request.target.starts_with("/blob") ? answer(403, "<Error/>", "", "application/xml")
                                               : redirect(target);
  });
  target = elsewhere(server);
  GithubClient client(options(server));
  CHECK(archive(client).error);
  Server gone({answer(410, R"({"message":"Artifact has expired"})")});
  GithubClient other(options(gone));
  CHECK(archive(other).error.kind == Kind::not_found);
}
