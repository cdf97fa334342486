/// The server over real sockets: everything that clients may do to it.
#include "tests/http/service.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <sys/resource.h>

using namespace test;
using nlohmann::json;

namespace {

std::string take_target(const std::string& path = "/profile/linux/take") { return path + take_query; }

void check_problem(const RawAnswer& answer, int status) {
  CHECK(answer.status == status);
  CHECK(answer.header("content-type") == "application/problem+json");
  const auto body = json::parse(answer.body);
  CHECK(body["status"] == status);
  for (const auto* key : {"type", "title", "detail", "instance"})
    CHECK_MESSAGE(body[key].is_string(), key);
}

} // namespace

TEST_CASE("every answer carries Date, Cache-Control and X-Request-Id") {
  Service service;
  auto client = service.client();
  for (const auto* path : {"/healthz", "/dashboard.json", "/nowhere", "/"}) {
    const auto answer = client.get(path);
    CHECK_MESSAGE(answer.header("date").size() == 29, path);
    CHECK_MESSAGE(!answer.header("cache-control").empty(), path);
    CHECK_MESSAGE(answer.header("x-request-id").size() == 32, path);
  }
}

TEST_CASE("a request id of the client is taken over where it is well formed") {
  Service service;
  auto client = service.client();
  CHECK(client.get("/healthz", "X-Request-Id: a.B-c_9\r\n").header("x-request-id") == "a.B-c_9");
  const auto longest = std::string(64, 'x');
  CHECK(client.get("/healthz", "X-Request-Id: " + longest + "\r\n").header("x-request-id") == longest);
  CHECK(client.get("/healthz", "X-Request-Id: " + longest + "x\r\n").header("x-request-id").size() == 32);
  CHECK(client.get("/healthz", "X-Request-Id: a b\r\n").header("x-request-id").size() == 32);
}

TEST_CASE("a bad escape in the path is 400, and connection and daemon live on") {
  Service service;
  auto client = service.client();
  for (const auto* path :
       {"/%zz", "/%", "/%a", "/profile/%ff/take", "/a%00b", "/profile/%c0%af/take", "/%1f"}) {
    check_problem(client.get(path), 400);
    CHECK(client.get("/healthz").status == 200);
  }
}

TEST_CASE("segments are decoded one by one: an encoded slash stays within its segment") {
  Service service;
  auto client = service.client();
  client.ask("POST", take_target("/profile/l%69nux/take"), with_token);
  CHECK(client.answer().status == 200);
  client.ask("POST", take_target("/profile/a%20b%2Fc/take"), with_token);
  CHECK(client.answer().status == 200);
  CHECK(service.script->last_take.profile == "a b/c");
  client.ask("POST", take_target("/profile%2Flinux/take"), with_token);
  check_problem(client.answer(), 404);
}

TEST_CASE("paths are compared with case, and a trailing slash is another path") {
  Service service;
  auto client = service.client();
  for (const auto* path : {"/Healthz", "/healthz/", "//healthz", "/profile//take", "/nowhere"})
    check_problem(client.get(path), 404);
}

TEST_CASE("a target in absolute form is its path") {
  Service service;
  CHECK(service.client().get("http://elsewhere:99/healthz").status == 200);
}

TEST_CASE("a wrong method is 405 and says what is allowed") {
  Service service;
  auto client = service.client();
  client.ask("POST", "/healthz", "Content-Length: 0\r\n");
  auto answer = client.answer();
  check_problem(answer, 405);
  CHECK(answer.header("allow") == "GET, HEAD");
  answer = client.get(take_target(), with_token);
  check_problem(answer, 405);
  CHECK(answer.header("allow") == "POST");
  client.ask("PUT", std::string("/reservation/") + id);
  CHECK(client.answer().header("allow") == "GET, HEAD, DELETE");
  client.ask("OPTIONS", "/dashboard.json");
  check_problem(client.answer(), 405);
}

