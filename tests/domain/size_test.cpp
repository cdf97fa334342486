#include "actors/domain/size.hpp"

#include <doctest/doctest.h>

#include <limits>

using ci::domain::format_size;
using ci::domain::parse_size;

TEST_CASE("each unit is a power of 1024") {
  CHECK(parse_size("1B") == 1);
  CHECK(parse_size("1K") == 1024);
  CHECK(parse_size("1M") == 1'048'576);
  CHECK(parse_size("1G") == 1'073'741'824);
  CHECK(parse_size("1T") == 1'099'511'627'776);
  CHECK(parse_size("1P") == 1'125'899'906'842'624);
}

TEST_CASE("one space may stand before the unit, and nothing else anywhere") {
  CHECK(parse_size("16 G") == parse_size("16G"));
  for (const auto* text : {"16  G", " 16G", "16G ", "16\tG", "1 6G", " G"})
    CHECK_MESSAGE(!parse_size(text), text);
}

TEST_CASE("what is no size is refused") {
  for (const auto* text :
       {"", "G", "16", "16g", "16GiB", "16GB", "-1G", "+1G", "1.5G", "0x10G", "1e3B", "sixteenG"})
    CHECK_MESSAGE(!parse_size(text), text);
}

TEST_CASE("zero is a size") {
  CHECK(parse_size("0B") == 0);
  CHECK(parse_size("0P") == 0);
}

TEST_CASE("the largest size fits, and one more is refused instead of wrapping") {
  CHECK(parse_size("9223372036854775807B") == std::numeric_limits<std::int64_t>::max());
  CHECK(!parse_size("9223372036854775808B"));
  CHECK(parse_size("8191P") == std::int64_t{8191} << 50);
  CHECK(!parse_size("8192P"));
  CHECK(!parse_size("99999999999999999999999G"));
}

TEST_CASE("a size is written in the largest unit that is exact, and is read back") {
  CHECK(format_size(0) == "0B");
  CHECK(format_size(1023) == "1023B");
  CHECK(format_size(1536) == "1536B");
  CHECK(format_size(64 << 10) == "64K");
  CHECK(format_size(std::int64_t{10} << 30) == "10G");
  CHECK(format_size(std::int64_t{5} << 60) == "5120P");
  for (const std::int64_t bytes :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{1} << 40, std::numeric_limits<std::int64_t>::max()})
    CHECK(parse_size(format_size(bytes)) == bytes);
}
