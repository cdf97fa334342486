/// Reservations that were answered: deadlines, cancelled runs, runners that die or are stolen.
#include "tests/support/promised.hpp"

using namespace ci::test;
using namespace std::chrono_literals;

TEST_CASE("past its deadline a reservation is kept while its job still waits, but not for ever") {
  Promised b;
  b.jobs(1);
  b.advance(61s);
  CHECK(b.lives(b.given[0]));
  b.advance(530s);
  CHECK(b.lives(b.given[0]));
  b.advance(20s); // reserve_timeout_max is 600 s
  CHECK(!b.lives(b.given[0]));
}

TEST_CASE("past its deadline a reservation that no job waits for is given up") {
  Promised b;
  b.jobs(0);
  b.world.jobs[77].push_back({7, "queued", {"self-hosted"}, ""}); // waits for another runner
  b.advance(59s);
  CHECK(b.lives(b.given[0]));
  b.advance(3s);
  CHECK(!b.lives(b.given[0]));
}

TEST_CASE("past its deadline a reservation is kept while GitHub can't be asked") {
  Promised b;
  b.fail = [](const Effect& e) -> std::optional<GithubError> {
    if (std::holds_alternative<effect::AskRun>(e))
      return World::error(GithubError::Kind::unreachable);
    return {};
  };
  b.advance(300s);
  CHECK(b.lives(b.given[0]));
  b.fail = nullptr;
  b.jobs(0);
  b.advance(6s);
  CHECK(!b.lives(b.given[0]));
}

TEST_CASE("a run that nobody knows keeps nothing past the deadline") {
  Promised b;
  b.world.runs.clear();
  b.advance(61s);
  CHECK(!b.lives(b.given[0]));
}

TEST_CASE("a run that is cancelled or over frees its runners before the deadline") {
  for (const auto* conclusion : {"cancelled", "success"}) {
    Promised b;
    b.jobs(1);
    b.advance(10s);
    b.world.runs[77] = {77, "completed", conclusion, "servo/servo"};
    b.advance(21s);
    CHECK(!b.lives(b.given[0]));
    b.advance(300s);
    CHECK(b.state() == "expired");
    b.boot_all();
    CHECK(b.count(Status::Idle) == 3);
  }
}

TEST_CASE("G1: a job that began is not touched by the end of its reservation's time") {
  Promised b;
  b.jobs(1);
  b.world.begin_job(b.guest_of(b.given[0]), false); // GitHub does not show it yet
  b.world.runs[77] = {77, "completed", "cancelled", "servo/servo"};
  b.advance(400s);
  CHECK(b.world.killed_at_work.empty());
  CHECK(b.world.guests.contains("ci-runner-linux." + std::to_string(b.given[0])));
}

TEST_CASE("a reserved runner that dies before its job began is replaced by an idle one, labelled the same") {
  Promised b;
  b.jobs(1);
  b.power_off(b.guest_of(b.given[0]));
  b.advance(5s);
  const auto now_held = b.holders();
  REQUIRE(now_held.size() == 1);
  CHECK(now_held[0] != b.given[0]);
  CHECK(b.status(now_held[0]) == Status::Reserved);
  CHECK(has_label(b.runner(now_held[0]).reg->labels, "reserved-for:" + b.uid));
  CHECK(b.takes.at(b.take(Bench::ask("linux", 1))).runners.front()->id == now_held[0]);
}

TEST_CASE("a reserved runner that dies or is stolen before its job is even queued is replaced when it is") {
  enum class Loss { guest, registration, theft };
  for (auto loss : {Loss::guest, Loss::registration, Loss::theft})
    for (bool restart : {false, true}) {
      CAPTURE(static_cast<int>(loss));
      CAPTURE(restart);
      Promised b;
      b.jobs(0);
      const auto guest = b.guest_of(b.given[0]);
      if (loss == Loss::guest)
        b.power_off(guest, "crashed");
      else if (loss == Loss::registration)
        b.world.records.erase(*b.runner(b.given[0]).rec.registration_id);
      else
        b.world.begin_job(guest);
      b.advance(30s);
      if (restart)
        b.start();
      b.jobs(1);
      b.advance(25s);
      auto held = b.holders();
      std::erase(held, b.given[0]);
      REQUIRE(held.size() == 1);
      CHECK(has_label(b.runner(held[0]).reg->labels, "reserved-for:" + b.uid));
    }
}

TEST_CASE("a runner that another job of the same run took is stolen, too") {
  Promised b;
  b.jobs(1);
  b.world.jobs[77].push_back({100, "in_progress", {"self-hosted-image:linux"}, b.registration_of(b.given[0])});
  b.world.begin_job(b.guest_of(b.given[0]));
  b.advance(45s);
  CHECK(b.runner(b.given[0]).view->details.at("stolen_from") == b.uid);
  const auto held = b.holders();
  REQUIRE(held.size() == 1);
  CHECK(held[0] != b.given[0]);
}

