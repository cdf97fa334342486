#include "actors/edge/github_url.hpp"

#include <doctest/doctest.h>

using namespace ci::edge;

TEST_CASE("names are encoded into one segment of a path") {
  CHECK(percent_encode("Az09-._~") == "Az09-._~");
  CHECK(percent_encode("reserved-by:servo/servo/1") == "reserved-by%3Aservo%2Fservo%2F1");
  CHECK(percent_encode("a b?c#d%e&f+g\\") == "a%20b%3Fc%23d%25e%26f%2Bg%5C");
  CHECK(percent_encode("\xc3\xa9\n") == "%C3%A9%0A");
  CHECK(percent_encode(std::string{"\0x", 2}) == "%00x");
}

TEST_CASE("an origin is scheme, host and port, and nothing with a password is one") {
  CHECK(origin_of("https://API.GitHub.com/a") == "https://api.github.com:443");
  CHECK(origin_of("http://127.0.0.1:8090") == "http://127.0.0.1:8090");
  CHECK(origin_of("https://api.github.com:443/") == origin_of("https://api.github.com"));
  for (const auto* bad : {"https://user@api.github.com/", "https://user:pw@api.github.com/",
                          "ftp://api.github.com/", "file:///etc/passwd", "/repositories/1", "", "http://"})
    CHECK_MESSAGE(!origin_of(bad), bad);
}

TEST_CASE("an archive comes from another host, or from the very origin of GitHub Enterprise Server's API") {
  const std::string github = "https://api.github.com", own = "https://github.example.org/api/v3";
  for (const auto& api : {github, own}) {
    CHECK(may_deliver(api, "https://blobs.example.net/a.zip?sig=1"));
    for (const auto* bad : {"http://blobs.example.net/a.zip", "https://user@blobs.example.net/", "file:///a.zip", "/a.zip", ""})
      CHECK_MESSAGE(!may_deliver(api, bad), bad);
  }
  CHECK(may_deliver(own, "https://github.example.org/storage/a.zip?sig=1"));
  CHECK(may_deliver(own, "https://GitHub.example.org:443/storage/a.zip"));
  for (const auto* bad : {"http://github.example.org/a.zip", "https://github.example.org:8443/a.zip", "http://github.example.org:443/a.zip"})
    CHECK_MESSAGE(!may_deliver(own, bad), bad);
  for (const auto* bad : {"https://api.github.com/a.zip", "https://API.github.com:443/a.zip", "https://api.github.com./a.zip"})
    CHECK_MESSAGE(!may_deliver(github, bad), bad);
  CHECK(!may_deliver("https://api.github.com./", "https://api.github.com./a.zip"));
  CHECK(may_deliver("http://github.example.org/api/v3", "http://github.example.org/a.zip"));
  CHECK(!may_deliver("http://github.example.org/api/v3", "http://github.example.org:8080/a.zip"));
}

TEST_CASE("a reference that stays on the origin is kept to the letter") {
  const std::string base = "https://api.github.com/repos/o/r/actions/runners?per_page=100";
  const std::string alias = "https://api.github.com/repositories/1300192/actions/runners?per_page=100&page=2";
  CHECK(same_origin(base, alias) == alias);
  CHECK(same_origin(base, "/repositories/1/x?page=2") == "https://api.github.com/repositories/1/x?page=2");
}

TEST_CASE("a reference to another origin is refused, however it is dressed up") {
  const std::string base = "https://api.github.com/repos/o/r";
  for (const auto* bad : {"https://evil.example/x", "http://api.github.com/x", "https://api.github.com:444/x",
                          "https://api.github.com.evil.example/x", "https://api.github.com@evil.example/x",
                          "https://x:y@api.github.com/x", "//evil.example/x", "file:///etc/passwd",
                          "javascript://api.github.com/x", "https://evil.example\\@api.github.com/x",
                          "https:///evil.example", "ht tp://evil.example/"}) {
    const auto target = same_origin(base, bad);
    CHECK_MESSAGE((!target || origin_of(*target) == origin_of(base)), bad);
  }
  CHECK(!same_origin(base, "https://evil.example/x"));
  CHECK(!same_origin(base, "//evil.example/x"));
  CHECK(!same_origin(base, "http://api.github.com/x"));
}

TEST_CASE("the next page is found in a Link header, wherever it stands") {
  CHECK(next_link(R"(<https://a/?page=2>; rel="next", <https://a/?page=9>; rel="last")") ==
        "https://a/?page=2");
  CHECK(next_link(R"(<https://a/?page=1>; rel="prev", <https://a/?page=3>; rel="next")") ==
        "https://a/?page=3");
  CHECK(next_link(R"(<https://a/?x=1,2;3>; title="a"; REL=next)") == "https://a/?x=1,2;3");
  CHECK(next_link(R"(<https://a/>; rel="last next")") == "https://a/");
}

TEST_CASE("no next page is found where there is none") {
  for (const auto* header : {"", R"(<https://a/>; rel="last")", R"(<https://a/>; rel="nextish")",
                             R"(https://a/; rel="next")", R"(<https://a/; rel="next")",
                             R"(<https://a/>; title="next")", "<https://a/>", "rel=next", "<>>>;;;,,,=="})
    CHECK_MESSAGE(!next_link(header), header);
}
