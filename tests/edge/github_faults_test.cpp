#include "tests/edge/github_support.hpp"

#include <set>

using namespace github_test;
using namespace std::chrono_literals;

namespace {

/// Bits of a deflate stream, which has Huffman codes' highest bit first and everything's lowest byte first.
class BitWriter {
 public:
  void code(unsigned bits, int count) {
    while (count-- > 0)
      bit((bits >> count) & 1);
  }
  void bit(unsigned one) {
    if (filled_ == 0)
      bytes_.push_back('\0');
    bytes_.back() = static_cast<char>(static_cast<unsigned char>(bytes_.back()) | (one << filled_));
    filled_ = (filled_ + 1) % 8;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  int filled_ = 0;
};

/// Gzip of many times the letter `a`: a hundred and sixty times as large once unpacked.
std::string gzip_bomb(std::size_t unpacked) {
  BitWriter deflate;
  deflate.bit(1);                 // the last block
  deflate.bit(1), deflate.bit(0); // fixed codes
  deflate.code(0x30 + 'a', 8);
  for (std::size_t done = 1; done < unpacked; done += 258) {
    deflate.code(0xc5, 8); // 258 bytes
    deflate.code(0, 5);    // from one byte back
  }
  deflate.code(0, 7);
  return std::string{"\x1f\x8b\x08\0\0\0\0\0\0\x03", 10} + deflate.bytes() + std::string(8, '\0');
}

std::string chunk(const std::string& data) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", data.size());
  return size + data + "\r\n";
}

GithubError get_error(std::vector<Answer> answers, std::function<void(GithubOptions&)> change = {}) {
  Server server(std::move(answers));
  auto changed = options(server);
  if (change)
    change(changed);
  GithubClient client(changed);
  const auto reply = get(client, 7);
  CHECK(!reply.value);
  CHECK(reply.error.message.find(token) == std::string::npos);
  return reply.error;
}

void impatient(GithubOptions& o) { o.http.exchange_timeout = 200ms; }
void small(GithubOptions& o) { o.http.max_body_bytes = 100'000; }

} // namespace

TEST_CASE("a body that ends early is no answer") {
  auto cut = answer(200, runner_json(7, "a"));
  cut.bytes.resize(cut.bytes.size() - 5);
  cut.then = Answer::Then::close;
  const auto error = get_error({cut});
  CHECK(error.kind == Kind::unreachable);
  CHECK(error.may_have_acted());
}

TEST_CASE("a chunked body that ends early is no answer") {
  const auto head =
      std::string{"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"};
  CHECK(get_error({{head + chunk(runner_json(7, "a")), Answer::Then::close}}).kind == Kind::unreachable);
}

TEST_CASE("an answer that drips in is given up in time") {
  auto slow = answer(200, runner_json(7, "a"));
  slow.drip = 20ms;
  const auto begin = std::chrono::steady_clock::now();
  CHECK(get_error({slow}, impatient).kind == Kind::unreachable);
  CHECK(std::chrono::steady_clock::now() - begin < 2s);
}

TEST_CASE("G10: silence is given up in time") {
  CHECK(get_error({scripted::silence()}, impatient).kind == Kind::unreachable);
}

TEST_CASE("a call is over by its own time, however many exchanges it takes") {
  Server server([](const Request& request) {
    return request.method == "GET" ? scripted::silence() : answer(404, "{}");
  });
  auto short_call = options(server);
  short_call.call_timeout = 300ms;
  GithubClient client(short_call);
  const auto begin = std::chrono::steady_clock::now();
  CHECK(unlabel(client, 7, {"x"}).error.kind == Kind::unreachable);
  CHECK(std::chrono::steady_clock::now() - begin < 2s);
}

TEST_CASE("a reset connection is unreachable") {
  CHECK(get_error({{"", Answer::Then::reset}}).kind == Kind::unreachable);
  CHECK(get_error({{"HTTP/1.1 200 OK\r\nContent-Le", Answer::Then::reset}}).kind == Kind::unreachable);
}

TEST_CASE("whether anything was sent is told, for what was not sent can't have acted") {
  CHECK(get_error({{"", Answer::Then::reset}}).may_have_acted());
  CHECK(get_error({scripted::silence()}, [](auto& o) { o.http.exchange_timeout = 100ms; }).may_have_acted());
  GithubOptions nobody;
  {
    Server gone(std::vector<Answer>{});
    nobody = options(gone);
  }
  SUBCASE("nobody listens") {}
  SUBCASE("no such host") { nobody.api_url = "http://nobody.invalid"; }
  SUBCASE("no connection in time") { nobody.http.connect_timeout = 0ms; }
  GithubClient client(nobody);
  const auto error = get(client, 7).error;
  CHECK(error.kind == Kind::unreachable);
  CHECK_FALSE(error.may_have_acted());
}

TEST_CASE("nobody at the address is unreachable, and no address at all too") {
  std::string url;
  {
    Server gone(std::vector<Answer>{});
    url = gone.url();
  }
  for (const auto& address :
       {url, std::string{"https://"}, std::string{"file:///etc/passwd"}, std::string{}}) {
    GithubOptions nowhere;
    nowhere.api_url = address;
    nowhere.scope = "/orgs/o";
    GithubClient client(nowhere);
    const auto reply = get(client, 7);
    CHECK_MESSAGE(!reply.value, address);
    CHECK_MESSAGE(reply.error.general(), address);
  }
}

TEST_CASE("G6: a body is cut off at its limit, however it comes") {
  SUBCASE("announced") {
    CHECK(get_error({answer(200, std::string(200'000, 'a'))}, small).kind == Kind::malformed);
  }
  SUBCASE("chunked, without end") {
    std::string bomb =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 64; ++i)
      bomb += chunk(std::string(65'536, ' '));
    CHECK(get_error({{bomb, Answer::Then::hold}}, small).kind == Kind::malformed);
  }
  SUBCASE("packed") {
    const auto bomb = gzip_bomb(32 << 20);
    CHECK(bomb.size() < 300'000);
    CHECK(get_error({answer(200, bomb, "Content-Encoding: gzip\r\n")}).kind == Kind::malformed);
  }
  SUBCASE("of an error") {
    CHECK(get_error({answer(404, std::string(200'000, 'a'))}, small).kind == Kind::malformed);
  }
}

TEST_CASE("headers are cut off at their limit") {
  std::string lines;
  for (int i = 0; i < 100; ++i)
    lines += "X-" + std::to_string(i) + ": " + std::string(1'000, 'x') + "\r\n";
  CHECK(get_error({answer(200, runner_json(7, "a"), lines)}).kind == Kind::malformed);
}

TEST_CASE("what is not HTTP is malformed or unreachable, and never an answer") {
  for (const auto* bytes : {"SSH-2.0-OpenSSH_9.2\r\n", "HTTP/9.9 200 OK\r\n\r\n{}", "\r\n\r\n", "garbage"}) {
    const auto error = get_error({{bytes, Answer::Then::close}}, impatient);
    CHECK_MESSAGE((error.kind == Kind::malformed || error.kind == Kind::unreachable), bytes);
  }
}

TEST_CASE("a connection that the server closed meanwhile is replaced") {
  auto last = answer(200, runner_json(7, "a"));
  last.then = Answer::Then::close;
  Server server([&](const Request&) { return last; });
  GithubClient client(options(server));
  for (int i = 0; i < 3; ++i)
    CHECK(get(client, 7));
  CHECK(server.connections() == 3);
}

TEST_CASE("no more is in flight than allowed, and all is answered") {
  constexpr std::size_t allowed = 3, calls = 12;
  std::promise<void> gate;
  auto opened = gate.get_future().share();
  Server server([&](const Request&) {
    opened.wait();
    return answer(200, runner_json(7, "a"));
  });
  auto bounded = options(server);
  bounded.http.max_in_flight = allowed;
  GithubClient client(bounded);
  std::atomic<int> good{0};
  std::promise<void> all;
  for (std::size_t i = 0; i < calls; ++i)
    client.get(7, [&](auto reply) {
      if (reply && ++good == calls)
        all.set_value();
    });
  CHECK(server.wait_for_requests(allowed, 5s));
  CHECK(!server.wait_for_requests(allowed + 1, 50ms));
  gate.set_value();
  CHECK(all.get_future().wait_for(5s) == std::future_status::ready);
  CHECK(server.connections() <= static_cast<int>(allowed));
}

TEST_CASE("deletes and labels go before what was asked for earlier and can wait") {
  std::promise<void> gate;
  auto opened = gate.get_future().share();
  Server server([&](const Request& request) {
    opened.wait();
    return request.method == "DELETE" ? scripted::no_content() : answer(200, page_json(0, {}));
  });
  auto single = options(server);
  single.http.max_in_flight = 1;
  GithubClient client(single);
  std::promise<void> all;
  std::atomic<int> left{4};
  const auto count = [&](const auto&) {
    if (--left == 0)
      all.set_value();
  };
  client.get(1, count);
  CHECK(server.wait_for_requests(1, 5s));
  client.list(count);
  client.find("x", count);
  client.remove(7, count);
  gate.set_value();
  CHECK(all.get_future().wait_for(5s) == std::future_status::ready);
  const auto requests = server.requests();
  REQUIRE(requests.size() == 4);
  CHECK(requests[1].method == "DELETE");
  CHECK(requests[2].target.find("name=x") != std::string::npos);
}

TEST_CASE("who waits too long for a turn is told so, and nothing is sent any more") {
  Server server([](const Request&) { return scripted::silence(); });
  auto single = options(server);
  single.http.max_in_flight = 1;
  single.call_timeout = 200ms;
  GithubClient client(single);
  client.get(1, [](const auto&) {});
  CHECK(server.wait_for_requests(1, 5s));
  CHECK(remove(client, 7).error.kind == Kind::unreachable);
  CHECK(server.requests().at(0).method == "GET");
}

TEST_CASE("a queue that is full turns calls away at once") {
  Server server([](const Request&) { return scripted::silence(); });
  auto narrow = options(server);
  narrow.http.max_in_flight = 1;
  narrow.http.max_queued = 1;
  GithubClient client(narrow);
  client.get(1, [](const auto&) {});
  CHECK(server.wait_for_requests(1, 5s));
  client.get(2, [](const auto&) {});
  const auto error = get(client, 3).error;
  CHECK(error.message == "too many requests wait for GitHub");
  CHECK_FALSE(error.may_have_acted());
}

TEST_CASE("stopping answers what is in flight, what waits, and what their callbacks ask for") {
  Server server([](const Request&) { return scripted::silence(); });
  auto single = options(server);
  single.http.max_in_flight = 1;
  std::vector<std::string> told; // by the client's thread alone, read after it was joined
  const auto begin = std::chrono::steady_clock::now();
  {
    GithubClient client(single);
    const auto tell = [&](const auto& reply) {
      told.push_back(std::string{to_string(reply.error.kind)} + " " + reply.error.message +
                     (reply.error.may_have_acted() ? "" : ", unsent"));
    };
    client.get(1, [&, tell](const auto& reply) {
      tell(reply);
      client.remove(3, tell);
    });
    client.list(tell);
    CHECK(server.wait_for_requests(1, 5s));
  }
  const std::string unsent = "unreachable stopping, unsent";
  CHECK(told == std::vector<std::string>{"unreachable stopping", unsent, unsent});
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
}

TEST_CASE("a callback that throws takes nothing else with it") {
  Server server([](const Request&) { return answer(200, runner_json(7, "a")); });
  GithubClient client(options(server));
  client.get(7, [](const auto&) { throw std::runtime_error("mine"); });
  CHECK(get(client, 7));
}

namespace {

/// What a TLS client says first. The connection is closed then.
std::string client_hello(const std::function<void(const std::string& url)>& call) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(listener, 1) == 0);
  REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  auto hello = std::async(std::launch::async, [listener] {
    const int fd = ::accept(listener, nullptr, nullptr);
    std::string record(5, '\0'); // its header ends with the size of what follows
    if (::recv(fd, record.data(), record.size(), MSG_WAITALL) == 5) {
      const auto high = static_cast<unsigned char>(record[3]), low = static_cast<unsigned char>(record[4]);
      record.resize(5U + (high << 8U) + low);
      ::recv(fd, record.data() + 5, record.size() - 5, MSG_WAITALL);
    }
    ::close(fd);
    return record;
  });
  call("https://127.0.0.1:" + std::to_string(ntohs(address.sin_port)));
  ::shutdown(listener, SHUT_RDWR);
  auto result = hello.get();
  ::close(listener);
  return result;
}

} // namespace

TEST_CASE("over TLS, HTTP/1.1 alone is offered: no calls share a connection that may go mute") {
  const auto hello = client_hello([](const std::string& url) {
    GithubOptions o;
    o.api_url = url;
    o.scope = "/repos/o/r";
    o.token = token;
    o.http.exchange_timeout = 5s;
    GithubClient client(o);
    CHECK(get(client, 7).error.kind == Kind::unreachable);
  });
  // The extension ALPN (16), its size, that of its list, and each name after its own.
  CHECK(hello.find(std::string("\0\x10\0\x0b\0\x09\x08http/1.1", 15)) != std::string::npos);
}