TEST_CASE("a repeat is not given what is being given up, and nobody is told that it is reserved") {
  Promised b;
  b.fail = [](const Effect& e) -> std::optional<GithubError> {
    if (std::holds_alternative<effect::Unregister>(e))
      return World::error(GithubError::Kind::server, 502);
    return {};
  };
  b.jobs(0);
  b.advance(65s);
  REQUIRE(b.core->runners().at(b.given[0]).rec.phase == Phase::destroying);
  CHECK(b.state() == "expired");
  auto again = b.takes.at(b.take(Bench::ask("linux", 1)));
  CHECK(again.verdict.refusal == Refusal::id_spent);
  CHECK(again.runners.empty());
}

TEST_CASE("a job that is never queued keeps no reservation past its deadline, and no question open") {
  Promised b;
  int asked = 0;
  b.fail = [&](const Effect& e) -> std::optional<GithubError> {
    asked += std::holds_alternative<effect::AskJobs>(e);
    return {};
  };
  b.jobs(0);
  b.world.records.erase(*b.runner(b.given[0]).rec.registration_id);
  b.advance(50s);
  CHECK(b.core->reservations().size() == 1);
  CHECK(asked > 1);
  b.advance(15s);
  CHECK(b.core->reservations().empty());
  asked = 0;
  b.advance(300s);
  CHECK(asked == 0);
}

TEST_CASE(
    "G2: a runner that another job stole is replaced, and the reservation holds no more than was promised") {
  Promised b(2);
  b.jobs(2);
  b.world.begin_job(b.guest_of(b.given[0]));
  b.advance(45s);
  auto held = b.holders();
  REQUIRE(held.size() == 2);
  CHECK(std::find(held.begin(), held.end(), b.given[0]) == held.end());
  CHECK(b.status(b.given[0]) == Status::Busy);
  CHECK(b.runner(b.given[0]).view->details.at("stolen_from") == b.uid);
  b.advance(100s);
  CHECK(b.holders().size() == 2);
}

TEST_CASE("a runner whose job is its reservation's is not taken for stolen") {
  Promised b(2);
  b.jobs(1, {b.registration_of(b.given[0])});
  b.world.begin_job(b.guest_of(b.given[0]));
  b.advance(100s);
  CHECK(b.holders() == b.given);
}

TEST_CASE("a job so short that it was never seen busy counts, and is not replaced") {
  Promised b;
  b.jobs(0, {b.registration_of(b.given[0])});
  b.world.end_job(b.guest_of(b.given[0]));
  b.power_off(b.guest_of(b.given[0]));
  b.advance(10s);
  CHECK(b.state() == "finished");
  b.boot_all();
  CHECK(b.count(Status::Reserved) == 0);
}

TEST_CASE("a replacement that GitHub fails to label, or to show, is tried again later") {
  for (bool labels : {true, false}) {
    Promised b;
    b.jobs(1);
    b.fail = [&](const Effect& e) -> std::optional<GithubError> {
      if (labels ? std::holds_alternative<effect::Label>(e) : std::holds_alternative<effect::LookSlot>(e))
        return World::error(GithubError::Kind::server, 502);
      return {};
    };
    b.power_off(b.guest_of(b.given[0]));
    b.advance(4s);
    CHECK(b.holders().empty());
    b.fail = nullptr;
    b.advance(5s);
    CHECK(b.holders().size() == 1);
  }
}

TEST_CASE("a replacement that is being labelled when its run is cancelled is let go, and its labels come off") {
  for (bool answered : {true, false}) {
    Promised b;
    b.jobs(1);
    b.lose = [&](const Effect& e) {
      auto* label = std::get_if<effect::Label>(&e);
      if (label && !answered)
        b.world.label(label->registration, label->labels); // done, but the answer is late
      return (label && !answered) || std::holds_alternative<effect::LookSlot>(e);
    };
    b.power_off(b.guest_of(b.given[0]));
    b.advance(5s);
    b.world.runs[77] = {77, "completed", "cancelled", "servo/servo"};
    b.advance(25s);
    b.lose = nullptr;
    const auto& reservation = b.core->reservations().at(b.uid);
    REQUIRE_FALSE(reservation.given_up.empty());
    const auto taken = reservation.rec.slots.back().runner;
    if (answered)
      b.core->on_slot_looked(b.now(), b.uid, taken, b.world.look(*b.runner(taken).rec.registration_id, b.steady));
    else
      b.core->on_labelled(
          b.now(), b.uid, taken,
          GithubReply<std::vector<std::string>>::failed(World::error(GithubError::Kind::unreachable)));
    b.run();
    b.advance(31s);
    CHECK_FALSE(has_reservation_label(b.world.records.at(*b.runner(taken).rec.registration_id).shown.labels));
    CHECK_FALSE(b.lives(taken));
    CHECK(b.state() == "expired");
  }
}

