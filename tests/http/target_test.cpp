#include "http/target.hpp"

#include <doctest/doctest.h>

using namespace ci::http;
using namespace std::string_literals;

TEST_CASE("escapes are undone, and a plus sign stays one") {
  CHECK(percent_decode("a%20b%2Fc%c3%A4") == "a b/c\u00e4");
  CHECK(percent_decode("a+b") == "a+b");
  CHECK(percent_decode("") == "");
}

TEST_CASE("what cannot be decoded is nothing") {
  for (const auto* text : {"%", "%4", "%zz", "%4z", "a%", "%%41", "%00", "%0a", "%7f", "%ff", "%c0%80",
                           "%ed%a0%80", "%f4%90%80%80", "%e2%82", "\x01", "\xff", "%-1", "% 1"})
    CHECK_MESSAGE(!percent_decode(text), text);
}

TEST_CASE("UTF-8 is told from what only looks like it") {
  for (const auto* text : {"", "a", "\u00e4", "\u20ac", "\U0001f600", "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf"})
    CHECK_MESSAGE(is_utf8(text), text);
  for (const auto* text : {"\x80", "\xc2", "\xc1\xbf", "\xe0\x80\x80", "\xed\xbf\xbf", "\xf0\x80\x80\x80",
                           "\xf5\x80\x80\x80", "a\xe2\x82"})
    CHECK_MESSAGE(!is_utf8(text), text);
}

TEST_CASE("a path is split before it is decoded") {
  const auto target = parse_target("/a%2Fb/c//d/");
  REQUIRE(target);
  CHECK(target->segments == std::vector{"a/b"s, "c"s, ""s, "d"s, ""s});
  CHECK(target->path == "/a%2Fb/c//d/");
  CHECK(parse_target("/")->segments == std::vector{""s});
}

TEST_CASE("a target in absolute form loses its authority") {
  CHECK(parse_target("http://host:80/a?b=1")->path == "/a");
  CHECK(parse_target("HTTPS://host")->segments == std::vector{""s});
  CHECK(parse_target("http://host?b=1")->query.size() == 1);
  CHECK(raw_path("http://host/a%zz?b") == "/a%zz");
}

TEST_CASE("what is no path is nothing") {
  for (const auto* text : {"", "*", "a", "?a=b", "/a#b", "/a?b#c", "/%zz", "ftp://host/a", "/a/%00"})
    CHECK_MESSAGE(!parse_target(text), text);
}

TEST_CASE("a query keeps order, repetitions and empty values") {
  const auto query = parse_target("/?a=1&b=&c&a=2=3&&d=%20%2B+&=x")->query;
  REQUIRE(query.size() == 6);
  CHECK(query[0].value == "1");
  CHECK(query[1].value.empty());
  CHECK(query[2].name == "c");
  CHECK(query[3].value == "2=3");
  CHECK(query[4].value == " ++");
  CHECK(query[5].name.empty());
}

TEST_CASE("a broken value is marked, a broken name left out") {
  const auto query = parse_target("/?a=%zz&%zz=1&b=%00&c=:/([,\"<")->query;
  REQUIRE(query.size() == 3);
  CHECK(!query[0].well_formed);
  CHECK(!query[1].well_formed);
  CHECK(query[2].well_formed);
  CHECK(query[2].value == ":/([,\"<");
}
