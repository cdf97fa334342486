#include "http/main_settings.hpp"

#include <doctest/doctest.h>

using namespace ci;
using namespace ci::http;
using namespace std::chrono_literals;

TEST_CASE("each connection may stream a file, and enough files are left for everything else") {
  CHECK(connections_within(1'024) == 256);
  CHECK(connections_within(4'096) == 1'792);
  CHECK(connections_within(20'000) == 9'744);
  for (const std::uint64_t files : {1'024U, 4'096U, 20'000U})
    CHECK(2 * connections_within(files) + 512 <= files);
}

TEST_CASE("no more connections are served than are wanted, and few where few files may be open") {
  CHECK(connections_within(files_for_all_connections) == 10'000);
  CHECK(connections_within(files_for_all_connections - 2) == 9'999);
  CHECK(connections_within(~std::uint64_t{0}) == 10'000);
  CHECK(connections_within(256) == 64);
}

TEST_CASE("it is ready while a crank ended within 30 s, or three poll intervals where those are longer") {
  config::Settings settings;
  for (auto& [poll, within] : {std::pair<domain::Duration, domain::Duration>{5s, 30s}, {10s, 30s}, {11s, 33s}, {60s, 180s}}) {
    settings.policy.timings.poll_interval = poll;
    CHECK(http_options(settings, {}).ready_within == within);
  }
}
