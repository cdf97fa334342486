/// Stories of images: built, tried, switched to, replaced, deleted.
#include "tests/support/forge.hpp"

#include <doctest/doctest.h>

using namespace ci::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* old_template = "ci-template-linux@2026-01-01T00:00:00.000000000Z";

/// From now on the disks of runners of other images than `first` are not made; `tried` is the last one that was ordered.
void hold_trials(Forge& b, const std::string& first, std::optional<RunnerId>& tried) {
  b.lose = [first, &tried](const Effect& e) {
    auto* prepare = std::get_if<effect::Prepare>(&e);
    if (!prepare || prepare->spec.template_guest == first)
      return false;
    tried = prepare->runner;
    return true;
  };
}

} // namespace

TEST_CASE("an empty host builds its first image and fills the pool from it") {
  Forge b;
  b.start();
  REQUIRE(b.rebuilds_on().size() == 1);
  CHECK(b.running().empty());
  CHECK(b.counts().image.state == "building");
  CHECK(b.core->held().hugepages_1g == 1);
  CHECK(b.boot_script(b.world.guests.at(b.rebuilds_on().front()).address) == "boot linux");
  b.finish_build();
  CHECK(b.rebuilds_on().empty());
  CHECK(b.templates().size() == 1);
  CHECK(b.counts().image.state == "trial");
  CHECK(b.running().size() == 2); // a first image's trial runners are all there is
  b.boot_all();
  CHECK(b.counts().image.state == "ready");
  CHECK(b.count(Status::Idle) == 2);
  REQUIRE(b.counts().image_made_at);
}

TEST_CASE("no boot script goes to an address that is nobody's") {
  Forge b;
  b.start();
  CHECK(b.boot_script("10.0.0.99").empty());
}

TEST_CASE(
    "G8: an old image is replaced while its runners serve; capacity is never below the target less one") {
  for (std::int64_t pages : {3, 4, 16}) { // no spare room, room for one more, plenty
    CAPTURE(pages);
    Forge b(3, pages);
    b.fill();
    auto first = b.templates().front();
    b.policy->timings.base_image_max_age = 1h;
    b.policy->profiles.at("linux").image.build_timeout = 5h;
    b.apply_policy();
    int least = b.roll(70min, 60s);
    REQUIRE(b.rebuilds_on().size() == 1);
    CHECK(least >= (pages == 3 ? 2 : 3));
    CHECK(b.runners_of()[first] == (pages == 3 ? 2 : 3));
    b.finish_build();
    least = b.roll(10min);
    CHECK(least >= 2);
    CHECK(b.runners_of() == std::map<std::string, int>{{b.templates().back(), 3}});
    CHECK(b.templates().size() == 2);
    CHECK(b.core->held().hugepages_1g == 3);
  }
}

TEST_CASE("an image that was asked for, and that nobody wants runners of, is shown as waiting for them") {
  Forge b(2, 4);
  b.fill();
  b.policy->profiles["linux"].target_count = 0;
  b.apply_policy();
  CHECK(b.rebuild("linux").verdict.refusal == Refusal::none);
  b.roll(3min);
  CHECK(b.rebuilds_on().empty());
  auto image = b.snapshot->profiles.at("linux").image;
  CHECK(image.due == "it was asked for");
  CHECK(image.waits_for == "runners of it to be wanted");
  b.policy->profiles["linux"].target_count = 2;
  b.apply_policy();
  b.roll(3min);
  CHECK(b.rebuilds_on().size() == 1);
}

