/// Who may ask what: every kind of asker against every kind of endpoint, without a socket in between.
#include "http/api.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace ci;
using namespace ci::http;
using domain::parse_address;
using domain::parse_network;

namespace {

constexpr auto secret = "the-token-of-this-test";

Options two_proxies() {
  Options options;
  options.api_token = secret;
  options.external_base_url = "http://ci.example/";
  options.trusted_proxies = {*parse_network("10.0.0.1"), *parse_network("127.0.0.9")};
  options.guest_network = parse_network("192.168.100.0/24");
  options.limits.pictures_now_per_minute = 2;
  return options;
}

Surroundings quiet_surroundings(const domain::Steady* now) {
  Surroundings around;
  around.board = std::make_shared<Board>();
  around.registry = std::make_shared<prometheus::Registry>();
  around.steady_now = [now] { return *now; };
  return around;
}

struct Door {
  domain::Steady now{std::chrono::hours(1)};
  Api api;

  explicit Door(Options options = two_proxies()) : api(std::move(options), quiet_surroundings(&now)) {}

  /// The answer's status; handlers that get past the door answer 400 or 503 here, since nothing is behind it.
  Response ask(const std::string& method, const std::string& target, const char* peer, Headers headers = {},
               bool crowded = false) {
    Request request;
    request.method = method;
    request.target = *parse_target(target);
    request.peer = request.source = *parse_address(peer);
    request.headers = std::move(headers);
    Response got;
    {
      const auto responder = std::make_shared<Responder>(
          "id", target, [&](const Responder&, Response response) { got = std::move(response); });
      api.handle(std::move(request), responder, crowded);
    }
    return got;
  }
  int status(const std::string& method, const std::string& target, const char* peer, Headers headers = {}) {
    return ask(method, target, peer, std::move(headers)).status;
  }
};

const Headers nothing{}, right{{"Authorization", std::string("Bearer ") + secret}},
    wrong{{"Authorization", "Bearer nonsense"}};

Headers with(Headers headers, const char* real_ip) {
  headers.emplace_back("X-Real-IP", real_ip);
  return headers;
}

struct Endpoint {
  const char *method, *path;
};
const Endpoint of_guests[] = {{"GET", "/boot"}, {"GET", "/github-jitconfig"}};
const Endpoint with_token[] = {
    {"POST", "/profile/linux/take"},
    {"POST", "/profile/linux/take/2"},
    {"GET", "/reservation/0f0e0d0c-0b0a-4908-8706-050403020100"},
    {"DELETE", "/reservation/0f0e0d0c-0b0a-4908-8706-050403020100"},
};
const Endpoint open_to_all_but_guests[] = {
    {"GET", "/"}, {"GET", "/dashboard.html"}, {"GET", "/dashboard.json"}, {"GET", "/readyz"}};
const Endpoint token_or_loopback[] = {{"GET", "/metrics"}, {"GET", "/history.json"}, {"GET", "/usage.json"}};

struct Asker {
  const char* peer;
  Headers headers; ///< what it says of itself
};
/// Who is no guest.
const Asker others[] = {
    {"8.8.8.8", {}},
    {"8.8.8.8", {{"X-Real-IP", "192.168.100.7"}}}, // no proxy: not believed
    {"192.168.101.7", {}},                         // beside the guest network
    {"2001:db8::1", {}},
    {"127.0.0.1", {{"X-Real-IP", "192.168.100.7"}}},
    {"10.0.0.1", {}}, // a proxy that names nobody
    {"10.0.0.1", {{"X-Real-IP", "8.8.8.8"}}},
    {"10.0.0.1", {{"X-Real-IP", "192.168.100.7"}}}, // a guest's address, but through a proxy
    {"::ffff:10.0.0.1", {{"X-Real-IP", "192.168.100.7"}}},
};
/// Who is one, whatever it says of itself.
const Asker guests[] = {
    {"192.168.100.7", {}},
    {"::ffff:192.168.100.7", {}},
    {"192.168.100.7", {{"X-Real-IP", "127.0.0.1"}}},
    {"192.168.100.7", {{"X-Forwarded-For", "127.0.0.1"}, {"Forwarded", "for=127.0.0.1"}}},
};

bool let_in(int status) { return status != 401 && status != 403 && status != 404 && status != 0; }

Headers both(Headers a, const Headers& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

} // namespace

TEST_CASE("a guest may ask for its own paths and its health check, and for nothing else, token or not") {
  Door door;
  for (const auto& who : guests) {
    for (const auto& at : of_guests)
      CHECK_MESSAGE(let_in(door.status(at.method, at.path, who.peer, who.headers)), who.peer, at.path);
    CHECK(door.status("GET", "/healthz", who.peer, who.headers) == 200);
    for (const auto& token : {nothing, wrong, right}) {
      for (const auto& at : with_token)
        CHECK_MESSAGE(door.status(at.method, at.path, who.peer, both(who.headers, token)) == 404, who.peer,
                      at.path);
      for (const auto& at : open_to_all_but_guests)
        CHECK_MESSAGE(door.status(at.method, at.path, who.peer, both(who.headers, token)) == 404, who.peer,
                      at.path);
      for (const auto& at : token_or_loopback)
        CHECK_MESSAGE(door.status(at.method, at.path, who.peer, both(who.headers, token)) == 404, who.peer,
                      at.path);
      CHECK(door.status("GET", "/nowhere", who.peer, both(who.headers, token)) == 404);
    }
    // Not even which methods a path knows.
    CHECK(door.status("PUT", "/dashboard.json", who.peer, who.headers) == 404);
  }
}

TEST_CASE("the guests' paths are 404 for everyone else, whatever they show") {
  Door door;
  for (const auto& who : others)
    for (const auto& token : {nothing, wrong, right})
      for (const auto& at : of_guests)
        CHECK_MESSAGE(door.status(at.method, at.path, who.peer, both(who.headers, token)) == 404, who.peer,
                      at.path);
}

TEST_CASE("endpoints with a token: 401 without, 403 with a wrong one, open with the right one") {
  Door door;
  for (const auto& who : others)
    for (const auto& at : with_token) {
      const auto refused = door.ask(at.method, at.path, who.peer, who.headers);
      CHECK_MESSAGE(refused.status == 401, who.peer, at.path);
      CHECK(values_of(refused.headers, "WWW-Authenticate").size() == 1);
      CHECK_MESSAGE(door.status(at.method, at.path, who.peer, both(who.headers, wrong)) == 403, who.peer,
                    at.path);
      CHECK_MESSAGE(let_in(door.status(at.method, at.path, who.peer, both(who.headers, right))), who.peer,
                    at.path);
    }
}

TEST_CASE("what is open is open to all but guests, with a wrong token, too") {
  Door door;
  for (const auto& who : others)
    for (const auto& token : {nothing, wrong, right})
      for (const auto& at : open_to_all_but_guests)
        CHECK_MESSAGE(let_in(door.status(at.method, at.path, who.peer, both(who.headers, token))), who.peer,
                      at.path);
}

TEST_CASE("operators' figures take the token, or a direct peer on loopback that is no proxy") {
  Door door;
  for (const auto& at : token_or_loopback) {
    for (const auto* peer : {"127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"}) {
      CHECK(let_in(door.status(at.method, at.path, peer)));
      CHECK(let_in(door.status(at.method, at.path, peer, with(nothing, "8.8.8.8")))); // no proxy: not believed
    }
    for (const auto* peer : {"8.8.8.8", "2001:db8::1", "10.0.0.1", "127.0.0.9"}) {
      CHECK(door.status(at.method, at.path, peer) == 401);
      CHECK(door.status(at.method, at.path, peer, with(nothing, "127.0.0.1")) == 401);
      CHECK(door.status(at.method, at.path, peer, wrong) == 403);
      CHECK(let_in(door.status(at.method, at.path, peer, right)));
    }
  }
}

TEST_CASE("pictures are public, or take the token, and a reload says which") {
  Door door;
  const Endpoint pictures[] = {{"GET", "/runner/7/screenshot"},
                               {"GET", "/runner/7/screenshot.png"},
                               {"GET", "/runner/7/screenshot/now"},
                               {"GET", "/profile/linux/screenshot.png"}};
  auto options = two_proxies();
  options.limits.pictures_now_per_minute = 1000;
  for (const bool open : {true, false, true}) {
    options.public_pictures = open;
    door.api.adjust(options);
    for (const auto& who : others)
      for (const auto& at : pictures) {
        CHECK_MESSAGE(door.status(at.method, at.path, who.peer, who.headers) == (open ? 503 : 401), who.peer,
                      at.path);
        CHECK(door.status(at.method, at.path, who.peer, both(who.headers, wrong)) == (open ? 503 : 403));
        CHECK(door.status(at.method, at.path, who.peer, both(who.headers, right)) == 503);
      }
    for (const auto& who : guests)
      for (const auto& at : pictures)
        CHECK(door.status(at.method, at.path, who.peer, both(who.headers, right)) == 404);
  }
}

TEST_CASE("pictures taken now are rationed by source, but not for who shows the token") {
  Door door;
  const auto ask = [&](const char* peer, Headers headers = {}) {
    return door.ask("GET", "/runner/7/screenshot/now", peer, std::move(headers));
  };
  CHECK(ask("8.8.8.8").status == 503);
  CHECK(ask("8.8.8.8", wrong).status == 503);
  const auto refused = ask("8.8.8.8");
  CHECK(refused.status == 429);
  CHECK(values_of(refused.headers, "Retry-After") == std::vector<std::string_view>{"60"});
  CHECK(ask("8.8.8.8", wrong).status == 429);
  CHECK(ask("8.8.8.8", right).status == 503);
  CHECK(door.status("GET", "/runner/7/screenshot.png", "8.8.8.8") == 503); // the last one is not rationed
  // A source behind a proxy counts by itself, and a direct peer cannot choose another one.
  CHECK(ask("10.0.0.1", with(nothing, "8.8.8.8")).status == 429);
  CHECK(ask("10.0.0.1", with(nothing, "8.8.4.4")).status == 503);
  CHECK(ask("8.8.8.8", with(nothing, "8.8.4.4")).status == 429);
  CHECK(ask("2001:db8::1").status == 503);
  CHECK(ask("2001:db8::2").status == 503);
  CHECK(ask("2001:db8::3").status == 429);
  door.now += std::chrono::seconds(60);
  CHECK(ask("8.8.8.8").status == 503);
  auto options = two_proxies();
  options.limits.pictures_now_per_minute = 0;
  door.api.adjust(options);
  CHECK(ask("1.1.1.1").status == 429);
}

TEST_CASE("a crowded source is told so, but not one that shows the token or comes through a proxy") {
  Door door;
  const auto refused = door.ask("GET", "/healthz", "8.8.8.8", {}, true);
  CHECK(refused.status == 429);
  CHECK(refused.close);
  CHECK(values_of(refused.headers, "Retry-After").size() == 1);
  CHECK(door.ask("GET", "/healthz", "8.8.8.8", wrong, true).status == 429);
  CHECK(door.ask("GET", "/healthz", "8.8.8.8", right, true).status == 200);
  CHECK(door.ask("GET", "/healthz", "10.0.0.1", {}, true).status == 200);
}
