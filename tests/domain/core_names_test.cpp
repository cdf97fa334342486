/// Whose a registration is that bears the name of one of our runners.
#include "tests/support/bench.hpp"

#include <doctest/doctest.h>

using namespace ci::test;
using namespace std::chrono_literals;

namespace {

/// A pool of one, and registrations of others with names that are about to be ours: the first listing lacks them.
struct Namesakes : Bench {
  explicit Namesakes(int count = 1) {
    profile("linux", 1);
    for (int id = 1; id <= count; ++id)
      add(id);
    lose = [this](const Effect& e) {
      if (!std::holds_alternative<effect::ListRegistrations>(e) || listed)
        return false;
      listed = true;
      core->on_registration_listing(now(), GithubReply<RegistrationListing>::ok({{}, steady, {}}));
      return true;
    };
  }
  static std::string name(RunnerId id) { return "ci-runner-linux." + std::to_string(id) + "@ci0"; }
  /// By default with the labels that ours get, as another monitor with our suffix would give it.
  RegistrationId add(RunnerId id, std::vector<std::string> labels = {}) {
    if (labels.empty())
      labels = usual_labels(policy->profiles.at("linux"));
    return world.make({name(id), labels, "_work", 1}).value->registration.id;
  }
  bool there(RunnerId id) const { return !world.find(name(id)).value->empty(); }
  bool remembered(const std::string& event, RunnerId id) const {
    return std::any_of(history.begin(), history.end(),
                       [&](auto& line) { return line.event == event && line.runner == id; });
  }
  /// The first registration fails like that; `made`: although it was made.
  void fail_first(GithubError::Kind kind, bool made) {
    fail = [this, kind, made, once = true](const Effect& e) mutable -> std::optional<GithubError> {
      auto* asked = std::get_if<effect::Register>(&e);
      if (!asked || !std::exchange(once, false))
        return {};
      if (made)
        world.make(asked->request);
      return World::error(kind);
    };
  }
  bool listed = false;
};

} // namespace

TEST_CASE("G5: a name that is taken at GitHub is somebody else's, and the runner is replaced under a new id") {
  Namesakes b;
  b.start();
  b.advance(60s);
  CHECK(b.there(1));
  CHECK(b.remembered("name_taken", 1));
  CHECK(std::any_of(b.events.begin(), b.events.end(), [](auto& e) { return e.starts_with("name_taken runner=1 "); }));
  REQUIRE(b.core->runners().size() == 1);
  CHECK(b.core->runners().begin()->first == 2);
  CHECK(b.world.records.size() == 2);
  CHECK(b.world.disks.size() == 1);
  CHECK(b.snapshot->strangers == std::vector{b.name(1)});
  SUBCASE("nor does the next process take it for its own") {
    b.start();
    b.advance(10min);
    CHECK(b.there(1));
    CHECK_FALSE(b.remembered("registration_came_late", 1));
  }
}

TEST_CASE("G5: a name that is taken is somebody else's although its runner was given up meanwhile") {
  Namesakes b;
  b.lose = [&, held = b.lose](const Effect& e) {
    auto* asked = std::get_if<effect::Register>(&e);
    return held(e) || (asked && asked->runner == 1);
  };
  b.fail_host = [](const Effect& e) -> std::optional<std::string> {
    auto* asked = std::get_if<effect::Prepare>(&e);
    return asked && asked->runner == 1 ? std::optional<std::string>("no space") : std::nullopt;
  };
  b.start();
  REQUIRE(b.runner(1).rec.phase == Phase::destroying);
  b.core->on_registered(b.now(), 1, GithubReply<JitRegistration>::failed(World::error(GithubError::Kind::conflict, 409)));
  b.run();
  b.advance(60s);
  CHECK(b.there(1));
  CHECK_FALSE(b.core->runners().count(1));
}

TEST_CASE("ids are handed out above all names of others once one of them was in the way") {
  Namesakes b(100);
  b.start();
  b.advance(10s);
  CHECK(b.there(1));
  REQUIRE(b.core->runners().size() == 1);
  CHECK(b.core->runners().begin()->first == 101);
}

TEST_CASE("G5: after a lost answer only what bears the labels that were asked for is taken for the lost one") {
  for (bool made : {false, true}) {
    Namesakes b(0);
    if (!made)
      b.add(1, {"self-hosted", "x"});
    b.fail_first(GithubError::Kind::unreachable, made);
    b.start();
    b.advance(60s);
    CAPTURE(made);
    CHECK(b.there(1) == !made);
    CHECK(b.core->runners().begin()->first == 2);
    CHECK(b.snapshot->strangers.size() == !made);
  }
}

TEST_CASE("G5: a lost registration that shows late is found by its labels as well") {
  for (bool ours : {false, true}) {
    Namesakes b(0);
    b.fail_first(GithubError::Kind::unreachable, false);
    b.start();
    b.advance(60s);
    REQUIRE_FALSE(b.core->runners().count(1));
    b.add(1, ours ? std::vector<std::string>{} : std::vector<std::string>{"x"});
    b.advance(60s);
    CAPTURE(ours);
    CHECK(b.there(1) == !ours);
    CHECK(b.remembered("registration_came_late", 1) == ours);
  }
}

TEST_CASE("a lost registration is found although the settings have changed since it was asked for") {
  Namesakes b(0);
  b.fail_first(GithubError::Kind::server, true);
  b.fail = [&, first = b.fail, away = true](const Effect& e) mutable -> std::optional<GithubError> {
    if (std::holds_alternative<effect::FindRegistration>(e) && std::exchange(away, false))
      return World::error(GithubError::Kind::server);
    return first(e);
  };
  SUBCASE("its profile is configured no more") {
    b.start();
    b.policy->profiles.clear();
  }
  SUBCASE("it bears an exclusive label") {
    b.policy->exclusive_reservations = true;
    b.start();
    b.policy->exclusive_reservations = false;
  }
  REQUIRE(b.there(1));
  b.apply_policy();
  b.advance(60s);
  CHECK_FALSE(b.there(1));
}

TEST_CASE("G5: a registration with another id than the one that was made for a runner is somebody else's") {
  Namesakes b(0);
  b.start();
  b.boot_all();
  const auto guest = b.runner(1).rec.guest_name;
  b.world.begin_job(guest);
  b.world.end_job(guest);
  SUBCASE("while the runner is there") {
    b.lose = [](const Effect& e) { return std::holds_alternative<effect::Remove>(e); };
    b.power_off(guest);
    b.add(1);
    b.advance(60s);
    CHECK(b.core->runners().count(1));
  }
  SUBCASE("after its end") {
    b.power_off(guest);
    b.advance(60s);
    CHECK_FALSE(b.core->runners().count(1));
    b.add(1);
    b.advance(60s);
  }
  CHECK(b.there(1));
  CHECK(b.snapshot->strangers == std::vector{b.name(1)});
}