TEST_CASE("G8: a build takes no slot that another profile's runner is to have") {
  Forge b(2, 4);
  b.world.add_template("ci-template-other@2026-01-01T00:00:00.000000000Z");
  b.profile("other", 2);
  b.fill();
  auto of_other = [&] {
    int n = 0;
    for (auto& [id, r] : b.core->runners())
      n += r.rec.profile == "other" && b.core->status(r) == Status::Idle;
    return n;
  };
  CHECK(of_other() == 2);
  CHECK(b.rebuild("linux").verdict.refusal == Refusal::none);
  b.roll(3min);
  REQUIRE(b.rebuilds_on().size() == 1);
  // A runner of the other profile ends: its slot goes to its successor, not to linux.
  for (auto& name : b.running())
    if (name.starts_with("ci-runner-other")) {
      b.power_off(name);
      break;
    }
  b.roll(2min);
  CHECK(of_other() == 2);
  CHECK(b.runners_of()[b.templates().front()] + b.runners_of()[b.templates().back()] >= 2);
  CHECK(b.core->held().hugepages_1g == 4);
}

TEST_CASE("a build that crashes is deleted, says why, and is tried again after growing pauses") {
  Forge b;
  b.fill();
  auto first = b.templates().front();
  b.rebuild("linux");
  Duration pause = 5min;
  for (int i = 1; i <= 9; ++i) {
    CAPTURE(i);
    REQUIRE(b.rebuilds_on().size() == 1);
    auto guest = b.rebuilds_on().front();
    b.world.power_off(guest, "crashed");
    b.advance(6s);
    CHECK(b.rebuilds_on().empty());
    CHECK(b.world.guests.count(guest) == 0);
    CHECK(b.world.image_files.size() == 1);
    CHECK(b.counts().image.failures == i);
    CHECK(b.counts().image.trouble.find("crashed") != std::string::npos);
    CHECK(b.counts().image.trouble_since);
    CHECK(b.templates() == std::vector<std::string>{first});
    if (i == 3)
      b.start(); // it survives a restart
    b.roll(pause - 20s, 10s);
    CHECK(b.rebuilds_on().empty());
    CHECK(b.count(Status::Idle) == 2);
    b.roll(30s, 5s);
    pause = std::min<Duration>(pause * 2, 6h);
  }
  b.build();
  b.roll(10min);
  CHECK(b.counts().image.failures == 0);
  CHECK(b.counts().image.trouble.empty());
  CHECK(b.runners_of()[first] == 0);
}

TEST_CASE("G8: an order that was cut short is nobody's fault, and the next build begins at once") {
  Forge b;
  auto dropped = [](const Effect& e) { return std::holds_alternative<effect::PrepareImage>(e); };
  auto started = [](const Effect& e) { return std::holds_alternative<effect::StartImage>(e); };
  SUBCASE("making its disk") {
    b.lose = dropped;
    b.start();
    b.lose = nullptr;
    b.core->on_image_prepared(b.now(), b.core->images().all().begin()->first, {"its actor has ended", b.steady, true});
  }
  SUBCASE("starting its guest") {
    b.lose = started;
    b.start();
    b.lose = nullptr;
    b.core->on_image_started(b.now(), b.core->images().all().begin()->first, {"its actor has ended", b.steady, true});
  }
  b.run();
  b.advance(10s);
  CHECK(b.counts().image.failures == 0);
  b.build();
  CHECK(b.templates().size() == 1);
  CHECK(b.world.image_files.size() == 1);
}

TEST_CASE("a build that hangs is ended by build_timeout") {
  Forge b;
  b.start();
  b.advance(599s);
  CHECK(b.rebuilds_on().size() == 1);
  b.advance(5s);
  CHECK(b.rebuilds_on().empty());
  CHECK(b.counts().image.trouble.find("600 s") != std::string::npos);
  CHECK(b.core->held() == Resources{});
}

TEST_CASE("a stop by the host is no good end of a build") {
  for (std::string reason : {"destroyed", shutdown_by_host}) {
    CAPTURE(reason);
    Forge b;
    b.start();
    b.world.power_off(b.rebuilds_on().front(), reason.c_str());
    b.advance(6s);
    CHECK(b.templates().empty());
    CHECK(b.counts().image.trouble.find(reason) != std::string::npos);
  }
}