TEST_CASE("what happens while the run is asked is asked about at once when the run goes on") {
  Promised b(2);
  b.jobs(2);
  bool asked = false;
  b.lose = [&](const Effect& e) {
    asked |= std::holds_alternative<effect::AskRun>(e);
    return std::holds_alternative<effect::AskRun>(e);
  };
  b.advance(21s);
  REQUIRE(asked);
  b.power_off(b.guest_of(b.given[0]));
  CHECK(b.holders().size() == 1);
  b.core->on_run(b.now(), b.uid, b.world.run(77));
  b.run();
  CHECK(b.holders().size() == 2);
}

TEST_CASE("a job that only the run's list shows counts as begun") {
  Promised b(2);
  b.jobs(0, {b.registration_of(b.given[0]), b.registration_of(b.given[1])});
  for (auto id : b.given)
    b.world.begin_job(b.guest_of(id), id == b.given[0]); // the other one is not called busy yet
  b.advance(40s);
  for (auto& slot : b.core->reservations().at(b.uid).rec.slots)
    CHECK(slot.state == SlotState::started);
}

TEST_CASE("a runner that was given up, and worked nevertheless, counts as finished") {
  Promised b(3);
  b.policy->timings.lost_timeout = 20s;
  b.apply_policy();
  b.jobs(3);
  const auto name = b.registration_of(b.given[0]);
  b.world.go_offline(b.world.guests.at(b.guest_of(b.given[0])));
  for (int i = 0; i < 600 && b.core->runners().count(b.given[0]); ++i)
    b.advance(1s);
  auto state = [&] { return b.core->reservations().at(b.uid).rec.slots.front().state; };
  REQUIRE(state() == SlotState::given_up);
  b.jobs(2, {name});
  b.advance(20s);
  CHECK(state() == SlotState::finished);
  CHECK(b.holders().size() == 2); // it is not replaced
}

TEST_CASE("G3: a replacement survives a restart") {
  Promised b;
  b.jobs(1);
  b.power_off(b.guest_of(b.given[0]));
  b.advance(5s);
  const auto held = b.holders();
  b.start();
  CHECK(b.holders() == held);
  CHECK(b.takes.at(b.take(Bench::ask("linux", 1))).runners.front()->id == held[0]);
}

TEST_CASE("G3: a repeat is told of a replacement only when GitHub has shown that it is labelled") {
  for (int count : {1, 2}) {
    Promised b(count);
    b.jobs(count);
    bool away = true;
    b.fail = [&](const Effect& e) -> std::optional<GithubError> {
      if (away && std::holds_alternative<effect::Label>(e))
        return World::error(GithubError::Kind::server, 502);
      return {};
    };
    b.power_off(b.guest_of(b.given[0]));
    b.advance(4s);
    auto again = b.takes.at(b.take(Bench::ask("linux", count)));
    CAPTURE(count);
    CHECK(static_cast<int>(again.runners.size()) == count - 1);
    CHECK(again.verdict.refusal == (count == 1 ? Refusal::not_ready : Refusal::none));
    away = false;
    b.advance(5s);
    again = b.takes.at(b.take(Bench::ask("linux", count)));
    CHECK(static_cast<int>(again.runners.size()) == count);
    CHECK(again.verdict.refusal == Refusal::none);
  }
}

TEST_CASE("where nobody is idle a dead runner is replaced as soon as one is") {
  Promised b(3);
  b.jobs(3);
  b.power_off(b.guest_of(b.given[0]));
  b.advance(4s);
  CHECK(b.holders().size() == 2);
  b.boot_all();
  b.advance(10s);
  CHECK(b.holders().size() == 3);
}

TEST_CASE("a list of jobs that is late calls nobody stolen") {
  Promised b;
  b.jobs(1);
  b.world.begin_job(b.guest_of(b.given[0]));
  b.advance(32s); // it was seen busy, and GitHub still shows the job queued
  b.jobs(0, {b.registration_of(b.given[0])});
  b.advance(100s);
  CHECK(b.holders() == b.given);
  CHECK(b.count(Status::Reserved) == 0);
}

TEST_CASE("a runner that was called stolen counts again when the list of jobs names it") {
  Promised b;
  b.jobs(1);
  b.world.begin_job(b.guest_of(b.given[0]));
  b.advance(80s);
  REQUIRE(b.runner(b.given[0]).view->details.count("stolen_from") == 1);
  b.jobs(0, {b.registration_of(b.given[0])});
  b.advance(100s);
  CHECK(b.runner(b.given[0]).view->details.count("stolen_from") == 0);
  const auto held = b.holders();
  CHECK(std::find(held.begin(), held.end(), b.given[0]) != held.end());
}

TEST_CASE("labels set before the clock jumped are taken off all the same") {
  Promised b;
  const auto& labels = b.world.records.at(*b.runner(b.given[0]).rec.registration_id).shown.labels;
  REQUIRE(std::any_of(labels.begin(), labels.end(), [](auto& l) { return l.starts_with("reserved-since:"); }));
  b.time += 1h;
  b.core->on_clock_jump(b.now(), 1h);
  b.run();
  b.release(b.uid);
  b.advance(5s);
  CHECK(std::none_of(labels.begin(), labels.end(), [](auto& l) { return l.starts_with("reserved-"); }));
  CHECK(b.count(Status::Idle) == 3);
}
