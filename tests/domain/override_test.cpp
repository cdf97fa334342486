/// Policy overrides: what is granted, what is delivered, and how one ends.
#include "tests/support/bench.hpp"

#include <doctest/doctest.h>

using namespace ci::test;
using namespace std::chrono_literals;

namespace {

OverrideProfile at(const char* key, int target, int critical, std::int64_t pages, int delivered = 0) {
  return {key, target, critical, delivered, {pages, 0}};
}

/// linux 2, windows 1, macos 1 at 24 pages, wpt 0 at 12, on a host of 96.
OverrideGround servo_host(int linux_busy, int windows_reserved) {
  return {{at("linux", 2, linux_busy, 24), at("macos", 1, 0, 24), at("windows", 1, windows_reserved, 24),
           at("wpt", 0, 0, 12)},
          {96, 0}};
}

/// The same host in motion: everything idle.
struct Host : Bench {
  Host() {
    policy->profiles.clear();
    policy->max_parallel_creates = 100;
    for (auto [key, target, pages] :
         {std::tuple{"linux", 2, 24}, {"windows", 1, 24}, {"macos", 1, 24}, {"wpt", 0, 12}}) {
      profile(key, target, pages);
      world.add_template(std::string("ci-template-") + key + "@2026-01-01T00:00:00.000000000Z");
    }
    start();
    boot_all();
  }
  std::map<std::string, int> healthy() const {
    std::map<std::string, int> result;
    for (auto& [key, counts] : snapshot->profiles)
      result[key] = counts.healthy;
    return result;
  }
  std::string first_of(const std::string& key) const {
    for (auto& [id, r] : core->runners())
      if (r.rec.profile == key)
        return r.rec.guest_name;
    return "";
  }
  LeverAnswer override_to(ProfileNumbers counts) { return pull(lever::StartOverride{std::move(counts)}); }
  /// Time for what is too many to be let go, and for what replaces it to come online.
  void settle() {
    for (int i = 0; i < 4; ++i) {
      advance(31s);
      boot_all();
    }
  }
  void finish_job(const std::string& guest) {
    world.end_job(guest);
    power_off(guest);
  }
};

} // namespace

TEST_CASE("an override is granted what is left beside reserved and busy runners") {
  auto d = decide_override({{"wpt", 9}}, servo_host(1, 1));
  CHECK(d.refusal == OverrideRefusal::none);
  CHECK(d.granted == ProfileNumbers{{"wpt", 4}});
  CHECK(d.targets == ProfileNumbers{{"linux", 1}, {"macos", 0}, {"windows", 1}, {"wpt", 4}});
}

TEST_CASE("others give up where there is most of them") {
  OverrideGround ground{{at("a-niche", 2, 0, 6), at("b-common", 6, 0, 6), at("override", 0, 0, 6),
                         at("y-common", 6, 0, 6), at("z-niche", 2, 0, 6)},
                        {96, 0}};
  auto d = decide_override({{"override", 2}}, ground);
  CHECK(d.granted == ProfileNumbers{{"override", 2}});
  CHECK(d.targets.at("b-common") == 5);
  CHECK(d.targets.at("y-common") == 5);
  CHECK(d.targets.at("a-niche") == 2);
}

TEST_CASE("demand that the configured target meets is no extra demand, busy runners of others take from it") {
  auto d = decide_override({{"linux", 2}}, servo_host(0, 0));
  CHECK(d.refusal == OverrideRefusal::nothing_extra);
  d = decide_override({{"linux", 3}}, servo_host(1, 0));
  CHECK(d.extra == ProfileNumbers{{"linux", 2}});
  CHECK(d.granted == ProfileNumbers{{"linux", 3}});
  CHECK(d.targets == ProfileNumbers{{"linux", 4}, {"macos", 0}, {"windows", 0}, {"wpt", 0}});
}

TEST_CASE("refused: nothing asked, unknown profiles, no room") {
  CHECK(decide_override({}, servo_host(0, 0)).refusal == OverrideRefusal::nothing_extra);
  CHECK(decide_override({{"wpt", 0}}, servo_host(0, 0)).refusal == OverrideRefusal::nothing_extra);
  auto d = decide_override({{"wpt", 1}, {"bsd", 1}}, servo_host(0, 0));
  CHECK(d.refusal == OverrideRefusal::unknown_profile);
  CHECK(d.unknown == "bsd");
  OverrideGround full{{at("linux", 4, 4, 24), at("wpt", 0, 0, 12)}, {96, 0}};
  CHECK(decide_override({{"wpt", 1}}, full).refusal == OverrideRefusal::nothing_fits);
}