TEST_CASE("an image stays while a runner's disk is being made from it, and goes when that runner has ended") {
  Forge b;
  b.fill();
  auto first = b.templates().front();
  std::optional<RunnerId> stuck;
  b.lose = [&](const Effect& e) {
    auto* prepare = std::get_if<effect::Prepare>(&e);
    if (!prepare || stuck || prepare->spec.template_guest != first)
      return false;
    stuck = prepare->runner;
    return true;
  };
  b.power_off(b.running().front());
  REQUIRE(stuck);
  for (int i = 0; i < 3; ++i) {
    b.roll(30s);
    b.rebuild("linux");
    b.build();
    b.roll(5min);
  }
  REQUIRE(b.core->images().is_discarded(first));
  CHECK(b.runners_of()[first] == 1);
  CHECK(b.world.guests.count(first) == 1);
  CHECK(b.world.image_files.size() == 4);
  b.start(); // what was being made is undone
  b.roll(1min);
  CHECK(b.core->runners().count(*stuck) == 0);
  CHECK(b.world.guests.count(first) == 0);
  CHECK(b.world.image_files.size() == 3);
}

TEST_CASE("no runner is made from an image that is being deleted, though a profile names it") {
  Forge b;
  b.fill();
  auto image = b.templates().front();
  auto& other = b.profile("other", 1);
  other.template_guest = image;
  b.lose = [](const Effect& e) { return std::holds_alternative<effect::DiscardImage>(e); };
  b.apply_policy();
  b.boot_all();
  CHECK(b.named("ci-runner-other.", GuestState::on).size() == 1);
  for (int i = 0; i < 3; ++i) {
    b.roll(30s);
    b.rebuild("linux");
    b.build();
    b.roll(5min);
  }
  REQUIRE(b.core->images().is_discarded(image));
  b.power_off(b.named("ci-runner-other.", GuestState::on).front());
  b.advance(1min);
  CHECK(b.named("ci-runner-other.", GuestState::on).empty());
  CHECK(b.snapshot->profiles.at("other").trouble.find("is being deleted") != std::string::npos);
}

TEST_CASE("an image whose trial runner never comes online is deleted, and the old one goes on") {
  Forge b(2, 2);
  b.fill();
  auto first = b.templates().front();
  b.rebuild("linux");
  b.roll(3min); // an idle runner makes room
  b.finish_build();
  CHECK(b.counts().image.state == "trial");
  CHECK(b.capacity() == 1);
  b.advance(3min);
  b.roll(2min);
  CHECK(b.templates() == std::vector<std::string>{first});
  CHECK(b.counts().image.trouble.find("did not come online") != std::string::npos);
  CHECK(b.count(Status::Idle) == 2);
  CHECK(b.runners_of()[first] == 2);
  CHECK(b.world.image_files.size() == 1);
}

TEST_CASE("a GitHub that is away does not fail a trial") {
  Forge b;
  b.fill();
  b.rebuild("linux");
  b.finish_build();
  b.fail = [](const Effect& e) -> std::optional<GithubError> {
    if (std::holds_alternative<effect::Publish>(e))
      return {};
    return World::error(GithubError::Kind::server, 503);
  };
  b.advance(10min);
  CHECK(b.counts().image.state == "trial");
  b.fail = nullptr;
  b.roll(20min, 10s);
  CHECK(b.counts().image.state == "ready");
  CHECK(b.counts().image.failures == 0);
}

