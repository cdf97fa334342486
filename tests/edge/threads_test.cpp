#include "actors/edge/threads.hpp"

#include <doctest/doctest.h>

#include <future>
#include <thread>

using namespace std::chrono_literals;

TEST_CASE("Another thread is waited for until it is gone, or patience ends") {
  std::promise<void> begun, may_end;
  std::thread([&begun, gate = may_end.get_future()] {
    begun.set_value();
    gate.wait();
  }).detach();
  begun.get_future().wait();
  CHECK_FALSE(ci::edge::wait_for_other_threads(0ms));
  may_end.set_value();
  CHECK(ci::edge::wait_for_other_threads(10s));
}
