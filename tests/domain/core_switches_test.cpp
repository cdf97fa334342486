/// Settings that switch parts of the service off.
#include "tests/support/forge.hpp"
#include "tests/support/promised.hpp"

using namespace ci::test;
using namespace std::chrono_literals;

namespace {

/// A pool that GitHub is not told of.
struct Unregistered : Bench {
  Unregistered() { policy->dont_register_runners = true; }
};

} // namespace

TEST_CASE("destroy_all_non_busy_runners spares Busy and Reserved ones alone") {
  Promised b;
  b.jobs(1);
  b.world.begin_job(b.runner(2).rec.guest_name);
  b.advance(31s);
  b.profile("linux", 4); // its last runner is not online yet
  b.apply_policy();
  REQUIRE(b.status(4) == Status::StartedOrCrashed);
  b.policy->destroy_all_non_busy_runners = b.policy->dont_create_runners = true;
  b.apply_policy();
  CHECK(b.status(b.given[0]) == Status::Reserved);
  CHECK(b.status(2) == Status::Busy);
  CHECK_FALSE(b.lives(3));
  CHECK_FALSE(b.lives(4));
  b.advance(120s);
  CHECK(b.core->runners().size() == 2);
  CHECK(b.world.killed_at_work.empty());
}

TEST_CASE("dont_create_runners makes neither runners nor images") {
  Forge b;
  b.policy->dont_create_runners = true;
  b.start();
  b.advance(1min);
  CHECK(b.rebuilds_on().empty());
  CHECK(b.counts().image.due.empty());
  b.policy->dont_create_runners = false;
  b.apply_policy();
  CHECK(b.rebuilds_on().size() == 1);
}

TEST_CASE("runners that are not registered run under no limit of GitHub's, and are nobody's to take") {
  Unregistered b;
  b.policy->writes_per_minute = 1;
  b.start();
  CHECK(b.running().size() == 3);
  CHECK(b.world.registered == 0);
  CHECK(b.count(Status::StartedOrCrashed) == 3);
  const auto answer = b.takes.at(b.take(Bench::ask("linux", 1)));
  CHECK(answer.verdict.refusal == Refusal::none);
  CHECK(answer.runners.empty());
  Refusal refusal{};
  CHECK(b.jitconfig(b.world.guests.at(b.running().front()).address, &refusal).empty());
  CHECK(refusal == Refusal::not_registered);
}

TEST_CASE("a guest that is not registered is left for people to look at when it is off, until it is undefined") {
  Unregistered b;
  b.start();
  const auto guest = b.runner(1).rec.guest_name;
  b.power_off(guest);
  b.advance(60s);
  CHECK(b.status(1) == Status::DoneOrUnregistered);
  CHECK(b.running().size() == 3); // it has been replaced
  CHECK(b.world.guests.count(guest) == 1);
  b.world.guests.erase(guest);
  b.advance(6s);
  CHECK(b.core->runners().count(1) == 0);
  CHECK(b.running().size() == 3);
}

TEST_CASE("G5: without registrations, too, what was being made at a crash is kept only where it runs") {
  Unregistered b;
  b.lose = [&](const Effect& e) {
    auto* start = std::get_if<effect::Start>(&e);
    if (start && start->runner == 1)
      b.world.start(start->spec, b.steady);
    return start != nullptr;
  };
  b.start();
  b.lose = nullptr;
  b.start();
  b.advance(10s);
  CHECK(b.runner(1).rec.phase == Phase::live);
  CHECK(b.core->runners().count(2) == 0);
  CHECK(b.core->runners().size() == 3);
  CHECK(b.running().size() == 3);
  CHECK(b.world.disks.size() == 3);
}

TEST_CASE("a registration of before dont_register_runners goes with its runner") {
  Bench b;
  b.start();
  b.boot_all();
  b.policy->dont_register_runners = true;
  b.apply_policy();
  b.pull(lever::DestroyRunner{1});
  b.advance(130s);
  CHECK(b.core->runners().count(1) == 0);
  CHECK(b.world.records.size() == 2);
  CHECK(b.world.stopped_unreleased.empty());
}

TEST_CASE("a reservation of before dont_register_runners is not asked about, and ends with its guest") {
  Promised b;
  int asked = 0;
  b.fail = [&](const Effect& e) -> std::optional<GithubError> {
    asked += std::holds_alternative<effect::AskRun>(e) || std::holds_alternative<effect::AskJobs>(e);
    return {};
  };
  b.policy->dont_register_runners = true;
  b.apply_policy();
  b.advance(300s);
  CHECK(b.lives(b.given[0]));
  b.world.guests.erase(b.guest_of(b.given[0]));
  b.advance(120s);
  CHECK(b.state() == "finished");
  CHECK(asked == 0);
}

TEST_CASE("without registrations an image has passed its trial when its runner runs") {
  Forge b;
  b.policy->dont_register_runners = true;
  b.start();
  b.finish_build();
  CHECK(b.running().size() == 2);
  CHECK(b.counts().image.state == "ready");
}

TEST_CASE("a template that settings name must be there and off, else its profile says why it has no runners") {
  Bench b;
  b.policy->profiles.at("linux").template_guest = "golden";
  b.start();
  CHECK(b.running().empty());
  const std::string why = "its template guest golden does not exist or is not shut off";
  CHECK(b.snapshot->profiles.at("linux").trouble == why);
  b.world.add_template("golden");
  b.world.guests.at("golden").state = GuestState::on;
  b.advance(6s);
  CHECK(b.running().empty());
  CHECK(b.snapshot->profiles.at("linux").trouble == why);
  b.world.guests.at("golden").state = GuestState::off;
  b.advance(6s);
  CHECK(b.running().size() == 3);
}

TEST_CASE("readers are shown another budget as soon as it is set") {
  Bench b;
  b.start();
  b.policy->budget.hugepages_1g = 90;
  b.apply_policy();
  CHECK(b.snapshot->budget.hugepages_1g == 90);
}

TEST_CASE("G11: deletes, too, are no more than a minute's writes") {
  Bench b;
  b.policy->writes_per_minute = 8;
  b.start();
  REQUIRE(b.world.records.size() == 3);
  b.policy->writes_per_minute = 4;
  b.policy->destroy_all_non_busy_runners = b.policy->dont_create_runners = true;
  b.apply_policy();
  CHECK(b.world.records.size() == 2);
  b.advance(59s);
  CHECK(b.world.records.size() == 2);
  b.advance(2s);
  CHECK(b.world.records.empty());
}