TEST_CASE("G8: an image on trial holds no slot while its profile is paused") {
  Forge b(2, 2);
  b.fill();
  b.rebuild("linux");
  b.roll(3min); // an idle runner makes room
  REQUIRE(b.pull(lever::SetPaused{"linux", true}).verdict.refusal == Refusal::none);
  b.finish_build();
  CHECK(b.counts().image.state == "trial");
  CHECK(b.core->held().hugepages_1g == 1);
  SUBCASE("then it goes on") { b.pull(lever::SetPaused{"linux", false}); }
  SUBCASE("then it waits for room where another profile has the slot") {
    b.world.add_template("ci-template-other@2026-01-01T00:00:00.000000000Z");
    auto& other = b.profile("other", 1);
    b.apply_policy();
    b.roll(10s);
    REQUIRE(b.core->held().hugepages_1g == 2);
    b.pull(lever::SetPaused{"linux", false});
    b.roll(1min);
    CHECK(b.core->held().hugepages_1g == 2);
    CHECK(b.counts().image.state == "trial");
    other.target_count = 0;
    b.apply_policy();
  }
  b.roll(20min);
  CHECK(b.core->held().hugepages_1g == 2);
  CHECK(b.counts().image.state == "ready");
  CHECK(b.runners_of()[b.templates().front()] == 0);
}

TEST_CASE("an image of a profile that is configured no more is deleted however far it came") {
  for (std::string state : {"building", "sealing", "trial"})
    for (bool at_start : {false, true}) {
      CAPTURE(state);
      CAPTURE(at_start);
      Forge b;
      b.fill();
      b.rebuild("linux");
      b.pull(lever::SetPaused{"linux", true});
      b.fail_host = [&](const Effect& e) -> std::optional<std::string> {
        if (std::holds_alternative<effect::SealImage>(e) && state == "sealing")
          return "made up";
        return {};
      };
      if (state != "building")
        b.finish_build();
      REQUIRE(b.counts().image.state == state);
      b.fail_host = nullptr;
      b.policy->profiles.erase("linux");
      at_start ? b.start() : b.apply_policy();
      b.advance(10s);
      CHECK(b.core->images().all().size() == 1);
      CHECK(b.core->images().held() == Resources{});
      CHECK(b.world.image_files.size() == 1);
    }
}

TEST_CASE("a changed folder or image table asks for a build; an unchanged one does not") {
  Forge b;
  b.fill();
  b.apply_policy();
  b.roll(1min);
  CHECK(b.rebuilds_on().empty());
  b.policy->profiles.at("linux").image_fingerprint = "second";
  b.apply_policy();
  CHECK(b.rebuilds_on().size() == 1);
  b.build();
  b.roll(5min);
  CHECK(b.rebuilds_on().empty());
  CHECK(b.count(Status::Idle) == 2);
}

TEST_CASE("a profile without a target or without a recipe gets no image") {
  Forge b(0);
  b.start();
  CHECK(b.rebuilds_on().empty());
  CHECK(b.rebuild("linux").verdict.refusal == Refusal::none);
  CHECK(b.rebuilds_on().empty());
  Forge c;
  c.policy->profiles.at("linux").image.begins_with.kind = ImageBase::Kind::unset;
  c.start();
  CHECK(c.rebuilds_on().empty());
  CHECK(c.rebuild("linux").verdict.refusal == Refusal::no_recipe);
  CHECK(c.rebuild("nobody").verdict.refusal == Refusal::unknown_profile);
}

TEST_CASE("builds begin within build_window only") {
  Forge b;
  b.policy->build_window = DailyWindow{60, 120}; // the bench begins at midnight
  b.start();
  CHECK(b.rebuilds_on().empty());
  CHECK(b.counts().image.waits_for == "build_window");
  b.advance(59min);
  CHECK(b.rebuilds_on().empty());
  b.advance(2min);
  CHECK(b.rebuilds_on().size() == 1);
}

TEST_CASE("an existing template by hand serves, and is replaced when it is too old") {
  Forge b;
  b.world.add_template(old_template);
  b.time = *snapshot_time("2026-01-01T01:00:00Z");
  b.policy->profiles.at("linux").image.build_timeout = 5h;
  b.start();
  CHECK(b.rebuilds_on().empty());
  b.boot_all();
  CHECK(b.runners_of()[old_template] == 2);
  CHECK(b.counts().image.state == "hand-made");
  b.roll(24h, 10min);
  REQUIRE(b.rebuilds_on().size() == 1);
  b.build();
  b.roll(10min);
  CHECK(b.runners_of()[old_template] == 0);
  CHECK(b.world.guests.count(old_template) == 1); // not ours: never deleted
}

