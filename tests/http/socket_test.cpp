/// The server over real sockets: what clients may write on the wire.
#include "http/connections.hpp"
#include "tests/http/held_memory.hpp"
#include "tests/http/service.hpp"

#include <doctest/doctest.h>

using namespace test;

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
    const std::string name = path;
    if (name != "/metrics" && name != "/readyz") // these change with time
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
  for (int i = 0; i < 2; ++i)
    CHECK(client.get("/healthz", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n").status == 200);
  check_problem(client.ask("CONNECT", "127.0.0.1:80").answer(), 400);
  CHECK(client.get("/healthz").status == 200);
}

TEST_CASE("one connection may send large bodies one after the other; many that are never finished are cut") {
  Service service;
  auto client = service.client();
  const std::string body(1 << 20, 'x');
  for (int i = 0; i < 40; ++i) // 40 MiB in all, never more than one of them held
    CHECK(client.ask("POST", "/healthz", "Content-Length: 1048576\r\n").send(body).answer().status == 405);
  std::vector<RawClient> unfinished;
  int cut = 0;
  for (int i = 0; i < 40; ++i) {
    unfinished.push_back(service.client());
    try {
      unfinished.back().ask("POST", "/healthz", "Content-Length: 3000000\r\n").send(body).send(body);
    } catch (const std::exception&) {
      ++cut; // closed while it was sending
    }
  }
  while (service.server.open_connections() > 30)
    CHECK(client.get("/healthz").status == 200);
  CHECK(cut <= 30);
  unfinished.clear();
  while (service.server.open_connections() > 1)
    CHECK(client.get("/healthz").status == 200);
  CHECK(client.ask("POST", "/healthz", "Content-Length: 1048576\r\n").send(body).answer().status == 405);
}

TEST_CASE("G12: what unfinished requests hold is counted as it is held, however small their fields and chunks") {
  auto options = test_options();
  options.waits.read = 60s;
  Service service(options);
  const std::string chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string begun, piece;
  int pieces = 0;
  SUBCASE("fields") { begun = "GET / HTTP/1.1\r\n", piece = "a:\n", pieces = 21'000; }
  SUBCASE("chunks") { begun = chunked, piece = "1\r\nx\r\n", pieces = 33'000; }
  SUBCASE("trailers") { begun = chunked + "0\r\n", piece = "a:\n", pieces = 21'000; }
  for (int i = 0; i < pieces; ++i)
    begun += piece;
  auto client = service.client();
  CHECK(client.get("/healthz").status == 200);
  constexpr int many = 40;
  std::vector<RawClient> unfinished;
  const auto before = held_bytes();
  for (int i = 0; i < many; ++i) {
    unfinished.push_back(service.client());
    try {
      unfinished.back().send(begun);
    } catch (const std::exception&) {
      // closed while it was sending
    }
  }
  // By then each was read or cut off.
  for (int i = 0; i < 200; ++i)
    CHECK(client.get("/healthz").status == 200);
  using ci::http::ConnectionCounts;
  CHECK(held_bytes() - before < ConnectionCounts::most_bytes_of_source + many * ConnectionCounts::free_bytes);
  CHECK(service.server.open_connections() > 1);
}
