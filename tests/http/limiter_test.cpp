#include "http/limiter.hpp"

#include <doctest/doctest.h>

using namespace ci::http;
using namespace std::chrono_literals;
using ci::domain::Address;
using ci::domain::parse_address;

namespace {
const ci::domain::Steady start{1'000'000s};
const Address one = *parse_address("192.0.2.1"), other = *parse_address("192.0.2.2");
} // namespace

TEST_CASE("so many in a minute, then none until the first of them is a minute old") {
  SourceLimiter limiter(3);
  CHECK(!limiter.admit(one, start));
  CHECK(!limiter.admit(one, start + 10s));
  CHECK(!limiter.admit(one, start + 20s));
  CHECK(limiter.admit(one, start + 20s) == 40);
  CHECK(limiter.admit(one, start + 59'999ms) == 1);
  CHECK(!limiter.admit(one, start + 60s));
  CHECK(limiter.admit(one, start + 60s) == 10); // any minute, not the clock's
  CHECK(!limiter.admit(one, start + 10min));
}

TEST_CASE("sources do not count for each other, but those of one IPv6 /64 do") {
  SourceLimiter limiter(1);
  CHECK(!limiter.admit(one, start));
  CHECK(!limiter.admit(other, start));
  CHECK(limiter.admit(*parse_address("::ffff:192.0.2.1"), start) == 60);
  CHECK(!limiter.admit(*parse_address("2001:db8::1"), start));
  CHECK(limiter.admit(*parse_address("2001:db8::ffff:2"), start) == 60);
  CHECK(!limiter.admit(*parse_address("2001:db8:0:1::1"), start));
}

TEST_CASE("a new figure counts at once, and zero allows none") {
  SourceLimiter limiter(2);
  CHECK(!limiter.admit(one, start));
  CHECK(!limiter.admit(one, start + 1s));
  limiter.set(1);
  CHECK(limiter.admit(one, start + 2s) == 59);
  limiter.set(3);
  CHECK(!limiter.admit(one, start + 2s));
  limiter.set(0);
  CHECK(limiter.admit(other, start + 2s) == 60);
}

TEST_CASE("quiet sources are forgotten, and a flood of sources costs bounded memory") {
  SourceLimiter limiter(1);
  for (std::uint32_t i = 0; i < 1000; ++i)
    CHECK(!limiter.admit(Address::v4(i), start));
  CHECK(limiter.sources() == 1000);
  CHECK(!limiter.admit(one, start + 60s));
  CHECK(limiter.sources() == 1);
  for (std::uint32_t i = 0; i < SourceLimiter::max_sources + 10; ++i)
    limiter.admit(Address::v4(0x0b000000 + i), start + 61s);
  CHECK(limiter.sources() == SourceLimiter::max_sources);
}