TEST_CASE("an image that was made while the clock was ahead is replaced when it is too old") {
  Forge b;
  b.policy->timings.base_image_max_age = 1h;
  b.policy->profiles.at("linux").image.build_timeout = 5h;
  b.time += 365 * 24h;
  b.fill();
  b.time -= 365 * 24h;
  SUBCASE("it was set back meanwhile") { b.core->on_clock_jump(b.now(), -365 * 24h); }
  SUBCASE("it was set back while the service was down") { b.start(); }
  b.roll(5s);
  REQUIRE(b.counts().image_made_at);
  CHECK(*b.counts().image_made_at <= b.time);
  b.roll(50min, 60s);
  CHECK(b.rebuilds_on().empty());
  b.roll(20min, 60s);
  CHECK(b.rebuilds_on().size() == 1);
  auto old = b.templates().front();
  b.build();
  b.roll(10min);
  CHECK(b.runners_of()[old] == 0);
}

TEST_CASE(
    "the three newest images are kept; one that a runner's disk depends on stays until that has ended") {
  Forge b(2);
  b.fill();
  auto first = b.templates().front();
  auto busy = b.running().front();
  b.world.begin_job(busy);
  b.advance(31s);
  for (int i = 0; i < 4; ++i) {
    b.advance(1s);
    b.rebuild("linux");
    b.finish_build();
    b.roll(5min);
  }
  auto names = b.templates();
  CHECK(names.size() == 4);
  CHECK(names.front() == first);
  b.world.end_job(busy);
  b.power_off(busy);
  b.roll(1min);
  CHECK(b.templates().size() == 3);
  CHECK(b.world.guests.count(first) == 0);
  CHECK(b.world.image_files.size() == 3);
  CHECK(b.store.images.size() == 3);
}

TEST_CASE("main_repo_path is updated before a round of builds, never while a rebuild guest runs") {
  Forge b;
  b.policy->repo_to_update = "/srv/repo";
  auto& other = b.policy->profiles["other"] = b.policy->profiles.at("linux");
  other.key = "other";
  b.lose = [](const Effect& e) { return std::holds_alternative<effect::UpdateRepo>(e); };
  b.start();
  CHECK(b.rebuilds_on().empty()); // they wait for it
  b.lose = nullptr;
  b.start();
  CHECK(b.world.repo_updates == 1);
  CHECK(b.rebuilds_on().size() == 2);
  b.world.power_off(b.rebuilds_on().front());
  b.advance(1min);
  CHECK(b.world.repo_updates == 1);
}

TEST_CASE("a failed update of the repository does not keep builds from beginning") {
  Forge b;
  b.policy->repo_to_update = "/srv/repo";
  b.fail_host = [](const Effect& e) -> std::optional<std::string> {
    if (std::holds_alternative<effect::UpdateRepo>(e))
      return "no network";
    return {};
  };
  b.start();
  CHECK(b.rebuilds_on().size() == 1);
}

