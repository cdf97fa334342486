#include "http/intake.hpp"

#include <doctest/doctest.h>

using namespace ci::http;

namespace {

RawRequest raw(std::string target = "/", Headers headers = {{"Host", "x"}}) {
  return {"GET", std::move(target), std::move(headers), "", *ci::domain::parse_address("127.0.0.1")};
}
int refusal_of(RawRequest request, Limits limits = {}) {
  const auto intake = take_in(std::move(request), limits);
  return intake.refusal ? intake.refusal->status : 0;
}

} // namespace

TEST_CASE("each limit holds at the limit, and one more is refused") {
  Limits limits;
  limits.url_bytes = 10;
  limits.header_bytes = 20;
  limits.body_bytes = 5;
  CHECK(refusal_of(raw("/123456789"), limits) == 0);
  CHECK(refusal_of(raw("/1234567890"), limits) == 414);
  // Host: x and its separators are 9 bytes.
  CHECK(refusal_of(raw("/", {{"Host", "x"}, {"abcd", "efg"}}), limits) == 0);
  CHECK(refusal_of(raw("/", {{"Host", "x"}, {"abcd", "efgh"}}), limits) == 431);
  auto request = raw();
  request.body = "12345";
  CHECK(refusal_of(request, limits) == 0);
  request.body += "6";
  CHECK(refusal_of(request, limits) == 413);
}

TEST_CASE("one Host it must be") {
  CHECK(refusal_of(raw("/", {})) == 400);
  CHECK(refusal_of(raw("/", {{"Host", "x"}, {"HOST", "x"}})) == 400);
  CHECK(refusal_of(raw("/", {{"hOST", "x"}})) == 0);
}

TEST_CASE("a target that is no path is 400") { CHECK(refusal_of(raw("/%zz")) == 400); }

TEST_CASE("a request has an id in any case") {
  const auto shown = take_in(raw("/%zz", {{"Host", "x"}, {"x-request-id", "mine"}}), {});
  CHECK(shown.request.id == "mine");
  CHECK(take_in(raw(), {}).request.id.size() == 32);
  CHECK(take_in(raw(), {}).request.id != take_in(raw(), {}).request.id);
  CHECK(take_in(raw("/", {{"Host", "x"}, {"X-Request-Id", "a"}, {"X-Request-Id", "b"}}), {})
            .request.id.size() == 32);
  CHECK(is_request_id(std::string(64, 'a')));
  for (const auto& text :
       {std::string(), std::string(65, 'a'), std::string("a b"), std::string("a\n"), std::string("\u00e4")})
    CHECK(!is_request_id(text));
}
