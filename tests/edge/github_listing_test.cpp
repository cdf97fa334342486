#include "tests/edge/github_support.hpp"

using namespace github_test;

namespace {

std::string next_to(const std::string& url) { return "Link: <" + url + ">; rel=\"next\"\r\n"; }

/// The ids of a listing, in order.
std::vector<RegistrationId> ids(const GithubReply<RegistrationListing>& reply) {
  std::vector<RegistrationId> result;
  if (reply)
    for (const auto& runner : reply.value->runners)
      result.push_back(runner.id);
  return result;
}

} // namespace

TEST_CASE("a listing of one page is asked for a hundred at a time") {
  Server server({answer(200, page_json(2, {1, 2}))});
  GithubClient client(options(server));
  const auto before = std::chrono::steady_clock::now();
  const auto reply = list(client);
  CHECK(ids(reply) == std::vector<RegistrationId>{1, 2});
  CHECK(reply.value->started_at >= before);
  CHECK(server.requests().at(0).target == runners_path + "?per_page=100");
}

TEST_CASE("no runners are a listing too") {
  Server server({answer(200, page_json(0, {}))});
  GithubClient client(options(server));
  CHECK(list(client));
}

TEST_CASE("links are followed to the letter, numeric alias and all") {
  std::string base;
  Server server([&](const Request& request) {
    if (request.target == runners_path + "?per_page=100")
      return answer(200, page_json(3, {1, 2}),
                    next_to(base + "/repositories/1300192/actions/runners?page=2&per_page=%31"));
    return answer(200, page_json(3, {3}), "Link: <" + base + "/x>; rel=\"first\"\r\n");
  });
  base = server.url();
  GithubClient client(options(server));
  CHECK(ids(list(client)) == std::vector<RegistrationId>{1, 2, 3});
  CHECK(server.requests().at(1).target == "/repositories/1300192/actions/runners?page=2&per_page=%31");
  CHECK(server.requests().at(1).header("authorization") == "Bearer " + token);
}

TEST_CASE("G9: a link to another server is not followed, and there is no listing") {
  Server other({answer(200, page_json(3, {3}))});
  Server server({answer(200, page_json(3, {1, 2}), next_to(other.url() + "/steal"))});
  GithubClient client(options(server));
  CHECK(list(client).error.kind == Kind::malformed);
  CHECK(other.requests().empty());
}

TEST_CASE("a listing of which a page fails is none") {
  std::string base;
  Server server([&](const Request& request) {
    if (request.target.find("page=2") != std::string::npos)
      return answer(502, "oops", "", "text/html");
    return answer(200, page_json(3, {1, 2}), next_to(base + "/next?page=2"));
  });
  base = server.url();
  GithubClient client(options(server));
  CHECK(list(client).error.kind == Kind::server);
}

TEST_CASE("a runner that shifts to the next page is listed once") {
  std::string base;
  Server server([&](const Request& request) {
    return request.target.find("page=2") != std::string::npos
               ? answer(200, page_json(3, {2, 3}))
               : answer(200, page_json(3, {1, 2}), next_to(base + "/next?page=2"));
  });
  base = server.url();
  GithubClient client(options(server));
  CHECK(ids(list(client)) == std::vector<RegistrationId>{1, 2, 3});
}

TEST_CASE("a listing that falls short begins anew, and is none if that goes on") {
  SUBCASE("the second try is whole") {
    Server server({answer(200, page_json(3, {1, 2})), answer(200, page_json(2, {1, 2}))});
    GithubClient client(options(server));
    CHECK(ids(list(client)) == std::vector<RegistrationId>{1, 2});
  }
  SUBCASE("none is") {
    Server server([](const Request&) { return answer(200, page_json(3, {1, 2})); });
    GithubClient client(options(server));
    const auto reply = list(client);
    CHECK(reply.error.kind == Kind::malformed);
    CHECK(reply.error.message == "the listing fell short: 2 of 3");
    CHECK(server.requests().size() == 3);
  }
}