TEST_CASE("G5: after a crash at any order of a build nothing is left over, and the pool is filled") {
  using Kind = bool (*)(const Effect&);
  const Kind kinds[] = {
      [](const Effect& e) { return std::holds_alternative<effect::PrepareImage>(e); },
      [](const Effect& e) { return std::holds_alternative<effect::StartImage>(e); },
      [](const Effect& e) { return std::holds_alternative<effect::SealImage>(e); },
      [](const Effect& e) { return std::holds_alternative<effect::DiscardImage>(e); },
  };
  for (auto kind : kinds)
    for (bool acted : {false, true}) {
      Forge b(2, 2);
      b.fill();
      b.lose = [&](const Effect& e) {
        if (!kind(e))
          return false;
        if (acted) { // it happened, but nobody heard of it
          if (auto* p = std::get_if<effect::PrepareImage>(&e))
            b.world.prepare_image(p->spec, b.steady);
          if (auto* s = std::get_if<effect::StartImage>(&e))
            b.world.start_image(s->spec, b.steady);
          if (auto* s = std::get_if<effect::SealImage>(&e))
            b.world.seal_image(s->spec, b.steady);
          if (auto* d = std::get_if<effect::DiscardImage>(&e))
            b.world.discard_image(d->spec, b.steady);
        }
        return true;
      };
      b.rebuild("linux");
      if (auto on = b.rebuilds_on(); !on.empty()) {
        // One that is to be discarded crashes.
        bool discards = kind == kinds[3];
        b.world.power_off(on.front(), discards ? "crashed" : "shutdown");
      }
      b.advance(10s);
      b.lose = nullptr;
      b.start();
      b.roll(10min);
      if (!b.rebuilds_on().empty())
        b.finish_build();
      b.roll(20min);
      CHECK(b.count(Status::Idle) == 2);
      CHECK(b.rebuilds_on().empty());
      CHECK(b.templates().size() == 2);
      CHECK(b.world.image_files.size() == 2);
      CHECK(b.store.images.size() == 2);
      CHECK(b.core->held().hugepages_1g == 2);
      CHECK(b.runners_of()[b.templates().back()] == 2);
    }
}

TEST_CASE("G5: a build that filled the file system of the store is deleted though that can't be written") {
  Forge b;
  b.start();
  const auto guest = b.rebuilds_on().front();
  b.hold_commits();
  b.world.power_off(guest, "crashed");
  b.advance(10s);
  CHECK(b.world.guests.count(guest) == 0);
  CHECK(b.world.image_files.empty());
  REQUIRE(b.store.images.size() == 1);
  REQUIRE(b.store.images.front().phase == ImagePhase::building);
  SUBCASE("then there is room") {
    while (!b.held_commits.empty())
      b.complete_commit();
    b.lose = nullptr;
    CHECK(b.store.images.empty());
    CHECK(b.counts().image.failures == 1);
    b.roll(5min);
  }
  SUBCASE("the service is killed before there is") {
    b.lose = nullptr;
    b.start();
  }
  REQUIRE(b.rebuilds_on().size() == 1);
  CHECK(b.rebuilds_on().front() != guest);
  CHECK(b.store.images.size() == 1);
  CHECK(b.world.image_files.size() == 1);
  CHECK(b.core->held().hugepages_1g == 1);
}

TEST_CASE("G5: a build waits for its own record, not for one of the build before it that had the same name") {
  Forge b;
  b.start();
  const auto first = b.store.images.front();
  b.hold_commits();
  auto& target = b.policy->profiles.at("linux").target_count;
  const auto wanted = std::exchange(target, 0);
  b.start(); // what was being built is deleted
  REQUIRE(b.world.image_files.empty());
  target = wanted;
  b.apply_policy(); // and begun anew at the very same time
  while (!b.held_commits.empty()) {
    b.complete_commit();
    const bool recorded = !b.store.images.empty() && b.store.images.front().uuid != first.uuid;
    CHECK((recorded || b.world.image_files.empty()));
  }
  REQUIRE(b.rebuilds_on().size() == 1);
  CHECK(b.store.images.front().template_guest == first.template_guest);
}

TEST_CASE("G5: a crash between the trial runner's coming online and the switch repeats the switch") {
  Forge b;
  b.fill();
  b.rebuild("linux");
  b.finish_build();
  auto newest = b.templates().back();
  bool dead = false;
  b.lose = [&](const Effect& e) {
    if (auto* commit = std::get_if<effect::Commit>(&e))
      for (auto& op : commit->batch)
        if (auto* put = std::get_if<store::PutImage>(&op))
          dead |= put->image.phase == ImagePhase::ready;
    return dead;
  };
  b.boot_all();
  REQUIRE(dead);
  b.lose = nullptr;
  b.start();
  b.roll(5min);
  CHECK(b.counts().image.template_guest == newest);
  CHECK(b.runners_of() == std::map<std::string, int>{{newest, 2}});
}

