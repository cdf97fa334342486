/// Stories of a wall clock that was set back while no process ran.
#include "actors/domain/past.hpp"
#include "tests/support/forge.hpp"

using namespace ci::test;

TEST_CASE("an image that was asked for before the clock was set back is built once") {
  Forge b(1);
  b.fill();
  CHECK(b.rebuild("linux").verdict.refusal == Refusal::none);
  b.time -= 1h;
  b.start();
  b.build();
  b.roll(5min);
  REQUIRE(b.counts().image.state == "ready");
  CHECK(b.rebuilds_on().empty());
  CHECK(b.templates().size() == 2);
}

TEST_CASE("the pause after a failed build is not longer because the clock was set back") {
  Forge b(1);
  b.start();
  b.world.power_off(b.rebuilds_on().front(), "crashed");
  b.advance(6s);
  REQUIRE(b.counts().image.failures == 1);
  b.time -= 24h;
  b.start();
  CHECK(b.rebuilds_on().empty());
  CHECK(*b.counts().image.trouble_since <= b.time);
  b.advance(5min + 5s);
  CHECK(b.rebuilds_on().size() == 1);
}

TEST_CASE("a runner that never comes online is replaced although the clock was set back") {
  Bench b;
  b.policy->profiles.at("linux").target_count = 1;
  b.start();
  b.time -= 24h;
  b.start();
  b.advance(b.policy->timings.start_timeout + 70s);
  CHECK(b.core->runners().count(1) == 0);
  CHECK(b.running() == std::vector<std::string>{"ci-runner-linux.2"});
}

TEST_CASE("G3: a deadline keeps its distance from the grant when the clock was set back") {
  Bench b;
  b.start();
  b.boot_all();
  auto ask = Bench::ask("linux", 1);
  b.take(ask);
  b.time -= 24h;
  b.start();
  auto& rec = b.core->reservations().at(ask.unique_id).rec;
  REQUIRE(rec.granted_at);
  CHECK(*rec.granted_at == b.time);
  CHECK(rec.deadline == b.time + b.policy->timings.reserve_timeout);
}

TEST_CASE("an override lasts no longer because the clock was set back") {
  Bench b;
  b.policy->timings.policy_override_max_age = 1h;
  b.start();
  b.boot_all();
  REQUIRE(b.pull(lever::StartOverride{{{"linux", 5}}}).granted);
  b.time -= 24h;
  b.start();
  b.advance(59min);
  CHECK(b.snapshot->policy_override);
  b.advance(2min);
  CHECK_FALSE(b.snapshot->policy_override);
}

TEST_CASE("what the store has of the future is brought into the past, and a deadline without a grant stays") {
  const Time now{std::chrono::hours(500'000)};
  StoreImage image;
  image.reservations.resize(2);
  for (auto& r : image.reservations) {
    r.created_at = now + 1h;
    r.deadline = now + 2h;
  }
  image.reservations[0].granted_at = now + 1h;
  bring_into_past(image, now);
  CHECK(image.reservations[0].deadline == now + 1h);
  CHECK(image.reservations[0].granted_at == now);
  CHECK(image.reservations[1].deadline == now + 2h);
  CHECK(image.reservations[1].created_at == now);
}
