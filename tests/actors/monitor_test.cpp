#include "actors/monitor.hpp"

#include <caf/scheduler/test_coordinator.hpp>
#include <doctest/doctest.h>

#include <stdexcept>

using namespace ci;

namespace {

struct MonitorConfig : caf::actor_system_config {
  MonitorConfig() { set("scheduler.policy", caf::atom("testing")); }
};

} // namespace

TEST_CASE("a monitor that fails in the middle ends: orders may be lost that count as under way") {
  MonitorConfig config;
  caf::actor_system system{config};
  auto& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  bool fails = false;
  MonitorParts parts; // nobody answers
  parts.board = std::make_shared<Board>();
  parts.wall = [&]() -> domain::Time {
    if (fails)
      throw std::runtime_error("out of something");
    return {};
  };
  parts.random = [] { return std::uint64_t{4}; };
  monitor_actor monitor = system.spawn<Monitor>(std::make_shared<Meter>("monitor"), std::move(parts));
  bool ended = false;
  caf::actor_cast<caf::actor>(monitor)->attach_functor(
      [&](const caf::error& reason) { ended = reason == caf::sec::runtime_error; });
  scheduler.run();
  CHECK_FALSE(ended);
  fails = true;
  caf::anon_send(monitor, store_atom::value, StoreHealth{});
  scheduler.run();
  CHECK(ended);
  caf::anon_send_exit(monitor, caf::exit_reason::kill);
  scheduler.run();
}