TEST_CASE("G4: a rebuild guest that only looks ours counts in the budget and is left alone") {
  Forge b(2, 2);
  b.world.guests["ci-rebuild-linux@2026-01-01T00:00:00.000000000Z"] = {"foreign", GuestState::on, "", "",
                                                                       "",        false};
  b.start();
  b.advance(10s);
  CHECK(b.core->held().hugepages_1g == 2); // it, and our own build
  REQUIRE(b.rebuilds_on().size() == 2);
  b.world.power_off(b.rebuilds_on().front());
  b.roll(5min);
  CHECK(b.count(Status::Idle) == 1);
  CHECK(b.world.guests.count("ci-rebuild-linux@2026-01-01T00:00:00.000000000Z") == 1);
}

TEST_CASE("a snapshot's name sorts as its time, and reads back") {
  Time t{std::chrono::hours(24 * 365 * 50) + 7ms};
  CHECK(snapshot_name(t).ends_with(":00.007000000Z"));
  CHECK(snapshot_name(t) < snapshot_name(t + 1ms));
  CHECK(snapshot_time(snapshot_name(t)));
}

TEST_CASE("a daily window holds its beginning and not its end, and may go over midnight") {
  const DailyWindow day{60, 120}, night{1'380, 60};
  CHECK_FALSE(day.contains(59));
  CHECK(day.contains(60));
  CHECK(day.contains(119));
  CHECK_FALSE(day.contains(120));
  CHECK(night.contains(1'380));
  CHECK(night.contains(0));
  CHECK(night.contains(59));
  CHECK_FALSE(night.contains(60));
  CHECK_FALSE(night.contains(1'379));
}

TEST_CASE("an image that no runner can be made from is given up at the third try; what was cut short is no try") {
  for (bool cut_short : {false, true}) {
    CAPTURE(cut_short);
    Forge b;
    b.fill();
    auto first = b.templates().front();
    b.rebuild("linux");
    std::optional<RunnerId> tried;
    hold_trials(b, first, tried);
    b.finish_build();
    for (int i = 0; i < 3; ++i) {
      REQUIRE(tried);
      CHECK(b.counts().image.state == "trial");
      b.core->on_prepared(b.now(), *std::exchange(tried, {}), {"no space", b.steady, cut_short});
      b.run();
      b.advance(5min);
    }
    CHECK(b.counts().image.failures == (cut_short ? 0 : 1));
    CHECK(b.templates().size() == (cut_short ? 2 : 1));
    CHECK(b.counts().idle >= 1); // the trial has borrowed a slot
  }
}

TEST_CASE("an image on trial waits for a host that has no room for a runner's disk, and that is shown") {
  Forge b;
  b.fill();
  auto first = b.templates().front();
  b.rebuild("linux");
  std::optional<RunnerId> tried;
  hold_trials(b, first, tried);
  b.finish_build();
  int tries = 0;
  for (int turn = 0; turn < 180; ++turn) {
    if (tried) {
      b.core->on_prepared(b.now(), *std::exchange(tried, {}), {"only 9 MiB are free", b.steady, true});
      b.run();
      ++tries;
    }
    CHECK(b.counts().trouble == "disk: only 9 MiB are free");
    CHECK(b.counts().image.state == "trial");
    b.advance(10s);
  }
  CHECK(tries < 15);
  b.lose = nullptr;
  b.roll(20min);
  CHECK(b.counts().image.state == "ready");
  CHECK(b.counts().trouble.empty());
  CHECK(b.runners_of()[first] == 0);
}

TEST_CASE("an image whose guest can't be renamed is given up at the third try; what was cut short is no try") {
  for (bool cut_short : {false, true}) {
    CAPTURE(cut_short);
    Forge b;
    b.start();
    int tries = 0;
    b.lose = [&](const Effect& e) {
      tries += std::holds_alternative<effect::SealImage>(e);
      return std::holds_alternative<effect::SealImage>(e);
    };
    b.finish_build();
    auto image = b.core->images().all().begin()->first;
    for (int i = 1; i <= 3; ++i) {
      REQUIRE(tries == i);
      b.core->on_image_sealed(b.now(), image, {"made up", b.steady, cut_short});
      b.run();
      b.advance(2min);
    }
    CHECK(b.counts().image.failures == (cut_short ? 0 : 1));
    CHECK(b.core->images().all().count(image) == (cut_short ? 1 : 0));
    if (!cut_short)
      CHECK(b.counts().image.trouble == "renaming its rebuild guest: made up");
  }
}

TEST_CASE("a build whose profile goes, or whose guest is undefined, ends") {
  Forge b;
  b.start();
  auto guest = b.rebuilds_on().front();
  SUBCASE("its profile goes") {
    b.policy->profiles.clear();
    b.apply_policy();
    CHECK(b.core->images().all().empty());
    CHECK(b.core->held() == Resources{});
  }
  SUBCASE("its guest is undefined") {
    b.world.guests.erase(guest);
    b.advance(6s);
    CHECK(b.counts().image.trouble == "the rebuild guest is gone");
  }
  CHECK(b.world.guests.count(guest) == 0);
  CHECK(b.world.image_files.empty());
}

TEST_CASE("no runner is made from an image while somebody has started its template guest") {
  Forge b;
  b.fill();
  auto name = b.templates().front();
  auto seen = [&](GuestState state) {
    b.steady += 1ms;
    b.core->on_guest(b.now(), {name, b.world.guests.at(name).uuid, state, "booted", b.steady});
  };
  seen(GuestState::on);
  CHECK(b.core->images().template_for("linux").empty());
  seen(GuestState::off);
  CHECK(b.core->images().template_for("linux") == name);
  seen(GuestState::absent); // it may have been renamed: a listing tells
  CHECK(b.core->images().template_for("linux") == name);
  b.run();
  CHECK(b.count(Status::Idle) == 2);
}

TEST_CASE("a newer template by hand is preferred to an image of ours, and the newest of several") {
  Forge b;
  b.fill();
  auto ours = b.templates().front();
  for (auto year : {"2098", "2099", "2100"})
    b.world.add_template("ci-template-linux@" + std::string(year) + "-01-01T00:00:00.000000000Z");
  auto newest = std::string("ci-template-linux@2099-01-01T00:00:00.000000000Z");
  b.world.guests.at("ci-template-linux@2100-01-01T00:00:00.000000000Z").state = GuestState::on; // being made
  b.roll(10min);
  CHECK(b.counts().image.state == "hand-made");
  CHECK(b.counts().image.template_guest == newest);
  CHECK(b.runners_of() == std::map<std::string, int>{{newest, 2}});
  CHECK(b.links.at("linux") == ours.substr(ours.rfind('@') + 1)); // it points to images alone
}

TEST_CASE("a first image that fails its trial takes along all that was made from it; a guest that others ended "
          "proves nothing") {
  for (std::string ended_by : {"destroyed", shutdown_by_host}) {
    Forge b;
    b.start();
    b.finish_build();
    auto image = b.templates().front();
    b.advance(60s);
    b.power_off(b.running().back(), ended_by); // and is replaced
    CHECK(b.counts().image.failures == 0);
    CHECK(b.core->runners().count(3) == 1);
    b.advance(61s);
    CHECK(b.counts().image.failures == 1);
    CHECK(b.running().empty());
    CHECK(b.world.guests.count(image) == 0);
    CHECK(std::any_of(b.history.begin(), b.history.end(), [](auto& line) {
      return line.event == "destroying" && line.runner == 3 && line.detail == "its image failed its trial";
    }));
  }
}
