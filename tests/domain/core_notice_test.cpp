/// Webhooks: what they make known at once, and what they can't do.
#include "tests/support/promised.hpp"

#include <doctest/doctest.h>

using namespace ci::test;
using namespace std::chrono_literals;
using Action = notice::Job::Action;

namespace {

/// Three idle runners, the first of which is reserved; webhooks about them, and what is asked at GitHub.
struct Noticed : Promised {
  int looks = 0, lists = 0, runs_asked = 0;

  Noticed() : Promised(1) {
    fail = [this](const Effect& e) -> std::optional<GithubError> {
      looks += std::holds_alternative<effect::Look>(e);
      lists += std::holds_alternative<effect::ListRegistrations>(e);
      runs_asked += std::holds_alternative<effect::AskRun>(e);
      return {};
    };
  }
  notice::Job job(Action action, RunnerId id) const {
    return {action, "servo/servo", 77, {"reserved-for:" + uid}, *runner(id).rec.registration_id, registration_of(id)};
  }
  void hear(GithubNotice n) {
    core->on_notice(now(), n);
    run();
  }
  World::Record& record(RunnerId id) { return world.records.at(*runner(id).rec.registration_id); }
  RunnerId idle() const {
    for (auto& [id, r] : core->runners())
      if (core->status(r) == Status::Idle)
        return id;
    throw std::runtime_error("nobody is idle");
  }
};

} // namespace

TEST_CASE("a job that begins makes its runner Busy, and its reservation started, at once") {
  Noticed b;
  const auto id = b.given[0];
  b.world.begin_job(b.guest_of(id), false); // the API does not show it yet
  b.jobs(0, {b.registration_of(id)});
  b.hear(b.job(Action::in_progress, id));
  CHECK(b.status(id) == Status::Busy);
  CHECK(b.state() == "started");
  CHECK(b.looks + b.lists == 0);
}

TEST_CASE("the end of a job is asked for until GitHub agrees, and its runner is replaced then") {
  Noticed b;
  const auto id = b.given[0];
  b.world.begin_job(b.guest_of(id));
  b.hear(b.job(Action::in_progress, id));
  b.hear(b.job(Action::completed, id));
  CHECK(b.looks == 1);
  b.advance(1900ms);
  CHECK(b.looks == 1);
  b.advance(5s); // after 2 and 6 s
  CHECK(b.looks == 3);
  CHECK(b.lives(id));
  CHECK(b.world.stopped_unreleased.empty());
  b.world.end_job(b.guest_of(id)); // the registration is gone; the guest does not shut down by itself
  b.advance(7200ms);
  CHECK(b.core->runners().count(id) == 0);
  CHECK(b.world.killed_at_work.empty());
  CHECK(b.core->runners().size() == 3);
}

TEST_CASE("without a webhook the same takes until the next listing") {
  Noticed b;
  const auto id = b.given[0];
  b.world.begin_job(b.guest_of(id));
  b.advance(31s);
  REQUIRE(b.status(id) == Status::Busy);
  b.world.end_job(b.guest_of(id));
  b.advance(15s);
  CHECK(b.lives(id));
  b.advance(16s);
  CHECK(b.core->runners().count(id) == 0);
}

TEST_CASE("G1: no webhook ends a guest that GitHub has still") {
  Noticed b;
  const auto id = b.given[0];
  b.world.begin_job(b.guest_of(id));
  b.world.jobs[77] = {{1, "in_progress", {"reserved-for:" + b.uid}, b.registration_of(id)}};
  for (int i = 0; i < 3; ++i) {
    b.hear(b.job(Action::completed, id));
    b.hear(notice::RunOver{"servo/servo", 77});
  }
  b.advance(900s);
  CHECK(b.lives(id));
  CHECK(b.world.killed_at_work.empty());
}

TEST_CASE("G2: a runner that worked is taken by nobody any more, though its job began and ended unseen") {
  Noticed b;
  const auto id = b.idle();
  b.hear(b.job(Action::completed, id));
  CHECK(b.status(id) == Status::Busy);
  const auto answer = b.takes.at(b.take(Bench::ask("linux", 2, 2)));
  CHECK(answer.runners.empty());
}

TEST_CASE("webhooks that come late, twice or out of order change nothing") {
  Noticed b;
  const auto id = b.given[0];
  const auto begun = b.job(Action::in_progress, id), over = b.job(Action::completed, id);
  b.world.begin_job(b.guest_of(id));
  b.hear(over);
  b.hear(begun);
  b.hear(over);
  b.hear(begun);
  CHECK(b.status(id) == Status::Busy);
  CHECK(b.looks == 1);
  b.jobs(0, {b.registration_of(id)});
  b.world.end_job(b.guest_of(id));
  b.power_off(b.guest_of(id));
  b.advance(20s);
  REQUIRE(b.core->runners().count(id) == 0);
  b.hear(begun);
  b.hear(over);
  CHECK(b.core->runners().count(id) == 0);
  CHECK(b.state() == "finished");
  b.boot_all();
  CHECK(b.count(Status::Idle) == 3);
}

