#include "actors/edge/leak_pause.hpp"

#include "tests/support/child_process.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#ifdef CI_MONITOR_FINDS_LEAKS

namespace {

/// A frame of its own, whose pointer is written over: the search for leaks finds none.
[[gnu::noinline]] void lose(std::size_t bytes) {
  void* volatile lost = std::malloc(bytes);
  lost = nullptr;
  static_cast<void>(lost);
}

[[gnu::noinline]] void lose_in_a_pause(std::size_t bytes) {
  ci::edge::LeakPause pause;
  lose(bytes);
}

} // namespace

TEST_CASE("what is lost within a pause is not reported") {
  REQUIRE(__lsan_do_recoverable_leak_check() == 0);
  for (int i = 0; i < 10; ++i)
    lose_in_a_pause(80);
  CHECK(__lsan_do_recoverable_leak_check() == 0);
}

/// Else whatever looks for leaks would say nothing for good.
TEST_CASE("what is lost without a pause is reported") {
  // In a process of its own: it stays lost, and is told of again at the end.
  const auto said = ci::test::in_child([]() -> std::string {
    if (__lsan_do_recoverable_leak_check() != 0)
      return "something was lost before";
    if (!std::freopen("/dev/null", "w", stderr)) // the report
      return "no /dev/null";
    for (int i = 0; i < 10; ++i)
      lose(80);
    return __lsan_do_recoverable_leak_check() != 0 ? "reported" : "not reported";
  });
  CHECK(said == "reported");
}

#endif
