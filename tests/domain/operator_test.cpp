/// Operators' levers on profiles and runners.
#include "tests/support/bench.hpp"

#include <doctest/doctest.h>

using namespace ci::test;
using namespace std::chrono_literals;

namespace {
struct TwoIdle : Bench {
  TwoIdle() {
    profile("linux", 2);
    start();
    boot_all();
  }
};
} // namespace

TEST_CASE(
    "a paused profile gets no new runners, its idle ones serve on, and a restart forgets nothing of it") {
  TwoIdle b;
  CHECK(b.pull(lever::SetPaused{"linux", true}).verdict.refusal == Refusal::none);
  CHECK(b.snapshot->profiles.at("linux").paused);
  CHECK(b.takes.at(b.take(Bench::ask("linux", 1))).runners.size() == 1);
  auto guest = b.runner(1).rec.guest_name;
  b.world.begin_job(guest);
  b.advance(31s);
  b.world.end_job(guest);
  b.power_off(guest);
  b.start();
  b.advance(60s);
  CHECK(b.running().size() == 1);
  CHECK(b.snapshot->profiles.at("linux").wanted == 1);
  CHECK(b.pull(lever::SetPaused{"linux", false}).verdict.refusal == Refusal::none);
  CHECK(b.running().size() == 2);
  CHECK_FALSE(b.snapshot->profiles.at("linux").paused);
  CHECK(b.store.notes.empty());
  CHECK(b.pull(lever::SetPaused{"bsd", true}).verdict.refusal == Refusal::unknown_profile);
}

TEST_CASE("a paused profile's room is for others") {
  Bench b;
  b.policy->budget = {4, std::int64_t{1} << 40};
  b.profile("linux", 3);
  b.profile("other", 0);
  b.world.add_template("ci-template-other@2026-01-01T00:00:00.000000000Z");
  b.start();
  b.pull(lever::SetPaused{"linux", true});
  b.policy->profiles["linux"].target_count = 4;
  b.policy->profiles["other"].target_count = 4;
  b.apply_policy();
  CHECK(b.snapshot->profiles.at("other").healthy == 1);
  CHECK(b.snapshot->profiles.at("linux").healthy == 3);
}

TEST_CASE("G1: a runner that is destroyed by hand goes by the rules of every destruction") {
  TwoIdle b;
  auto guest = b.runner(1).rec.guest_name;
  CHECK(b.pull(lever::DestroyRunner{1}).verdict.refusal == Refusal::none);
  CHECK(b.runner(1).rec.phase == Phase::destroying);
  CHECK(b.world.guests.count(guest) == 1);
  CHECK(b.pull(lever::DestroyRunner{1}).verdict.refusal == Refusal::none); // once more changes nothing
  b.advance(65s);
  CHECK(b.world.guests.count(guest) == 0);
  CHECK(b.running().size() == 2); // and it is replaced
}

TEST_CASE("a runner that may be busy, or is promised, is not destroyed by hand") {
  TwoIdle b;
  b.world.begin_job(b.runner(1).rec.guest_name);
  b.advance(31s);
  CHECK(b.pull(lever::DestroyRunner{1}).verdict.refusal == Refusal::runner_busy);
  b.take(Bench::ask("linux", 1));
  CHECK(b.pull(lever::DestroyRunner{2}).verdict.refusal == Refusal::runner_busy);
  CHECK(b.pull(lever::DestroyRunner{99}).verdict.refusal == Refusal::unknown_runner);
  b.start();
  CHECK(b.pull(lever::DestroyRunner{1}).verdict.refusal == Refusal::runner_busy);
}

TEST_CASE("levers wait for libvirt to have been heard, and for the service not to be stopping") {
  Bench b;
  b.lose = [](const Effect& e) { return std::holds_alternative<effect::ListGuests>(e); };
  b.start();
  CHECK(b.pull(lever::CancelOverride{}).verdict.refusal == Refusal::not_ready);
  Bench c;
  c.start();
  c.core->stop(c.now());
  CHECK(c.pull(lever::DestroyRunner{1}).verdict.refusal == Refusal::not_ready);
}

TEST_CASE("a profile that the settings name no more: no new runners, jobs end, idle ones go") {
  TwoIdle b;
  auto busy = b.runner(1).rec.guest_name;
  b.world.begin_job(busy);
  b.advance(31s);
  b.policy->profiles.erase("linux");
  b.apply_policy();
  b.advance(100s);
  CHECK(b.running() == std::vector<std::string>{busy});
  b.world.end_job(busy);
  b.power_off(busy);
  b.advance(10s);
  CHECK(b.running().empty());
  CHECK(b.core->runners().empty());
  CHECK(b.core->held().hugepages_1g == 0);
}
