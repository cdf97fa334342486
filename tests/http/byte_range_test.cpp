#include "http/byte_range.hpp"
#include "http/time_text.hpp"

#include <doctest/doctest.h>

using namespace ci::http;
using ci::domain::FileVersion;

namespace {

const FileVersion version{1000, ci::domain::Time(std::chrono::milliseconds(1'795'428'000'500)), "\"abc\""};

Selection ask(Headers headers, const FileVersion& of = version, const char* method = "GET") {
  Request request;
  request.method = method;
  request.headers = std::move(headers);
  const auto selection = select_bytes(request, of);
  const auto later = select_bytes(conditions_of(request), of);
  CHECK(later.status == selection.status);
  CHECK(later.range == selection.range);
  return selection;
}
Selection range(const char* value, const FileVersion& of = version) { return ask({{"Range", value}}, of); }
void check_part(const Selection& selection, std::int64_t begin, std::int64_t end) {
  CHECK(selection.status == 206);
  CHECK(selection.range == ByteRange{begin, end});
}

} // namespace

TEST_CASE("one range is a part of the file") {
  check_part(range("bytes=0-0"), 0, 1);
  check_part(range("bytes=10-19"), 10, 20);
  check_part(range("bytes=990-"), 990, 1000);
  check_part(range("bytes=-10"), 990, 1000);
  check_part(range("bytes=-5000"), 0, 1000);
  check_part(range("bytes=999-5000"), 999, 1000);
  check_part(range("bytes=5-99999999999999999999999999"), 5, 1000);
  check_part(range("Bytes=1-2"), 1, 3);
}

TEST_CASE("a range behind the end is 416") {
  for (const auto* value : {"bytes=1000-", "bytes=1000-2000", "bytes=99999999999999999999999-", "bytes=-0"})
    CHECK_MESSAGE(range(value).status == 416, value);
  const FileVersion empty{0, {}, "\"e\""};
  CHECK(range("bytes=0-", empty).status == 416);
  CHECK(range("bytes=-1", empty).status == 416);
  CHECK(ask({}, empty).range.size() == 0);
}

TEST_CASE("what is no single range of bytes is ignored") {
  for (const auto* value : {"bytes=0-1,5-6", "lines=0-1", "bytes=", "bytes=-", "bytes=5", "bytes=a-b",
                            "bytes=9-5", "bytes= 1-2", "bytes=+1-2", "bytes=1--2", "0-1", ""}) {
    CHECK_MESSAGE(range(value).status == 200, value);
    CHECK(range(value).range == ByteRange{0, 1000});
  }
  CHECK(ask({{"Range", "bytes=0-1"}, {"Range", "bytes=0-1"}}).status == 200);
  CHECK(ask({{"Range", "bytes=0-1"}}, version, "HEAD").status == 200);
}

TEST_CASE("If-Range lets a range count only for the version that the client has part of") {
  const auto with = [](const std::string& condition) {
    return ask({{"Range", "bytes=0-1"}, {"If-Range", condition}}).status;
  };
  CHECK(with("\"abc\"") == 206);
  CHECK(with("\"abd\"") == 200);
  CHECK(with("W/\"abc\"") == 200); // a weak one proves no bytes
  CHECK(with(http_date(version.modified_at)) == 206);
  CHECK(with(http_date(version.modified_at + std::chrono::seconds(1))) == 200);
  CHECK(with("yesterday") == 200);
}

TEST_CASE("a client that has the version is told so, by its validator before its time") {
  const auto then = http_date(version.modified_at);
  const auto before = http_date(version.modified_at - std::chrono::seconds(1));
  CHECK(ask({{"If-None-Match", "\"abc\""}}).status == 304);
  CHECK(ask({{"If-None-Match", "\"x\", W/\"abc\""}}).status == 304);
  CHECK(ask({{"If-None-Match", "\"x\""}}).status == 200);
  CHECK(ask({{"If-Modified-Since", then}}).status == 304);
  CHECK(ask({{"If-Modified-Since", before}}).status == 200);
  CHECK(ask({{"If-None-Match", "\"x\""}, {"If-Modified-Since", then}}).status == 200);
  CHECK(ask({{"If-None-Match", "\"abc\""}, {"Range", "bytes=0-1"}}).status == 304);
}

TEST_CASE("dates of HTTP are read as they are written, and in no other form") {
  CHECK(parse_http_date("Mon, 23 Nov 2026 10:00:00 GMT") ==
        ci::domain::Time(std::chrono::seconds(1'795'428'000)));
  for (const auto* text :
       {"", "Tue, 23 Nov 2026 10:00:00 GMT", "Mon, 23 Nov 2026 10:00:00 UTC", "Mon, 31 Feb 2026 10:00:00 GMT",
        "Mon, 23 nov 2026 10:00:00 GMT", "Monday, 23-Nov-26 10:00:00 GMT", "Mon, 23 Nov 2026 1x:00:00 GMT",
        "Mon, 23 Nov 2026 25:00:00 GMT", "Mon, -3 Nov 2026 10:00:00 GMT"})
    CHECK_MESSAGE(!parse_http_date(text), text);
}