TEST_CASE("a profile that is asked for none of gives up like any other") {
  auto d = decide_override({{"wpt", 9}, {"linux", 0}}, servo_host(0, 1));
  CHECK(d.granted == ProfileNumbers{{"linux", 0}, {"wpt", 6}});
  CHECK(d.targets.at("linux") == 0);
}

TEST_CASE("asking for ten thousand of everything is decided at once") {
  OverrideGround ground{{}, {96, 0}};
  ProfileNumbers asked;
  for (int i = 0; i < 200; ++i) {
    auto key = "p" + std::to_string(i);
    ground.profiles.push_back(at(key.c_str(), 0, 0, 1));
    asked[key] = 10'000;
  }
  auto d = decide_override(asked, ground);
  int total = 0;
  for (auto& [key, count] : d.granted)
    total += count;
  CHECK(total == 96);
}

TEST_CASE("a note is read as it was written, and anything else is none") {
  Override o{Time(Duration(1'700'000'000'123)), {{"wpt", 9}, {"a b", 1}}, {{"wpt", 4}, {"a b", 0}},
             {{"wpt", 4}, {"linux", 1}},        {{"wpt", {7, 12}}},       "96/0 linux=2*24/0"};
  CHECK(parse_override(to_note(o)) == o);
  for (auto* text : {"", "x", "created_at 1\n", "created_at x\ngranted 1 a\n", "created_at 1\ngranted 1\n",
                     "created_at 1\nfoo 1 a\n"})
    CHECK_FALSE(parse_override(text));
}

TEST_CASE("an override takes idle runners away first, delivers, and ends when all it brought has ended") {
  Host b;
  b.world.begin_job(b.first_of("linux"));
  b.advance(31s);
  auto reserved = b.take(Bench::ask("windows", 1));
  REQUIRE(b.takes.at(reserved).runners.size() == 1);
  CHECK(b.override_to({{"wpt", 9}}).granted == ProfileNumbers{{"wpt", 4}});
  REQUIRE(b.snapshot->policy_override);
  CHECK(b.snapshot->policy_override->delivered.empty());
  CHECK(b.snapshot->profiles.at("linux").target == 1);
  CHECK(b.core->held().hugepages_1g <= 96);
  b.policy->timings.reserve_timeout = 3600s;
  b.apply_policy();
  b.settle();
  CHECK(b.snapshot->profiles.at("wpt").idle == 4);
  CHECK(b.snapshot->profiles.at("macos").healthy == 0);
  CHECK(b.snapshot->policy_override->delivered.at("wpt").size() == 4);

  auto delivered = b.snapshot->policy_override->delivered.at("wpt");
  for (auto id : delivered)
    b.world.begin_job(b.runner(id).rec.guest_name);
  b.advance(31s);
  CHECK(b.snapshot->profiles.at("wpt").busy == 4);
  for (auto id : delivered) {
    REQUIRE(b.snapshot->policy_override);
    b.finish_job(b.runner(id).rec.guest_name);
  }
  CHECK(b.snapshot->policy_override == nullptr);
  CHECK(b.store.notes.empty());
  b.settle();
  CHECK(b.healthy() == std::map<std::string, int>{{"linux", 2}, {"macos", 1}, {"windows", 1}, {"wpt", 0}});
}

TEST_CASE("a runner that is reserved the moment it is idle counts as delivered") {
  Host b;
  b.override_to({{"wpt", 1}});
  b.advance(65s);
  auto guest = b.first_of("wpt");
  REQUIRE_FALSE(guest.empty());
  b.world.guests.at(guest).config = b.jitconfig(b.world.guests.at(guest).address);
  b.lose = [](const Effect& e) {
    return std::holds_alternative<effect::ListRegistrations>(e) || std::holds_alternative<effect::Look>(e);
  };
  b.advance(31s);
  b.lose = nullptr;
  b.world.go_online(guest);
  b.core->on_registration_listing(b.now(), b.world.list(b.steady)); // no crank before the take
  auto request = b.take(Bench::ask("wpt", 1));
  REQUIRE(b.takes.at(request).runners.size() == 1);
  CHECK(b.snapshot->policy_override->delivered.at("wpt") ==
        std::vector<RunnerId>{b.takes.at(request).runners[0]->id});
}

TEST_CASE("one override at a time, until it is cancelled") {
  Host b;
  CHECK_FALSE(b.pull(lever::CancelOverride{}).granted);
  CHECK(b.override_to({{"wpt", 2}}).granted == ProfileNumbers{{"wpt", 2}});
  CHECK(b.override_to({{"wpt", 3}}).verdict.refusal == Refusal::override_active);
  CHECK(b.pull(lever::CancelOverride{}).granted == ProfileNumbers{{"wpt", 2}});
  CHECK(b.snapshot->policy_override == nullptr);
  CHECK(b.snapshot->profiles.at("wpt").target == 0);
  CHECK(b.override_to({{"linux", 1}}).verdict.refusal == Refusal::override_idle);
  CHECK(b.override_to({{"bsd", 1}}).verdict.refusal == Refusal::unknown_profile);
}

