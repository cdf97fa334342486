/// What the decisions do about GitHub's limits (G11).
#include "tests/support/bench.hpp"

#include <doctest/doctest.h>

using namespace ci::domain;
using namespace ci::test;
using namespace std::chrono_literals;

namespace {

/// Counts the calls of one kind, and answers them with a limit while `held`.
template <class Effect>
struct Held {
  bool held = true;
  int calls = 0;
  Held(Bench& b, GithubError error) {
    b.fail = [this, error](const ci::domain::Effect& e) -> std::optional<GithubError> {
      if (!std::get_if<Effect>(&e))
        return {};
      ++calls;
      return held ? std::optional{error} : std::nullopt;
    };
  }
};

GithubError limited_for(Duration time) { return {GithubError::Kind::limited, 403, "slow down", time, false}; }

bool any_event(const Bench& b, const std::string& name) {
  return std::any_of(b.events.begin(), b.events.end(), [&](auto& e) { return e.starts_with(name); });
}

} // namespace

TEST_CASE("G11: a take that the minute's writes can't carry gets 503 with a time, and nothing is changed") {
  Bench b;
  b.profile("linux", 4);
  b.policy->writes_per_minute = 8; // a take leaves one to deletes
  b.start();
  b.boot_all();
  REQUIRE(b.count(Status::Idle) == 4);
  auto first = b.take(b.ask("linux", 2, 1));
  REQUIRE(b.takes.at(first).runners.size() == 2);
  auto store = b.store.reservations.size();
  auto effects = b.effects_carried;
  auto second = b.take(b.ask("linux", 2, 2));
  CHECK(b.takes.at(second).verdict.refusal == Refusal::github_away);
  auto wait = b.takes.at(second).verdict.retry_after;
  CHECK(wait > 25s);
  CHECK(wait < 31s);
  CHECK(b.store.reservations.size() == store);
  CHECK(b.effects_carried == effects + 3); // the answer, its count, and a line of the history
  CHECK(b.count(Status::Idle) == 2);
  SUBCASE("a smaller one may still go") {
    CHECK(b.takes.at(b.take(b.ask("linux", 1, 3))).runners.size() == 1);
  }
  SUBCASE("nobody is told to wait for runners that there are not") {
    CHECK(b.takes.at(b.take(b.ask("linux", 3, 4))).verdict.refusal == Refusal::none);
  }
  SUBCASE("the same is granted after the time that was told") {
    b.advance(wait);
    CHECK(b.takes.at(b.take(b.ask("linux", 2, 2))).runners.size() == 2);
  }
}

TEST_CASE("G11: after a label met a limit takes are refused until it ends, without asking GitHub") {
  Bench b;
  b.start();
  b.boot_all();
  Held<effect::Label> label(b, limited_for(40s));
  CHECK(b.takes.at(b.take(b.ask("linux", 1, 1))).verdict.refusal == Refusal::github_away);
  b.advance(10s);
  auto second = b.take(b.ask("linux", 1, 2));
  CHECK(b.takes.at(second).verdict.refusal == Refusal::github_away);
  CHECK(b.takes.at(second).verdict.retry_after == 30s);
  CHECK(label.calls == 1);
  label.held = false;
  b.advance(30s);
  CHECK(b.takes.at(b.take(b.ask("linux", 1, 2))).runners.size() == 1);
}

TEST_CASE("G11: a registration that is held back waits with its runner, and is no failure") {
  Bench b;
  Held<effect::Register> registrations(b, limited_for(100s));
  b.start();
  b.advance(99s);
  CHECK(registrations.calls == 3); // each asked once, and no other runner ordered
  CHECK(b.store.next_id == 4);
  CHECK(b.running().empty());
  CHECK(b.snapshot->profiles.at("linux").trouble == "waits for GitHub's limits on calls");
  registrations.held = false;
  b.advance(2s);
  CHECK(b.running().size() == 3);
  CHECK(b.store.next_id == 4);
  CHECK_FALSE(any_event(b, "create_failed"));
  b.boot_all();
  CHECK(b.count(Status::Idle) == 3);
  CHECK(b.snapshot->profiles.at("linux").trouble.empty());
}

TEST_CASE("G11: no runner is ordered while GitHub holds calls back") {
  Bench b;
  b.start();
  b.boot_all();
  Held<effect::ListRegistrations> listings(b, limited_for(100s));
  b.advance(31s);
  REQUIRE(listings.calls == 1);
  b.power_off(b.running().front());
  b.advance(60s);
  CHECK(b.store.next_id == 4);
  listings.held = false;
  b.advance(60s);
  CHECK(b.running().size() == 3);
}

