#include "config/nearest.hpp"

#include <doctest/doctest.h>

using ci::config::edit_distance;
using ci::config::nearest;

TEST_CASE("the distance counts insertions, deletions, replacements and swaps") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("port", "port") == 0);
  CHECK(edit_distance("", "port") == 4);
  CHECK(edit_distance("port", "") == 4);
  CHECK(edit_distance("prt", "port") == 1);
  CHECK(edit_distance("ports", "port") == 1);
  CHECK(edit_distance("part", "port") == 1);
  CHECK(edit_distance("prot", "port") == 1);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("Port", "port") == 1);
}

TEST_CASE("the nearest name is found, the first of equals, and none among none") {
  CHECK(nearest("lsiten_on", {"port", "listen_on", "log_level"}) == "listen_on");
  CHECK(nearest("b", {"a", "c"}) == "a");
  CHECK(nearest("port", {}) == "");
}
