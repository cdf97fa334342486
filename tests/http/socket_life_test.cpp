/// The server over real sockets: connections, listeners, lost requests, and its end.
#include "tests/http/service.hpp"

#include <doctest/doctest.h>

#include <sys/resource.h>

using namespace test;

TEST_CASE("an IPv6 address is listened on, by itself") {
  auto options = test_options();
  options.listen_on = {*ci::domain::parse_address("::1")};
  Service service(options);
  CHECK(RawClient(service.port(), "::1").get("/healthz").status == 200);
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

TEST_CASE("a handler that throws is 500 without its words, and one that forgets to answer is 503") {
  Event listening;
  ci::http::ServerHooks hooks;
  hooks.listening = [&](const auto&) { listening.happen(); };
  hooks.handle = [](const ci::http::Request& request, const ci::http::ResponderPtr&, bool) {
    if (request.target.path == "/throw")
      throw std::runtime_error("a path of the server");
  };
  ci::http::Server server(test_options(), std::move(hooks));
  server.start();
  REQUIRE(listening.wait());
  RawClient client(server.bound().at(0).port);
  const auto answer = client.get("/throw");
  check_problem(answer, 500);
  CHECK(answer.body.find("a path of the server") == std::string::npos);
  check_problem(client.get("/forget"), 503);
}