TEST_CASE("webhooks about others' runners and runs are let go") {
  Noticed b;
  const auto id = b.given[0];
  auto stranger = b.job(Action::in_progress, id);
  stranger.runner_name = "GitHub Actions 7"; // the same id, in another scope
  b.hear(stranger);
  auto namesake = b.job(Action::completed, id);
  namesake.runner += 1;
  b.hear(namesake);
  auto nobody = b.job(Action::queued, id);
  nobody.runner = 0;
  nobody.runner_name.clear();
  b.hear(nobody);
  auto other_label = b.job(Action::completed, id); // was cancelled, and waited for another runner
  other_label.runner = 0;
  other_label.runner_name.clear();
  other_label.labels = {"self-hosted"};
  b.hear(other_label);
  b.hear(notice::RunOver{"servo/other", 77});
  b.hear(notice::RunOver{"servo/servo", 78});
  CHECK(b.status(id) == Status::Reserved);
  CHECK(b.looks + b.runs_asked == 0);
}

TEST_CASE("a webhook takes a destruction back that came too early") {
  Noticed b;
  const auto id = b.idle();
  b.policy->profiles["linux"].target_count = 1;
  b.apply_policy();
  REQUIRE(b.runner(id).rec.phase == Phase::destroying);
  b.world.begin_job(b.guest_of(id), false);
  b.hear(b.job(Action::in_progress, id));
  CHECK(b.lives(id));
  CHECK(b.status(id) == Status::Busy);
}

TEST_CASE("the end of a run, or of a job that never had a runner, makes the look at once") {
  for (const bool of_run : {true, false}) {
    Noticed b;
    b.world.runs[77] = {77, "completed", "cancelled", "servo/servo"};
    auto cancelled = b.job(Action::completed, b.given[0]);
    cancelled.runner = 0;
    cancelled.runner_name.clear();
    if (of_run)
      b.hear(notice::RunOver{"Servo/Servo", 77});
    else
      b.hear(cancelled);
    CHECK(b.runs_asked == 1);
    CHECK(!b.lives(b.given[0]));
  }
}

TEST_CASE("however many webhooks of a run come, it is asked about every two seconds at most") {
  Noticed b;
  for (int i = 0; i < 100; ++i) {
    b.hear(notice::RunOver{"servo/servo", 77});
    b.advance(100ms);
  }
  CHECK(b.runs_asked >= 4);
  CHECK(b.runs_asked <= 6);
}

TEST_CASE("a webhook that GitHub never confirms is not asked about for ever") {
  Noticed b;
  b.world.begin_job(b.guest_of(b.given[0]));
  b.world.jobs[77] = {};
  b.hear(b.job(Action::completed, b.given[0]));
  b.advance(3600s);
  CHECK(b.looks <= 12);
}

namespace {

/// One runner whose guest was given its config and has not come online.
struct Unheard : Bench {
  RunnerId id = 0;
  std::string guest;
  int looks = 0;

  Unheard() {
    profile("linux", 1);
    start();
    id = core->runners().begin()->first;
    guest = running().front();
    world.guests.at(guest).config = jitconfig(world.guests.at(guest).address);
    auto& rec = runner(id).rec;
    core->on_notice(now(), notice::Job{Action::in_progress, "servo/servo", 77, {}, *rec.registration_id, rec.registration_name});
    run();
    REQUIRE(status(id) == Status::Busy);
    fail = [this](const Effect& e) -> std::optional<GithubError> {
      looks += std::holds_alternative<effect::Look>(e);
      return {};
    };
  }
};

} // namespace

TEST_CASE("G6: a runner that a webhook called busy, and that never comes online, is replaced in the end") {
  Unheard b;
  b.advance(b.policy->timings.start_timeout + 150s);
  REQUIRE(b.running().size() == 1);
  CHECK(b.running().front() != b.guest);
  CHECK(b.world.let_go_early.empty());
}

TEST_CASE("G1: one that works although GitHub never showed it online is spared, and not asked for all the time") {
  Unheard b;
  b.world.begin_job(b.guest);
  b.advance(3'600s);
  CHECK(b.running() == std::vector{b.guest});
  CHECK(b.status(b.id) == Status::Busy);
  CHECK(b.world.killed_at_work.empty());
  CHECK(b.looks <= 60); // twice each time that it was to come online in
  b.world.end_job(b.guest);
  b.advance(200s);
  CHECK(b.running().front() != b.guest);
}