TEST_CASE("an override is answered after its commit") {
  Host b;
  b.lose = [](const Effect& e) { return std::holds_alternative<effect::Commit>(e); };
  auto id = b.next_request++;
  b.core->operate(b.now(), id, lever::StartOverride{{{"wpt", 2}}});
  b.run();
  CHECK(b.levers.count(id) == 0);
}

TEST_CASE("an override survives a restart, with what it delivered and its age") {
  Host b;
  b.override_to({{"wpt", 4}});
  b.settle();
  auto before = *b.snapshot->policy_override;
  REQUIRE(before.delivered.at("wpt").size() == 4);
  b.start();
  b.advance(31s);
  REQUIRE(b.snapshot->policy_override);
  CHECK(*b.snapshot->policy_override == before);
  b.sleep_through(6h);
  CHECK(b.snapshot->policy_override == nullptr);
  b.start();
  CHECK(b.store.notes.empty());
}

TEST_CASE("an override's age is not moved by a jump of the clock") {
  Host b;
  b.override_to({{"wpt", 4}});
  b.time += 24h;
  b.core->on_clock_jump(b.now(), 24h);
  b.run();
  CHECK(b.snapshot->policy_override);
  b.start();
  CHECK(b.snapshot->policy_override);
}

TEST_CASE("new settings refit an override") {
  Host b;
  b.override_to({{"wpt", 9}});
  CHECK(b.snapshot->policy_override->granted == ProfileNumbers{{"wpt", 8}});
  b.settle();
  CHECK(b.snapshot->profiles.at("wpt").idle == 8);
  b.policy->budget = {60, std::int64_t{1} << 40};
  b.apply_policy();
  CHECK(b.snapshot->policy_override->granted == ProfileNumbers{{"wpt", 5}});
  b.settle();
  CHECK(b.snapshot->profiles.at("wpt").idle == 5);
  // What it delivered and is busy now is not counted as others' demand on top of it.
  for (auto id : b.snapshot->policy_override->delivered.at("wpt"))
    if (b.core->runners().count(id))
      b.world.begin_job(b.runner(id).rec.guest_name);
  b.advance(31s);
  b.policy->budget = {96, std::int64_t{1} << 40};
  b.apply_policy();
  CHECK(b.snapshot->policy_override->granted == ProfileNumbers{{"wpt", 8}});
}

TEST_CASE("nothing of a paused profile is granted, and a pause takes back what was") {
  Host b;
  b.pull(lever::SetPaused{"wpt", true});
  auto refused = b.override_to({{"wpt", 4}});
  CHECK(refused.verdict.refusal == Refusal::override_unfit);
  CHECK(refused.verdict.detail == "Profile wpt is paused: no runners of it can be granted.");
  b.settle();
  CHECK(b.snapshot->profiles.at("linux").idle == 2);
  const auto half = b.override_to({{"wpt", 2}, {"windows", 2}});
  CHECK(half.verdict.detail == "");
  REQUIRE(b.snapshot->policy_override);
  CHECK(b.snapshot->policy_override->granted == ProfileNumbers{{"windows", 2}, {"wpt", 0}});
  b.pull(lever::SetPaused{"wpt", false});
  REQUIRE(b.snapshot->policy_override);
  CHECK(b.snapshot->policy_override->granted.at("wpt") == 2);
  b.pull(lever::SetPaused{"wpt", true});
  REQUIRE(b.snapshot->policy_override);
  CHECK(b.snapshot->policy_override->granted.at("wpt") == 0);
  b.pull(lever::SetPaused{"windows", true});
  CHECK(!b.snapshot->policy_override);
  b.settle();
  CHECK(b.snapshot->profiles.at("linux").idle == 2);
}

TEST_CASE(
    "an override ends where its profile is configured no more, or the new settings leave nothing of it") {
  Host b;
  b.override_to({{"wpt", 2}});
  b.policy->profiles.erase("wpt");
  b.apply_policy();
  CHECK(b.snapshot->policy_override == nullptr);

  Host c;
  c.override_to({{"wpt", 2}});
  c.policy->profiles["wpt"].target_count = 4;
  c.apply_policy();
  CHECK(c.snapshot->policy_override == nullptr);
  CHECK(c.store.notes.empty());
}

TEST_CASE("a note of an override that can't be read is dropped") {
  Host b;
  b.store.notes = {{"policy_override", "nonsense"}};
  b.start();
  CHECK(b.snapshot->policy_override == nullptr);
  CHECK(b.store.notes.empty());
}