TEST_CASE("G5: a runner whose registration is held back and whose profile goes leaves nothing behind") {
  Bench b;
  Held<effect::Register> registrations(b, limited_for(100s));
  b.start();
  b.advance(10s);
  b.policy->profiles.clear();
  b.apply_policy();
  b.advance(10s);
  CHECK(b.core->runners().empty());
  CHECK(b.world.disks.empty());
}

TEST_CASE("one that waits to be registered starts without it where registering is switched off") {
  Bench b;
  Held<effect::Register> registrations(b, limited_for(100s));
  b.start();
  b.policy->dont_register_runners = true;
  b.apply_policy();
  CHECK(b.running().size() == 3);
}

TEST_CASE("G11: runners are made as far as the minute's writes leave room for takes and deletes") {
  Bench b;
  b.profile("linux", 20);
  b.policy->writes_per_minute = 16;
  b.start();
  CHECK(b.world.registered == 10);
  CHECK(b.snapshot->profiles.at("linux").trouble == "waits for GitHub's limits on calls");
  b.advance(59s);
  CHECK(b.world.registered == 10);
  b.advance(2s);
  CHECK(b.world.registered == 20);
}

TEST_CASE("G6: a listing that GitHub denies is told until there is one again, whatever else it answers") {
  Bench b;
  b.start();
  b.boot_all();
  bool denied = true;
  b.fail = [&](const Effect& e) -> std::optional<GithubError> {
    if (denied && std::get_if<effect::ListRegistrations>(&e))
      return GithubError{GithubError::Kind::not_found, 404, "Not Found"};
    return {};
  };
  b.advance(31s);
  CHECK(b.snapshot->github.trouble == "not_found: Not Found");
  CHECK(b.takes.at(b.take(b.ask("linux", 1, 1))).runners.size() == 1);
  CHECK_FALSE(b.snapshot->github.well);
  CHECK(b.running().size() == 3);
  denied = false;
  b.advance(61s);
  CHECK(b.snapshot->github.well);
}

TEST_CASE("a token that ends soon is told once a day, and shown") {
  Bench b;
  b.world.token_expires_at = b.time + std::chrono::hours(24 * 15);
  b.profile("linux", 0);
  b.policy->timings.poll_interval = b.policy->timings.api_cache_timeout = 10min; // days pass
  b.start();
  CHECK(b.snapshot->github_token_expires_at == b.world.token_expires_at);
  CHECK_FALSE(any_event(b, "github_token_expires"));
  b.advance(std::chrono::hours(24) + 15min);
  const auto told = [&] {
    return std::count_if(b.events.begin(), b.events.end(), [](auto& e) { return e.starts_with("github_token_expires"); });
  };
  CHECK(told() == 1);
  b.advance(std::chrono::hours(24));
  CHECK(told() == 2);
  b.world.token_expires_at.reset();
  b.advance(15min);
  CHECK(b.snapshot->github_token_expires_at == std::nullopt);
}

TEST_CASE("a new token ends what GitHub's limits held back of the old one") {
  Bench b;
  b.profile("linux", 2);
  b.start();
  b.boot_all();
  Held<effect::ListRegistrations> listing(b, limited_for(3'600s));
  b.advance(31s);
  CHECK(listing.calls == 1);
  SUBCASE("without one nobody is asked") {
    b.advance(600s);
    CHECK(listing.calls == 1);
  }
  SUBCASE("with one GitHub is asked at once") {
    listing.held = false;
    b.core->on_new_token(b.now());
    b.run();
    CHECK(listing.calls == 2);
    CHECK(b.takes.at(b.take(b.ask("linux", 1))).runners.size() == 1);
    b.power_off(b.running().front());
    b.advance(10s);
    CHECK(b.running().size() == 2);
  }
}

TEST_CASE("with a new token runners that wait for the old one's limit are registered at once") {
  Bench b;
  Held<effect::Register> registrations(b, limited_for(3'600s));
  b.start();
  b.advance(60s);
  REQUIRE(registrations.calls == 3);
  REQUIRE(b.running().empty());
  registrations.held = false;
  b.core->on_new_token(b.now());
  b.run();
  CHECK(b.running().size() == 3);
  CHECK(b.store.next_id == 4);
}

TEST_CASE("with a new token the pauses are over that were grown when GitHub refused the old one's registrations") {
  Bench b;
  Held<effect::Register> registrations(b, {GithubError::Kind::unauthorized, 401, "Bad credentials"});
  b.start();
  b.advance(20min);
  const auto calls = registrations.calls;
  b.advance(1s);
  REQUIRE(registrations.calls == calls);
  registrations.held = false;
  b.core->on_new_token(b.now());
  b.run();
  CHECK(b.running().size() == 3);
}
