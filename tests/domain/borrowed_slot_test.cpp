/// Stories of the one slot that images may borrow (G8).
#include "tests/support/forge.hpp"

using namespace ci::test;

namespace {

/// A pool of two on a host without spare room, whose new image is on trial.
struct Trial : Forge {
  explicit Trial(std::int64_t pages = 2) : Forge(2, pages) {
    fill();
    rebuild("linux");
    roll(3min); // an idle runner makes room
    finish_build();
    REQUIRE(counts().image.state == "trial");
  }
  int on_trial() const {
    int n = 0;
    for (auto& [id, r] : core->runners())
      n += !r.rec.online_at && r.holds_budget();
    return n;
  }
};

std::optional<GithubError> away(const Effect& e) {
  if (std::holds_alternative<effect::Look>(e) || std::holds_alternative<effect::Unregister>(e) ||
      std::holds_alternative<effect::ListRegistrations>(e))
    return World::error(GithubError::Kind::server, 503);
  return {};
}

} // namespace

TEST_CASE("G8: no idle runner makes room for an image in the turn in which another one is let go as excess") {
  Forge b(3, 3);
  b.fill();
  b.power_off(b.running().front()); // two can work, and one is being made
  REQUIRE(b.capacity() == 2);
  b.policy->profiles.at("linux").target_count = 2;
  b.policy->profiles.at("linux").image_fingerprint = "second";
  b.apply_policy();
  CHECK(b.capacity() == 1);
}

TEST_CASE("G8: a trial runner that an operator stopped gives its slot back before the next one is made") {
  Trial b(4);
  auto first = b.core->runners().rbegin()->first;
  for (auto& name : b.running()) // it has what it needs to work, so GitHub must let it go
    if (auto& g = b.world.guests.at(name); g.config.empty())
      g.config = b.jitconfig(g.address);
  b.fail = away;
  REQUIRE(b.pull(lever::DestroyRunner{first}).verdict.refusal == Refusal::none);
  b.advance(10min);
  CHECK(b.on_trial() == 1);
  b.fail = nullptr;
  b.roll(20min);
  CHECK(b.counts().image.state == "ready");
  CHECK(b.core->runners().count(first) == 0);
}

TEST_CASE("G8: the next build waits for the end of the runner that the last image failed by") {
  Trial b(4);
  for (auto& name : b.running())
    if (auto& g = b.world.guests.at(name); g.config.empty())
      g.config = b.jitconfig(g.address);
  b.advance(2min); // never online: the trial has failed
  REQUIRE(b.counts().image.failures == 1);
  b.fail = away;
  b.advance(10min);
  CHECK(b.on_trial() == 1);
  CHECK(b.rebuilds_on().empty());
  b.fail = nullptr;
  b.roll(10min);
  CHECK(b.rebuilds_on().size() == 1);
}

TEST_CASE("G8: an image that can't be deleted holds no slot once its guest is off") {
  Forge b(2, 2);
  b.fill();
  b.rebuild("linux");
  b.roll(3min);
  REQUIRE(b.rebuilds_on().size() == 1);
  CHECK(b.core->held().hugepages_1g == 2);
  b.fail_host = [](const Effect& e) -> std::optional<std::string> {
    if (std::holds_alternative<effect::DiscardImage>(e))
      return "Device or resource busy";
    return {};
  };
  b.start(); // the build is given up
  CHECK(b.capacity() == 1);
  b.world.power_off(b.rebuilds_on().front(), "destroyed");
  b.world.guests.erase(b.named("ci-rebuild-", GuestState::off).front());
  b.roll(2min);
  CHECK(b.core->held().hugepages_1g == 2); // the next build has it
  CHECK(b.rebuilds_on().size() == 1);
}

TEST_CASE("G4: an image keeps its slot while its guest may still be starting, though it is off") {
  bool restarted = false, deleted = false;
  SUBCASE("its start was not answered in time, and it ends") {}
  SUBCASE("its start was not answered in time, and it is deleted") { deleted = true; }
  SUBCASE("the service was restarted meanwhile, and it ends") { restarted = true; }
  SUBCASE("the service was restarted meanwhile, and it is deleted") { restarted = deleted = true; }
  Forge b(1, 1);
  std::optional<ImageSpec> started;
  b.lose = [&](const Effect& e) {
    auto* start = std::get_if<effect::StartImage>(&e);
    if (start && !started)
      started = start->spec;
    return start != nullptr;
  };
  b.fail_host = [](const Effect& e) -> std::optional<std::string> {
    if (std::holds_alternative<effect::DiscardImage>(e))
      return "no answer in time";
    return {};
  };
  b.start();
  REQUIRE(started);
  b.world.guests[started->rebuild_guest].uuid = started->uuid; // defined, and being started
  if (restarted)
    b.start();
  else
    b.core->on_image_started(b.now(), started->template_guest, {"no answer in time", b.steady});
  auto held = [&] {
    auto image = b.core->images().all().find(started->template_guest);
    return image == b.core->images().all().end() ? 0 : image->second.rec.held.hugepages_1g;
  };
  b.advance(10min);
  CHECK(held() == 1);
  b.world.boot(started->rebuild_guest, started->uuid, b.steady);
  b.advance(1min);
  CHECK(held() == 1);
  CHECK(b.core->held().hugepages_1g == 1);
  if (deleted)
    b.fail_host = nullptr;
  else
    b.world.power_off(started->rebuild_guest);
  b.advance(10min);
  CHECK(held() == 0);
  CHECK(b.core->held().hugepages_1g == 1); // the next build has it
}

TEST_CASE("G4: a listing that is older than an image's end does not make a stranger of its guest") {
  Forge b(1);
  b.start();
  REQUIRE(b.rebuilds_on().size() == 1);
  b.lose = [](const Effect& e) { return std::holds_alternative<effect::ListGuests>(e); };
  b.advance(6s);
  auto old = b.world.list_guests(b.steady);
  b.advance(600s); // build_timeout: it is deleted
  REQUIRE(b.rebuilds_on().empty());
  REQUIRE(b.core->held() == Resources{});
  b.core->on_guest_listing(b.now(), old, "");
  b.core->crank(b.now());
  CHECK(b.core->held() == Resources{});
  CHECK(b.snapshot->strangers.empty());
}

TEST_CASE("a release that overtakes the commit of the grant answers whoever takes") {
  Bench b;
  b.start();
  b.boot_all();
  int commits = 0;
  b.lose = [&](const Effect& e) { return std::holds_alternative<effect::Commit>(e) && ++commits == 2; };
  auto ask = Bench::ask("linux", 1);
  auto taken = b.take(ask);
  REQUIRE(b.core->reservations().at(ask.unique_id).rec.phase == ReservationPhase::granted);
  REQUIRE(b.takes.count(taken) == 0);
  b.lose = nullptr;
  b.release(ask.unique_id);
  REQUIRE(b.takes.count(taken) == 1);
  CHECK(b.takes.at(taken).verdict.refusal == Refusal::id_released);
  CHECK(b.takes.at(taken).runners.empty());
}