TEST_CASE("HEAD has the length of GET and no body, and the connection stays usable") {
  Service service;
  auto client = service.client();
  for (const auto* path : {"/dashboard.json", "/", "/healthz", "/metrics", "/readyz"}) {
    const auto got = client.get(path);
    const auto head = client.ask("HEAD", path).answer(true);
    CHECK(head.status == got.status);
    CHECK(head.header("content-length").size() > 0);
    if (std::string(path) != "/metrics") // counts its own reading
      CHECK(head.header("content-length") == got.header("content-length"));
    CHECK(client.silent());
  }
  CHECK(client.ask("HEAD", "/nowhere").answer(true).status == 404);
  CHECK(client.get("/healthz").status == 200);
}

TEST_CASE("40 pipelined requests are all answered, in order") {
  Service service;
  auto client = service.client();
  std::string all;
  for (int i = 0; i < 40; ++i) {
    const auto number = "X-Request-Id: " + std::to_string(i) + "\r\n";
    // Some are answered at once, some by an actor, some refused before either.
    if (i % 3 == 0)
      all += "GET /healthz HTTP/1.1\r\nHost: x\r\n" + number + "\r\n";
    else if (i % 3 == 1)
      all += "POST " + take_target() + " HTTP/1.1\r\nHost: x\r\n" + with_token + number + "\r\n";
    else
      all += "GET /%zz HTTP/1.1\r\nHost: x\r\n" + number + "\r\n";
  }
  client.send(all);
  const int expected[] = {200, 200, 400};
  for (int i = 0; i < 40; ++i) {
    const auto answer = client.answer();
    CHECK(answer.status == expected[i % 3]);
    CHECK(answer.header("x-request-id") == std::to_string(i));
  }
}

