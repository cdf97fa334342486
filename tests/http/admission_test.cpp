#include "http/admission.hpp"
#include "http/connections.hpp"

#include <doctest/doctest.h>

using namespace ci::http;
using ci::domain::parse_address;
using ci::domain::parse_network;

namespace {

Request from(const char* peer, Headers headers = {}) {
  Request request;
  request.peer = request.source = *parse_address(peer);
  request.headers = std::move(headers);
  return request;
}
Request identified(const Admission& admission, Request request) {
  admission.identify(request);
  return request;
}

const Admission admission({*parse_network("10.0.0.1"), *parse_network("192.168.100.9")},
                          parse_network("192.168.100.0/24"));

} // namespace

TEST_CASE("only a trusted proxy is believed about who asks") {
  const Headers named{{"X-Real-IP", "192.168.100.7"}};
  auto request = identified(admission, from("10.0.0.1", named));
  CHECK(request.by_proxy);
  CHECK(request.source == *parse_address("192.168.100.7"));
  request = identified(admission, from("10.0.0.2", named));
  CHECK(!request.by_proxy);
  CHECK(request.source == *parse_address("10.0.0.2"));
  request = identified(admission, from("::ffff:10.0.0.1", named));
  CHECK(request.by_proxy);
}

TEST_CASE("a proxy that names nobody, nonsense or two is taken for itself") {
  for (const auto& headers :
       {Headers{}, Headers{{"X-Real-IP", "me"}}, Headers{{"X-Real-IP", "1.1.1.1"}, {"x-real-ip", "2.2.2.2"}}})
    CHECK(identified(admission, from("10.0.0.1", headers)).source == *parse_address("10.0.0.1"));
}

TEST_CASE("a guest is a direct peer in the guest network") {
  CHECK(admission.is_guest(identified(admission, from("192.168.100.7"))));
  CHECK(admission.is_guest(identified(admission, from("::ffff:192.168.100.7", {{"X-Real-IP", "8.8.8.8"}}))));
  CHECK(!admission.is_guest(identified(admission, from("192.168.101.7"))));
  CHECK(!admission.is_guest(identified(admission, from("10.0.0.1", {{"X-Real-IP", "192.168.100.7"}}))));
  CHECK(!admission.is_guest(identified(admission, from("192.168.100.9")))); // a proxy, wherever it stands
  const Admission none({}, std::nullopt);
  CHECK(!none.is_guest(identified(none, from("192.168.100.7"))));
}

TEST_CASE("audiences part guests from others") {
  const auto guest = identified(admission, from("192.168.100.7")),
             other = identified(admission, from("8.8.8.8"));
  CHECK(admission.may_see(guest, Audience::guests));
  CHECK(!admission.may_see(guest, Audience::others));
  CHECK(admission.may_see(other, Audience::others));
  CHECK(!admission.may_see(other, Audience::guests));
  CHECK(admission.may_see(guest, Audience::everyone));
  CHECK(admission.may_see(other, Audience::everyone));
}

TEST_CASE("a token is right, wrong or not shown") {
  const ApiToken token("secret");
  const auto shown = [&](Headers headers) { return shown_token(from("8.8.8.8", std::move(headers)), token); };
  CHECK(shown({{"Authorization", "Bearer secret"}}) == Shown::right);
  CHECK(shown({{"authorization", "bEARER  secret"}}) == Shown::right);
  for (const auto* value : {"Bearer secre", "Bearer secrets", "Bearer secret ", "Bearer Secret", "Bearer x"})
    CHECK_MESSAGE(shown({{"Authorization", value}}) == Shown::wrong, value);
  for (const auto* value : {"", "Bearer", "Bearer ", "secret", "Basic secret", "Bearersecret"})
    CHECK_MESSAGE(shown({{"Authorization", value}}) == Shown::nothing, value);
  CHECK(shown({}) == Shown::nothing);
  CHECK(shown({{"Authorization", "Bearer secret"}, {"Authorization", "Bearer secret"}}) == Shown::nothing);
}

TEST_CASE("an empty token matches nothing, and a new one replaces the old") {
  ApiToken token("");
  CHECK(!token.matches(""));
  token.set("new");
  CHECK(token.matches("new"));
  CHECK(!token.matches(""));
}

TEST_CASE("connections are counted by source for as long as their tokens live") {
  const auto counts = std::make_shared<ConnectionCounts>(100, 2);
  const auto a = *parse_address("1.1.1.1"), b = *parse_address("2.2.2.2");
  std::vector<ConnectionCounts::Token> tokens{counts->admit(a, false), counts->admit(a, false)};
  CHECK(!counts->crowded(a));
  tokens.push_back(counts->admit(a, false));
  CHECK(counts->crowded(a));
  CHECK(!counts->crowded(b));
  CHECK(counts->open() == 3);
  tokens.clear();
  CHECK(counts->open() == 0);
  CHECK(!counts->crowded(a));
}

TEST_CASE("one source ends at a multiple of its limit, a proxy does not, all end at theirs") {
  const auto counts = std::make_shared<ConnectionCounts>(10, 1);
  const auto a = *parse_address("1.1.1.1");
  std::vector<ConnectionCounts::Token> tokens;
  for (int i = 0; i < ConnectionCounts::tolerance; ++i) {
    tokens.push_back(counts->admit(a, false));
    CHECK(tokens.back());
  }
  CHECK(!counts->admit(a, false));
  for (int i = 0; i < 6; ++i)
    tokens.push_back(counts->admit(a, true));
  CHECK(counts->open() == 10);
  CHECK(!counts->admit(*parse_address("2.2.2.2"), true));
  CHECK(counts->open() == 10);
}

TEST_CASE("an IPv6 source is its /64") {
  const auto counts = std::make_shared<ConnectionCounts>(10, 1);
  const auto one = counts->admit(*parse_address("2001:db8::1"), false);
  const auto two = counts->admit(*parse_address("2001:db8::2:1"), false);
  CHECK(counts->crowded(*parse_address("2001:db8::99")));
  CHECK(!counts->crowded(*parse_address("2001:db8:0:1::1")));
}

TEST_CASE("what requests hold is bounded for each source and for all") {
  const auto counts = std::make_shared<ConnectionCounts>(1000, 1000);
  const auto a = *parse_address("1.1.1.1"), b = *parse_address("2.2.2.2");
  std::vector<ConnectionCounts::Token> tokens{counts->admit(a, false), counts->admit(b, false)};
  CHECK(counts->hold(a, ConnectionCounts::most_bytes_of_source));
  CHECK(!counts->hold(a, 1));
  CHECK(counts->hold(b, 1));
  counts->release(a, 1);
  CHECK(counts->hold(a, 1));
  std::int64_t held = ConnectionCounts::most_bytes_of_source + 1;
  for (std::uint32_t i = 0; held < ConnectionCounts::most_bytes; ++i) {
    const auto more = std::min(ConnectionCounts::most_bytes_of_source, ConnectionCounts::most_bytes - held);
    const auto source = ci::domain::Address::v4(0x0a000000 + i);
    tokens.push_back(counts->admit(source, false));
    CHECK(counts->hold(source, more));
    held += more;
  }
  CHECK(!counts->hold(b, 1));
}
