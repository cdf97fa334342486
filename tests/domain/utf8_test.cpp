#include "actors/domain/utf8.hpp"

#include <doctest/doctest.h>

#include <string>

using ci::domain::is_utf8;

TEST_CASE("text in UTF-8 is told from other bytes, at the edges of each length") {
  for (const char* text : {"", "plain", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "d\xc3\xa9j\xc3\xa0 vu"}) {
    CAPTURE(text);
    CHECK(is_utf8(text));
  }
  CHECK(is_utf8(std::string("a\0b", 3)));
}

TEST_CASE("what is no UTF-8: stray and missing bytes, overlong forms, surrogates, values that there are not") {
  for (const char* text :
       {"\x80", "\xbf", "\xff", "\xfe", "\xc3", "\xe2\x82", "\xf0\x9f\x92", "\xc3(", "\xe2\x28\xa1", "\xe2\x82(",
        "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xe0\x9f\xbf", "\xf0\x80\x80\xaf", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80",
        "\xed\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "fine until here\xe9"}) {
    CAPTURE(text);
    CHECK_FALSE(is_utf8(text));
  }
}