TEST_CASE("G6: pages that never end are cut off") {
  std::string base;
  std::atomic<int> page{1};
  SUBCASE("by their number") {
    Server server([&](const Request&) {
      return answer(200, page_json(1, {1}), next_to(base + "/next?page=" + std::to_string(++page)));
    });
    base = server.url();
    auto few = options(server);
    few.max_pages = 5;
    GithubClient client(few);
    CHECK(list(client).error.kind == Kind::malformed);
    CHECK(server.requests().size() == 5);
  }
  SUBCASE("when they go round in a circle") {
    Server server(
        [&](const Request&) { return answer(200, page_json(1, {1}), next_to(base + "/next?page=2")); });
    base = server.url();
    GithubClient client(options(server));
    CHECK(list(client).error.kind == Kind::malformed);
    CHECK(server.requests().size() == 2);
  }
}

TEST_CASE("a page of the wrong shape is malformed") {
  for (const auto* body : {R"({"total_count":"0","runners":[]})", R"({"total_count":0.0,"runners":[]})",
                           R"({"total_count":-1,"runners":[]})", R"({"runners":[]})", R"({"total_count":0})",
                           R"({"total_count":0,"runners":{}})", R"({"total_count":1,"runners":[7]})",
                           R"({"total_count":1,"runners":[{"id":1}]})", "[]", "null", "not json", ""}) {
    Server server({answer(200, body)});
    GithubClient client(options(server));
    CHECK_MESSAGE(list(client).error.kind == Kind::malformed, body);
  }
}

TEST_CASE("G11: what has not changed is asked for by its tag, page by page, and not sent again") {
  std::string base;
  Server server([&](const Request& request) {
    const bool second = request.target.find("page=2") != std::string::npos;
    const std::string tag = second ? "W/\"two\"" : "\"one\"";
    if (request.header("if-none-match") == tag)
      return Answer{"HTTP/1.1 304 Not Modified\r\nETag: " + tag + "\r\n\r\n"};
    return second ? answer(200, page_json(3, {3}), "ETag: " + tag + "\r\n")
                  : answer(200, page_json(3, {1, 2}), "ETag: " + tag + "\r\n" + next_to(base + "/n?page=2"));
  });
  base = server.url();
  GithubClient client(options(server));
  const auto all = std::vector<RegistrationId>{1, 2, 3};
  CHECK(ids(list(client)) == all);
  CHECK(ids(list(client)) == all);
  const auto requests = server.requests();
  REQUIRE(requests.size() == 4);
  CHECK(requests[0].header("if-none-match").empty());
  CHECK(requests[2].header("if-none-match") == "\"one\"");
  CHECK(requests[3].header("if-none-match") == "W/\"two\"");
  SUBCASE("but in full under another token") {
    client.set_token("other");
    CHECK(ids(list(client)) == all);
    CHECK(server.requests().at(4).header("if-none-match").empty());
    CHECK(server.requests().at(4).header("authorization") == "Bearer other");
  }
}

TEST_CASE("no more is remembered than allowed") {
  Server server([](const Request&) { return answer(200, page_json(1, {1}), "ETag: \"one\"\r\n"); });
  auto forgetful = options(server);
  forgetful.max_cached_bytes = 10;
  GithubClient client(forgetful);
  list(client);
  list(client);
  CHECK(server.requests().at(1).header("if-none-match").empty());
}

TEST_CASE("a 304 that was not asked for is no listing") {
  Server server({Answer{"HTTP/1.1 304 Not Modified\r\n\r\n"}});
  GithubClient client(options(server));
  CHECK(!list(client));
}

TEST_CASE("a name is found exactly, among whatever GitHub gives for it") {
  const auto body =
      R"({"total_count":2,"runners":[)" + runner_json(1, "a.1@ci0") + "," + runner_json(2, "a.12@ci0") + "]}";
  Server server({answer(200, body), answer(200, page_json(0, {}))});
  GithubClient client(options(server));
  const auto found = find(client, "a.1@ci0");
  REQUIRE(found);
  REQUIRE(found.value->size() == 1);
  CHECK(found.value->at(0).id == 1);
  CHECK(server.requests().at(0).target == runners_path + "?name=a.1%40ci0&per_page=100");
  CHECK(find(client, "none").value->empty());
}
