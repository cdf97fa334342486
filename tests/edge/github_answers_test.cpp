#include "actors/edge/github_answers.hpp"
#include "actors/edge/github_limits.hpp"
#include "tests/edge/github_support.hpp"

using namespace ci::edge;
using namespace github_test;
using namespace std::chrono_literals;

namespace {

HttpAnswer made(int status, std::string body = "{}", std::map<std::string, std::string> headers = {}) {
  HttpAnswer answer;
  answer.status = status;
  answer.body = std::move(body);
  answer.headers = std::move(headers);
  answer.headers.emplace("content-type", "application/json; charset=utf-8");
  answer.token_sent = token;
  return answer;
}

Kind kind(int status) { return read_error(made(status), 200).kind; }

} // namespace

TEST_CASE("each status has its kind of error") {
  CHECK(kind(200) == Kind::none);
  for (const auto& expected : std::vector<std::pair<int, Kind>>{{404, Kind::not_found},
                                                                {410, Kind::not_found},
                                                                {409, Kind::conflict},
                                                                {422, Kind::unprocessable},
                                                                {401, Kind::unauthorized},
                                                                {403, Kind::unauthorized},
                                                                {429, Kind::limited},
                                                                {500, Kind::server},
                                                                {502, Kind::server},
                                                                {503, Kind::server},
                                                                {301, Kind::refused},
                                                                {304, Kind::refused},
                                                                {400, Kind::refused},
                                                                {406, Kind::refused},
                                                                {418, Kind::refused},
                                                                {201, Kind::malformed},
                                                                {204, Kind::malformed},
                                                                {299, Kind::malformed}})
    CHECK_MESSAGE(kind(expected.first) == expected.second, expected.first);
}

TEST_CASE("an error keeps GitHub's message and its status") {
  const auto error = read_error(made(409, R"({"message":"Already exists","status":"409"})"), 201);
  CHECK(error.message == "Already exists");
  CHECK(error.status == 409);
  CHECK(read_error(made(502, "<html>bad gateway</html>"), 200).message == "HTTP 502");
  CHECK(read_error(made(404, R"({"message":7})"), 200).message == "HTTP 404");
  CHECK(read_error(made(404, R"([1])"), 200).message == "HTTP 404");
}

TEST_CASE("a message is one short line without the token") {
  CHECK(clean_message("a\nb\tc\x01\x7f"
                      "d\xc2\x85",
                      "") == "a b cd");
  CHECK(clean_message("token " + token + " and " + token, token) == "token *** and ***");
  CHECK(clean_message(token.substr(0, 3) + "\x7f\x01" + token.substr(3), token) == "***");
  CHECK(clean_message(std::string(190, 'x') + token, token) == std::string(190, 'x') + "***");
  CHECK(clean_message(std::string(300, 'x'), "").size() == 200);
  CHECK(clean_message(std::string(199, 'x') + "\xc3\xa9", "") == std::string(199, 'x'));
}

TEST_CASE("a 403 is a limit by any one of a limit's marks") {
  CHECK(read_error(made(403, "{}", {{"retry-after", "30"}}), 200).kind == Kind::limited);
  CHECK(read_error(made(403, "{}", {{"x-ratelimit-remaining", "0"}}), 200).kind == Kind::limited);
  CHECK(read_error(made(403, R"({"message":"You have exceeded a secondary rate limit."})"), 200).kind ==
        Kind::limited);
  CHECK(read_error(made(403, R"({"message":"no access"})", {{"x-ratelimit-remaining", "12"}}), 200).kind ==
        Kind::unauthorized);
}