TEST_CASE("a take is answered with the runner's id and the dashboard's object") {
  Service service;
  auto client = service.client();
  auto answer = client.ask("POST", take_target(), with_token).answer();
  CHECK(answer.status == 200);
  CHECK(answer.header("content-type") == "application/json");
  const auto one = json::parse(answer.body);
  CHECK(one["id"] == 7);
  const auto dashboard = json::parse(client.get("/dashboard.json").body);
  CHECK(one["runner"] == dashboard["runners"][0]["runner"]);

  answer = client.ask("POST", take_target("/profile/linux/take/2") + "&minimum=1", with_token).answer();
  const auto list = json::parse(answer.body);
  CHECK(list.size() == 2);
  CHECK(list[1]["id"] == 8);
  CHECK(service.script->last_take.minimum == 1);
  CHECK(service.script->last_take.run_id == 5'000'000'000);
  answer = client.ask("POST", take_target("/profile/linux/take/1"), with_token).answer();
  CHECK(json::parse(answer.body).is_array());
}

TEST_CASE("no runners is exactly null") {
  Service service;
  service.script->take = Script::Take::null;
  auto client = service.client();
  CHECK(client.ask("POST", take_target(), with_token).answer().body == "null");
  CHECK(client.ask("POST", take_target("/profile/linux/take/3"), with_token).answer().body == "null");
}

TEST_CASE("the token comes before the syntax, and that before the profile") {
  Service service;
  auto client = service.client();
  const std::string nonsense = "/profile/nowhere/take?unique_id=x";
  auto answer = client.ask("POST", nonsense).answer();
  check_problem(answer, 401);
  CHECK(answer.header("www-authenticate") == "Bearer");
  check_problem(client.ask("POST", nonsense, "Authorization: Basic YTpi\r\n").answer(), 401);
  check_problem(client.ask("POST", nonsense, "Authorization: Bearer wrong\r\n").answer(), 403);
  answer = client.ask("POST", nonsense, with_token).answer();
  check_problem(answer, 400);
  CHECK(json::parse(answer.body)["errors"].size() == 3);
  check_problem(client.ask("POST", take_target("/profile/nowhere/take"), with_token).answer(), 404);
  CHECK(
      client.ask("POST", take_target(), "Authorization: bearer  a-token-of-the-tests\r\n").answer().status ==
      200);
  CHECK(service.script->asked.count() == 1);
}

TEST_CASE("each wrong parameter is named once with a reason") {
  Service service;
  auto client = service.client();
  const auto answer =
      client
          .ask("POST",
               "/profile/linux/take/21?unique_id=%zz&qualified_repo=a--b/c&run_id=1&run_id=1&minimum=0",
               with_token)
          .answer();
  check_problem(answer, 400);
  std::map<std::string, std::string> reasons;
  const auto body = json::parse(answer.body);
  for (const auto& error : body["errors"])
    reasons[error["parameter"]] = error["reason"];
  CHECK(reasons.size() == 5);
  CHECK(reasons["unique_id"].find("percent") != std::string::npos);
  CHECK(reasons["run_id"].find("more than once") != std::string::npos);
  for (const auto* key : {"count", "minimum", "qualified_repo"})
    CHECK_MESSAGE(reasons.count(key), key);
}

TEST_CASE("parameters that no endpoint knows are ignored, broken ones too") {
  Service service;
  auto client = service.client();
  CHECK(client.ask("POST", take_target() + "&x=%zz&x=1&%=2&&y", with_token).answer().status == 200);
  CHECK(client.get("/healthz?%").status == 200);
}

TEST_CASE("refusals of the monitor have their statuses") {
  using ci::domain::Refusal;
  Service service;
  service.script->take = Script::Take::refuse;
  auto client = service.client();
  const std::pair<Refusal, int> all[] = {{Refusal::not_ready, 503},   {Refusal::busy, 503},
                                         {Refusal::github_away, 503}, {Refusal::store_away, 503},
                                         {Refusal::id_conflict, 409}, {Refusal::id_released, 409},
                                         {Refusal::id_spent, 410}};
  for (const auto& [refusal, status] : all) {
    service.script->refusal = refusal;
    const auto answer = client.ask("POST", take_target(), with_token).answer();
    check_problem(answer, status);
    CHECK((answer.header("retry-after") == "1") == (status == 503));
  }
}

TEST_CASE("a reservation is read off the snapshot and released by the monitor") {
  Service service;
  auto client = service.client();
  const auto path = "/reservation/" + std::string(id);
  check_problem(client.get(path), 401);
  auto body = json::parse(client.get("/reservation/0F0E0D0C-0b0a-4908-8706-050403020100", with_token).body);
  CHECK(body["state"] == "reserved");
  CHECK(body["runners"][0]["runner"]["id"] == 7);
  CHECK(body["runners"][1]["runner"].is_null());
  check_problem(client.get("/reservation/x", with_token), 400);
  check_problem(client.get("/reservation/1f0e0d0c-0b0a-4908-8706-050403020100", with_token), 404);
  body = json::parse(client.ask("DELETE", path, with_token).answer().body);
  CHECK(body["state"] == "released");
  CHECK(service.script->last_text == id);
}

TEST_CASE("before the first crank, cranking requests and the dashboard answer 503 with Retry-After 1") {
  Service service(test_options(), false);
  auto client = service.client();
  for (const auto* path : {"/", "/dashboard.html", "/dashboard.json", "/readyz"}) {
    const auto answer = client.get(path);
    check_problem(answer, 503);
    CHECK(answer.header("retry-after") == "1");
  }
  auto answer = client.ask("POST", take_target(), with_token).answer();
  check_problem(answer, 503);
  CHECK(answer.header("retry-after") == "1");
  check_problem(client.ask("POST", take_target("/profile/x/take"), with_token).answer(), 404);
  CHECK(client.get("/healthz").status == 200);
}

TEST_CASE("guests see their own paths alone, and others never those") {
  auto options = test_options();
  options.guest_network = ci::domain::parse_network("127.0.0.0/8");
  options.trusted_proxies = {*ci::domain::parse_network("::1")};
  options.listen_on.push_back(*ci::domain::parse_address("::1"));
  Service service(options);
  REQUIRE(service.listening.wait(2));
  auto guest = service.client();
  for (const auto* path : {"/", "/dashboard.json", "/metrics", "/readyz", "/nowhere", "/reservation/x"})
    check_problem(guest.get(path, with_token), 404);
  CHECK(guest.get("/healthz").status == 200);
  auto answer = guest.get("/boot", "X-Real-IP: 127.9.9.9\r\n");
  CHECK(answer.body == "#!/bin/sh\n\xc3\xa4");
  CHECK(answer.header("content-type") == "text/plain; charset=utf-8");
  CHECK(service.script->last_text == "127.0.0.1");
  answer = guest.get("/github-jitconfig");
  CHECK(answer.body == "\"eyJhIjoiYiJ9\"");
  CHECK(answer.header("content-type") == "application/json");
  service.script->refusal = ci::domain::Refusal::jit_gone;
  check_problem(guest.get("/github-jitconfig"), 410);
  service.script->refusal = ci::domain::Refusal::guest_unknown;
  answer = guest.get("/boot");
  check_problem(answer, 503);
  CHECK(answer.header("retry-after") == "1");

  std::uint16_t v6_port = 0;
  for (const auto& bound : service.server.bound())
    if (!bound.address.is_v4())
      v6_port = bound.port;
  RawClient proxy(v6_port, "::1");
  const auto asked = service.script->asked.count();
  check_problem(proxy.get("/boot", "X-Real-IP: 127.0.0.1\r\n"), 404);
  check_problem(proxy.get("/github-jitconfig"), 404);
  check_problem(proxy.ask("POST", "/boot").answer(), 404);
  CHECK(service.script->asked.count() == asked);
  CHECK(proxy.get("/dashboard.json").status == 200);
  check_problem(proxy.get("/metrics"), 401); // loopback, but a proxy
  CHECK(proxy.get("/metrics", with_token).status == 200);
}

TEST_CASE("an IPv6 address is listened on, by itself") {
  auto options = test_options();
  options.listen_on = {*ci::domain::parse_address("::1")};
  Service service(options);
  CHECK(RawClient(service.port(), "::1").get("/healthz").status == 200);
}

TEST_CASE("a URL of 8 KiB is read, a longer one is 414") {
  Service service;
  auto client = service.client();
  const std::string start = "/healthz?";
  CHECK(client.get(start + std::string(8192 - start.size(), 'x')).status == 200);
  check_problem(client.get(start + std::string(8193 - start.size(), 'x')), 414);
  check_problem(client.get(start + std::string(60'000, 'x')), 414);
  CHECK(client.get("/healthz").status == 200);
}

TEST_CASE("headers of 32 KiB are read, larger ones are 431") {
  Service service;
  auto client = service.client();
  const std::size_t rest = 32768 - std::string("Host: test\r\nA: \r\n").size();
  CHECK(client.get("/healthz", "A: " + std::string(rest, 'x') + "\r\n").status == 200);
  check_problem(client.get("/healthz", "A: " + std::string(rest + 1, 'x') + "\r\n"), 431);
  std::string many;
  for (int i = 0; i < 6000; ++i)
    many += "A: x\r\n";
  check_problem(client.get("/healthz", many), 431);
  CHECK(client.get("/healthz").status == 200);
}

TEST_CASE("a body of 1 MiB is read, a larger one is 413") {
  Service service;
  auto client = service.client();
  const auto post = [&](std::size_t size) {
    client.ask("POST", take_target(), with_token + ("Content-Length: " + std::to_string(size) + "\r\n"));
    return client.send(std::string(size, 'x')).answer();
  };
  CHECK(post(1 << 20).status == 200);
  check_problem(post((1 << 20) + 1), 413);
  check_problem(post(3 << 20), 413);
  CHECK(client.get("/healthz").status == 200);
}

TEST_CASE("what the parser refuses closes the connection, and no other") {
  Service service;
  auto other = service.client();
  CHECK(other.get("/healthz").status == 200);
  for (const auto& bytes : {std::string("\x16\x03\x01\x02\x00\x01\x00\x01", 8), std::string("GET\r\n\r\n"),
                            std::string("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                                        "Content-Length: 4\r\n\r\n0\r\n\r\n"),
                            "GET / HTTP/1.1\r\nA: " + std::string(100'000, 'x') + "\r\n\r\n",
                            std::string("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")}) {
    auto client = service.client();
    client.send(bytes);
    CHECK(client.closed());
  }
  CHECK(other.get("/healthz").status == 200);
}

TEST_CASE("no Host, or two, is 400") {
  Service service;
  auto client = service.client();
  check_problem(client.send("GET /healthz HTTP/1.1\r\n\r\n").answer(), 400);
  check_problem(client.get("/healthz", "host: other\r\n"), 400);
  CHECK(client.get("/healthz").status == 200);
}

TEST_CASE("an upgrade is not made, and answered like any request") {
  Service service;
  auto client = service.client();
  const auto answer = client.get("/healthz", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n");
  CHECK(answer.status == 200);
}

TEST_CASE("a lost promise is 503 when the time is up, and has a Retry-After") {
  auto options = test_options();
  options.waits.send = 50ms;
  options.waits.receive = 50ms;
  Service service(options);
  service.script->take = Script::Take::drop_promise;
  auto client = service.client();
  const auto answer = client.ask("POST", take_target(), with_token).answer();
  check_problem(answer, 503);
  CHECK(!answer.header("retry-after").empty());
  CHECK(client.get("/healthz").status == 200);
}

TEST_CASE("when the monitor dies, its requests are answered at once, and a new one serves again") {
  Service service;
  auto client = service.client();
  SUBCASE("with the request at hand") {
    service.script->take = Script::Take::die;
    check_problem(client.ask("POST", take_target(), with_token).answer(), 503);
  }
  SUBCASE("with a request it holds") {
    service.script->take = Script::Take::hold;
    client.ask("POST", take_target(), with_token);
    REQUIRE(service.script->asked.wait());
    service.kill_monitor();
    check_problem(client.answer(), 503);
  }
  check_problem(client.ask("POST", take_target(), with_token).answer(), 503);
  service.script->take = Script::Take::answer;
  service.new_monitor();
  CHECK(client.ask("POST", take_target(), with_token).answer().status == 200);
}

TEST_CASE("an error of the monitor is 503") {
  Service service;
  service.script->take = Script::Take::fail;
  check_problem(service.client().ask("POST", take_target(), with_token).answer(), 503);
}

TEST_CASE("when the gateway dies, its requests are answered, and so are those that come later") {
  Service service;
  service.script->take = Script::Take::hold;
  auto client = service.client();
  client.ask("POST", take_target(), with_token);
  REQUIRE(service.script->asked.wait());
  service.kill_gateway();
  check_problem(client.answer(), 503);
  check_problem(client.ask("POST", take_target(), with_token).answer(), 503);
}

TEST_CASE("a request that was not taken up in time is 503 and never has an effect") {
  auto options = test_options();
  options.waits.send = 50ms;
  Service service(options);
  service.script->take = Script::Take::hold_untaken;
  auto client = service.client();
  check_problem(client.ask("POST", take_target(), with_token).answer(), 503);
  service.crank();
  REQUIRE(service.script->not_taken_up.wait());
  CHECK(service.script->taken_up.count() == 0);
  CHECK(client.get("/healthz").status == 200);
}

TEST_CASE("a client that is gone before its answer harms nobody") {
  Service service;
  service.script->take = Script::Take::hold;
  for (int i = 0; i < 4; ++i) {
    auto client = service.client();
    client.ask("POST", take_target(), with_token);
    REQUIRE(service.script->asked.wait(i + 1));
    i % 2 ? client.reset() : client.close();
  }
  service.crank();
  REQUIRE(service.answered.wait(4));
  auto client = service.client();
  CHECK(client.get("/healthz").status == 200);
}

TEST_CASE("a slow client is served, and one that is too slow is closed") {
  auto options = test_options();
  options.waits.read = 300ms;
  Service service(options);
  auto client = service.client();
  for (const char c : std::string("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"))
    client.send({&c, 1});
  CHECK(client.answer().status == 200);
  client.send("GET /hea");
  CHECK(client.closed());
}

TEST_CASE("200 connections are served at once, and their count comes back to zero") {
  Service service;
  std::vector<RawClient> clients;
  for (int i = 0; i < 200; ++i)
    clients.push_back(service.client());
  for (auto& client : clients)
    client.ask("GET", "/healthz");
  for (auto& client : clients)
    CHECK(client.answer().status == 200);
  CHECK(service.server.open_connections() == 200);
  // Each of these ways to end is one that RESTinio reports differently, or not at all.
  for (std::size_t i = 0; i < clients.size(); ++i)
    i % 2 ? clients[i].reset() : clients[i].close();
  auto last = service.client();
  while (service.server.open_connections() > 1)
    CHECK(last.get("/healthz").status == 200);
}

TEST_CASE("past the connections of one source requests get 429, but not with the token") {
  auto options = test_options();
  options.limits.connections_per_source = 2;
  Service service(options);
  auto first = service.client(), second = service.client();
  CHECK(first.get("/healthz").status == 200);
  CHECK(second.get("/healthz").status == 200);
  {
    auto third = service.client();
    auto answer = third.get("/healthz", with_token);
    CHECK(answer.status == 200);
    answer = third.get("/healthz");
    check_problem(answer, 429);
    CHECK(answer.header("retry-after") == "1");
    CHECK(third.closed());
  }
  while (service.server.open_connections() > 2)
    std::this_thread::yield();
  CHECK(first.get("/healthz").status == 200);
}

TEST_CASE("connections far past the limit are closed, and others are served afterwards") {
  auto options = test_options();
  options.limits.connections_per_source = 1;
  Service service(options);
  {
    std::vector<RawClient> clients;
    for (int i = 0; i < 4; ++i) {
      clients.push_back(service.client());
      CHECK(clients.back().get("/healthz", with_token).status == 200);
    }
    CHECK(service.client().closed());
  }
  while (service.server.open_connections() > 0)
    std::this_thread::yield();
  CHECK(service.client().get("/healthz").status == 200);
}

TEST_CASE("an address in use is tried again until it is free, while the others serve") {
  const int blocker = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(0x7f000002); // 127.0.0.2
  REQUIRE(::bind(blocker, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
  REQUIRE(::listen(blocker, 1) == 0);
  socklen_t size = sizeof at;
  ::getsockname(blocker, reinterpret_cast<sockaddr*>(&at), &size);

  auto options = test_options();
  options.port = ntohs(at.sin_port);
  options.listen_on.push_back(*ci::domain::parse_address("127.0.0.2"));
  Service service(options);
  REQUIRE(service.not_listening.wait());
  REQUIRE(service.listening.wait(1));
  CHECK(RawClient(options.port).get("/healthz").status == 200);
  ::close(blocker);
  REQUIRE(service.listening.wait(2));
  CHECK(RawClient(options.port, "127.0.0.2").get("/healthz").status == 200);
  CHECK(service.not_listening.count() == 1); // told once a reason
}

TEST_CASE("a listener that ran out of file descriptors accepts again") {
  Service service;
  const auto port = service.port();
  auto other = service.client();
  CHECK(other.get("/healthz").status == 200);
  // A socket that exists already can connect without a new descriptor; the server cannot accept it. All
  // descriptors below the newest are taken, so a limit right above it leaves none.
  const int waiting = ::socket(AF_INET, SOCK_STREAM, 0);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{static_cast<rlim_t>(waiting) + 1, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int connected = ::connect(waiting, reinterpret_cast<sockaddr*>(&to), sizeof to);
  // The server answers these after it has seen, and failed to accept, the connection.
  const int first = other.get("/healthz").status, second = other.get("/healthz").status;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE(connected == 0);
  CHECK(first + second == 400);
  REQUIRE(service.listening.wait(2));
  CHECK(service.server.bound().at(0).port == port);
  ::close(waiting);
  CHECK(RawClient(port).get("/healthz").status == 200);
}

TEST_CASE("stopping answers the waiting requests with 503 and ends") {
  Service service;
  service.script->take = Script::Take::hold;
  auto waiting = service.client();
  auto idle = service.client();
  CHECK(idle.get("/healthz").status == 200);
  waiting.ask("POST", take_target(), with_token);
  REQUIRE(service.script->asked.wait());
  const auto port = service.port();
  service.server.stop(10ms);
  check_problem(waiting.answer(), 503);
  CHECK(idle.closed());
  CHECK_THROWS(RawClient(port).get("/healthz"));
}

TEST_CASE("stopping lets requests under way end, and refuses new ones") {
  Service service;
  service.script->take = Script::Take::hold;
  auto waiting = service.client();
  auto idle = service.client();
  CHECK(idle.get("/healthz").status == 200);
  waiting.ask("POST", take_target(), with_token);
  REQUIRE(service.script->asked.wait());
  service.server.stop_accepting();
  const auto answer = idle.get("/healthz");
  check_problem(answer, 503);
  CHECK(answer.header("connection") == "close");
  service.crank();
  service.server.stop(10s);
  CHECK(waiting.answer().status == 200);
}

TEST_CASE("cacheable reads are 304 until something changes") {
  Service service;
  auto client = service.client();
  for (const auto* path : {"/dashboard.json", "/dashboard.html", "/"}) {
    service.board->publish(make_snapshot(1));
    const auto first = client.get(path);
    CHECK(first.header("cache-control") == "no-cache");
    const auto condition = "If-None-Match: \"other\", W/" + first.header("etag") + "\r\n";
    const auto second = client.get(path, condition);
    CHECK(second.status == 304);
    CHECK(second.header("etag") == first.header("etag"));
    CHECK(second.body.empty());
    auto changed = std::make_shared<ci::domain::Snapshot>(*make_snapshot(2));
    changed->strangers = {"someone"};
    service.board->publish(changed);
    CHECK(client.get(path, condition).status == 200);
  }
}

TEST_CASE("a taken runner is never shown idle by a later read") {
  Service service;
  auto client = service.client();
  client.get("/dashboard.json");
  auto newer = std::make_shared<ci::domain::Snapshot>(*make_snapshot(2));
  newer->runners = {make_runner(7), make_runner(8)};
  service.board->publish(newer);
  CHECK(json::parse(client.get("/dashboard.json").body)["runners"].size() == 2);
}

TEST_CASE("metrics need the token or a direct loopback peer, and readyz says how the parties are") {
  Service service;
  auto client = service.client();
  const auto answer = client.get("/metrics");
  CHECK(answer.status == 200);
  CHECK(answer.header("content-type") == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(answer.body.find("ci_monitor_runners{profile=\"linux\",status=\"Idle\"} 0") != std::string::npos);
  const auto ready = json::parse(client.get("/readyz").body);
  CHECK(ready["ready"] == true);
  CHECK(ready["github"]["well"] == true);
}

TEST_CASE("what is told of a request names its route, never its path") {
  Service service;
  auto client = service.client();
  client.ask("POST", take_target(), with_token).answer();
  client.get("/some/secret/path");
  std::lock_guard lock(service.mutex);
  CHECK(service.served.at(0).route == "/profile/{profile_key}/take");
  CHECK(service.served.at(0).status == 200);
  CHECK(service.served.at(1).route == "none");
}