TEST_CASE(
    "a limit lasts as GitHub says: retry-after, else the reset where the budget is spent, else a minute") {
  const std::string date = "Mon, 23 Nov 2026 23:00:00 GMT"; // 1795474800
  const auto pause = [&](std::map<std::string, std::string> headers) {
    headers.emplace("date", date);
    return read_error(made(429, "{}", headers), 200);
  };
  CHECK(pause({{"retry-after", "30"}, {"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "1795475700"}})
            .retry_after == 30s);
  CHECK(pause({{"retry-after", "Mon, 23 Nov 2026 23:00:45 GMT"}}).retry_after == 45s);
  CHECK(pause({{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "1795475700"}}).retry_after == 15min);
  CHECK(pause({{"x-ratelimit-remaining", "9"}, {"x-ratelimit-reset", "1795475700"}}).retry_after == 60s);
  CHECK(pause({}).retry_after == 60s);
}

TEST_CASE("a limit never lasts no time, nor for ever") {
  const auto pause = [&](const std::string& after) {
    return read_error(made(429, "{}", {{"retry-after", after}}), 200).retry_after;
  };
  CHECK(pause("0") == 1s);
  CHECK(pause("99999999") == 2h);
  CHECK(pause("9223372036854775807") == 2h);
  for (const auto* nonsense : {"-5", "1e9", "soon", "99999999999999999999"})
    CHECK_MESSAGE(pause(nonsense) == 60s, nonsense);
  const auto past =
      made(403, "{}", {{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "1"}, {"date", "junk"}});
  CHECK(read_error(past, 200).retry_after == 1s);
}

TEST_CASE("a limit is secondary unless the budget is spent") {
  CHECK(read_error(made(429, "{}", {{"x-ratelimit-remaining", "50"}}), 200).secondary);
  CHECK(read_error(made(429), 200).secondary);
  CHECK(!read_error(made(429, "{}", {{"x-ratelimit-remaining", "0"}}), 200).secondary);
}

TEST_CASE("the budget is read where it is the common one, and whole") {
  const std::map<std::string, std::string> headers{{"x-ratelimit-limit", "5000"},
                                                   {"x-ratelimit-remaining", "4990"},
                                                   {"x-ratelimit-reset", "1795475700"},
                                                   {"x-ratelimit-resource", "core"},
                                                   {"date", "Mon, 23 Nov 2026 23:00:00 GMT"}};
  CHECK(read_budget(made(200, "{}", headers)) == RateBudget{5000, 4990, 15min});
  auto other = headers;
  other["x-ratelimit-resource"] = "actions_runner_registration";
  CHECK(!read_budget(made(200, "{}", other)));
  auto partial = headers;
  partial.erase("x-ratelimit-limit");
  CHECK(!read_budget(made(200, "{}", partial)));
}

TEST_CASE("a runner is read with its labels, and an unknown status is kept") {
  auto body = runner_json(21474836480, "a@ci0", label_json("self-hosted") + "," + label_json("x"));
  body.replace(body.find("offline"), 7, "drowsy!");
  const auto reply = read_runner(made(200, body), 21474836480);
  REQUIRE(reply);
  CHECK(*reply.value == Registration{21474836480, "a@ci0", "drowsy!", false, {"self-hosted", "x"}});
}

TEST_CASE("a runner of the wrong shape is malformed") {
  const auto good = runner_json(7, "a", label_json("x"));
  REQUIRE(read_runner(made(200, good), 7));
  const auto with = [&](const std::string& from, const std::string& to) {
    auto body = good;
    body.replace(body.find(from), from.size(), to);
    return body;
  };
  for (const auto& body :
       {with("\"id\":7,\"name\"", "\"id\":7.0,\"name\""), with("\"id\":7,\"name\"", "\"id\":\"7\",\"name\""),
        with("\"id\":7,\"name\"", "\"id\":18446744073709551615,\"name\""),
        with("\"id\":7,\"name\"", "\"id\":8,\"name\""), with("\"id\":7,\"name\"", "\"id\":null,\"name\""),
        with("\"name\":\"a\"", "\"name\":null"), with("\"busy\":false", "\"busy\":0"),
        with("\"busy\":false", "\"busier\":false"), with("\"offline\"", "false"),
        with("\"labels\":[", "\"labels\":[7,"), with("\"labels\":", "\"lobels\":"), with("{", "[{"),
        std::string{"null"}, std::string{"7"}, std::string{}, std::string{"{"},
        good.substr(0, good.size() - 1), good + "x", std::string{"{\"id\":7,\"name\":\"\xff\"}"}})
    CHECK_MESSAGE(read_runner(made(200, body), 7).error.kind == Kind::malformed, body);
}

TEST_CASE("an answer that does not call itself JSON is malformed") {
  auto answer = made(200, runner_json(7, "a"));
  answer.headers["content-type"] = "text/html";
  CHECK(read_runner(answer, 7).error.kind == Kind::malformed);
  answer.headers["content-type"] = "application/vnd.github+json";
  CHECK(read_runner(answer, 7));
}

TEST_CASE("a JIT registration needs its config, and the name that was asked for") {
  const auto body = [](const std::string& name, const std::string& config) {
    return R"({"runner":)" + runner_json(7, name) + R"(,"encoded_jit_config":)" + config + "}";
  };
  CHECK(read_jit(made(201, body("a", "\"abc\"")), "a").value->encoded_jit_config == "abc");
  CHECK(read_jit(made(201, body("b", "\"abc\"")), "a").error.kind == Kind::malformed);
  for (const auto* config : {"\"\"", "null", "7", "[]"})
    CHECK_MESSAGE(read_jit(made(201, body("a", config)), "a").error.kind == Kind::malformed, config);
  CHECK(read_jit(made(201, R"({"encoded_jit_config":"abc"})"), "a").error.kind == Kind::malformed);
  CHECK(read_jit(made(200, body("a", "\"abc\"")), "a").error.kind == Kind::malformed);
}

TEST_CASE("G9: no error shows the JIT config") {
  const auto error = read_jit(made(201, R"({"runner":1,"encoded_jit_config":"JITJIT"})"), "a").error;
  CHECK(error.message.find("JIT") == std::string::npos);
}

TEST_CASE("only 204 is a deletion") {
  CHECK(read_deleted(made(204, "")));
  CHECK(read_deleted(made(200, "welcome")).error.kind == Kind::malformed);
  CHECK(read_deleted(made(202, "")).error.kind == Kind::malformed);
}

TEST_CASE("absurdly deep JSON neither crashes nor costs much") {
  const std::string deep(1 << 20, '[');
  CHECK(read_page(made(200, deep)).error.kind == Kind::malformed);
  const auto closed = deep + std::string(1 << 20, ']');
  CHECK(read_page(made(200, R"({"total_count":0,"runners":[],"x":)" + closed + "}")));
}
