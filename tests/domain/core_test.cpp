/// Stories of the decisions, against a world that does as it is told.
#include "tests/support/bench.hpp"

#include <doctest/doctest.h>

using namespace ci::test;
using namespace std::chrono_literals;

namespace {

std::vector<RunnerId> ids(const TakeAnswer& a) {
  std::vector<RunnerId> result;
  for (auto& r : a.runners)
    result.push_back(r->id);
  return result;
}

/// A pool of `n` idle linux runners.
struct Pool : Bench {
  explicit Pool(int n = 3) {
    profile("linux", n);
    policy->max_parallel_creates = 100;
    start();
    boot_all();
  }
};

} // namespace

TEST_CASE("a pool is filled to its target and comes online") {
  Bench b;
  b.start();
  CHECK(b.running().size() == 3);
  CHECK(b.count(Status::StartedOrCrashed) == 3);
  b.boot_all();
  CHECK(b.count(Status::Idle) == 3);
  CHECK(b.world.records.size() == 3);
  CHECK(b.snapshot->profiles.at("linux").idle == 3);
  for (auto& [id, r] : b.core->runners())
    CHECK(r.rec.jit_config.empty()); // deleted once it is online
}

TEST_CASE("no more than max_parallel_creates are made at once") {
  Bench b;
  b.profile("linux", 9);
  b.lose = [](const Effect& e) { return std::holds_alternative<effect::Prepare>(e); };
  b.start();
  CHECK(b.core->runners().size() == 4);
}

TEST_CASE("a runner whose disk is still being made is one of max_parallel_creates, though it is given up") {
  Bench b;
  b.profile("linux", 9);
  int disks = 0;
  b.lose = [&](const Effect& e) {
    bool disk = std::holds_alternative<effect::Prepare>(e);
    disks += disk;
    return disk;
  };
  b.fail = [](const Effect& e) -> std::optional<GithubError> {
    if (std::holds_alternative<effect::Register>(e))
      return World::error(GithubError::Kind::unprocessable, 422);
    return {};
  };
  b.start();
  b.advance(60s);
  CHECK(disks == 4);
}

namespace {

/// Keeps what is measured in one family, by the value of its label.
struct Measured {
  std::map<std::string, std::vector<double>> seconds;
  Measured(Bench& b, const std::string& family) {
    b.lose = [this, family](const Effect& e) {
      auto* measured = std::get_if<effect::Seconds>(&e);
      if (measured && measured->family == family)
        seconds[measured->labels.begin()->second].push_back(measured->seconds);
      return measured != nullptr;
    };
  }
};

} // namespace

TEST_CASE("each step of a runner's way to being online is measured once, from its order on") {
  Bench b;
  b.profile("linux", 1);
  Measured measured(b, "ci_monitor_runner_step_seconds");
  b.start();
  b.advance(4s);
  auto& g = b.world.guests.at(b.running().front());
  for (int i = 0; i < 3; ++i) {
    b.core->boot(b.now(), b.next_request++, g.address); // a guest may boot again
    b.run();
  }
  b.boot_all();
  std::set<std::string> steps;
  for (auto& [step, seconds] : measured.seconds) {
    CHECK(seconds.size() == 1);
    CHECK(seconds.front() >= 0);
    steps.insert(step);
  }
  CHECK(steps == std::set<std::string>{"registered", "disk", "defined", "started", "lease", "boot", "jitconfig", "online"});
  CHECK(measured.seconds.at("started").front() < 1);
  CHECK(measured.seconds.at("boot").front() >= 4);
  CHECK(measured.seconds.at("online").front() >= measured.seconds.at("jitconfig").front());
}

TEST_CASE("what an earlier process began is not measured") {
  Bench b;
  b.profile("linux", 1);
  b.start();
  Measured measured(b, "ci_monitor_runner_step_seconds");
  b.start();
  b.boot_all();
  CHECK(b.count(Status::Idle) == 1);
  CHECK(measured.seconds.empty());
}

TEST_CASE("a guest's own end to the start of its replacement is measured, failures in between included") {
  Pool b;
  Measured measured(b, "ci_monitor_replacement_seconds");
  b.fail_host = [](const Effect& e) -> std::optional<std::string> {
    return std::holds_alternative<effect::Prepare>(e) ? std::optional<std::string>("no space") : std::nullopt;
  };
  b.power_off(b.running().front());
  b.advance(4s);
  CHECK(measured.seconds.empty());
  b.fail_host = {};
  b.advance(4s);
  REQUIRE(measured.seconds["linux"].size() == 1);
  CHECK(measured.seconds["linux"].front() >= 4);
  CHECK(measured.seconds["linux"].front() <= 8);
  // Its registration may end before it is off.
  auto guest = b.running().front();
  b.boot_all();
  b.world.begin_job(guest);
  b.advance(31s);
  b.world.end_job(guest);
  b.advance(31s);
  CHECK(measured.seconds["linux"].size() == 2);
  b.boot_all();
  // One whose place is not wanted any more leaves nothing behind.
  b.profile("linux", 2);
  b.power_off(b.running().front());
  b.apply_policy();
  b.advance(60s);
  b.boot_all();
  b.profile("linux", 3);
  b.apply_policy();
  b.advance(60s);
  b.boot_all();
  for (double seconds : measured.seconds["linux"])
    CHECK(seconds < 10);
}

TEST_CASE("G1: a finished job's guest is replaced as soon as it is off") {
  Pool b;
  auto guest = b.running().front();
  b.world.begin_job(guest);
  b.advance(31s);
  CHECK(b.count(Status::Busy) == 1);
  b.world.end_job(guest);
  b.power_off(guest);
  CHECK(b.world.guests.count(guest) == 0);
  CHECK(b.running().size() == 3);
  b.boot_all();
  CHECK(b.count(Status::Idle) == 3);
  CHECK(b.world.records.size() == 3);
  CHECK(b.world.disks.size() == 3);
}

TEST_CASE("G1: a job survives a GitHub that says idle, forgets it once, and then fails for a while") {
  Pool b;
  auto guest = b.running().front();
  b.world.begin_job(guest, false);
  auto id = b.world.record_of(b.world.guests[guest])->shown.id;
  auto hidden = b.world.records.at(id);
  b.advance(40s);
  // Gone from one listing, while every look at it fails.
  b.fail = [&](const Effect& e) -> std::optional<GithubError> {
    if (std::holds_alternative<effect::Look>(e))
      return World::error(GithubError::Kind::server, 500);
    return {};
  };
  b.world.records.erase(id);
  b.advance(31s);
  b.world.records[id] = hidden;
  b.advance(60s);
  b.fail = nullptr;
  b.advance(120s);
  CHECK(b.world.guests.count(guest) == 1);
  CHECK(b.world.killed_at_work.empty());
}

TEST_CASE("G1: an excess runner is stopped only after two looks a minute apart and a granted DELETE") {
  Pool b;
  b.policy->profiles["linux"].target_count = 2;
  b.apply_policy();
  CHECK(b.running().size() == 3);
  b.advance(59s);
  CHECK(b.running().size() == 3);
  b.advance(2s);
  CHECK(b.running().size() == 2);
  CHECK(b.world.records.size() == 2);
}

TEST_CASE("G1: an excess runner that turns busy meanwhile is spared") {
  Pool b;
  auto first = b.running().front();
  b.policy->profiles["linux"].target_count = 2;
  b.apply_policy();
  b.world.begin_job(first, false); // GitHub says idle, but refuses the DELETE
  b.advance(120s);
  CHECK(b.world.guests.count(first) == 1);
  CHECK(b.count(Status::Busy) == 1);
  CHECK(b.world.killed_at_work.empty());
}

TEST_CASE("a runner that never comes online is replaced") {
  Bench b;
  b.start();
  b.advance(119s);
  CHECK(b.core->runners().begin()->first == 1);
  b.advance(3s);
  CHECK(b.core->runners().begin()->first > 3);
  CHECK(b.world.records.size() == 3);
}

TEST_CASE("a take reserves the lowest ids, all or nothing") {
  Pool b;
  auto request = b.take(Bench::ask("linux", 2));
  CHECK(ids(b.takes.at(request)) == std::vector<RunnerId>{1, 2});
  CHECK(b.count(Status::Reserved) == 2);
  auto labels = b.world.records.begin()->second.shown.labels;
  CHECK(has_label(labels, "reserved-for:00000001-0000-4000-8000-000000000000"));
  CHECK(has_label(labels, "reserved-by:servo/servo/actions/runs/77"));

  auto too_many = b.take(Bench::ask("linux", 2, 2));
  CHECK(b.takes.at(too_many).runners.empty());
  CHECK(b.takes.at(too_many).verdict.refusal == Refusal::none);
  CHECK(b.count(Status::Idle) == 1);
  CHECK(b.core->reservations().size() == 1); // null is not remembered
}

TEST_CASE("a take with a minimum is content with fewer") {
  Pool b;
  auto request = b.take(Bench::ask("linux", 5, 1, 2));
  CHECK(ids(b.takes.at(request)) == std::vector<RunnerId>{1, 2, 3});
}

TEST_CASE("one take more than may be decided at once is told to come again, and changes nothing") {
  Pool b;
  b.policy->max_deciding_takes = 2;
  b.apply_policy();
  b.lose = [](const Effect& e) { return std::holds_alternative<effect::Label>(e); };
  b.take(Bench::ask("linux", 1, 1));
  b.take(Bench::ask("linux", 1, 2));
  auto third = b.take(Bench::ask("linux", 1, 3));
  CHECK(b.takes.at(third).verdict.refusal == Refusal::busy);
  CHECK(b.core->reservations().size() == 2);
  CHECK(b.count(Status::Idle) == 1);
}

TEST_CASE("a store that can't be written takes no promise") {
  Pool b;
  b.core->on_store(b.now(), false, "the disk is full");
  CHECK(b.takes.at(b.take(Bench::ask("linux", 1))).verdict.refusal == Refusal::store_away);
  CHECK(b.core->reservations().empty());
}

TEST_CASE("G2: a repeat gets the same answer, another asker a conflict") {
  Pool b;
  auto first = b.take(Bench::ask("linux", 1));
  auto again = b.take(Bench::ask("linux", 1));
  CHECK(ids(b.takes.at(first)) == ids(b.takes.at(again)));
  auto other = Bench::ask("linux", 2);
  CHECK(b.takes.at(b.take(other)).verdict.refusal == Refusal::id_conflict);
}

TEST_CASE("G3: a granted reservation survives a restart, with the same answer and deadline") {
  Pool b;
  auto first = ids(b.takes.at(b.take(Bench::ask("linux", 2))));
  auto deadline = b.core->reservations().begin()->second.rec.deadline;
  b.start();
  auto again = b.take(Bench::ask("linux", 2));
  CHECK(ids(b.takes.at(again)) == first);
  CHECK(b.core->reservations().begin()->second.rec.deadline == deadline);
}

TEST_CASE("G3: a pending reservation is undone at the next start") {
  Pool b;
  b.lose = [](const Effect& e) { return std::holds_alternative<effect::LookSlot>(e); };
  auto lost = b.take(Bench::ask("linux", 1));
  CHECK(b.takes.count(lost) == 0);
  CHECK(has_reservation_label(b.world.records.begin()->second.shown.labels));
  b.lose = nullptr;
  b.start();
  b.advance(5s);
  CHECK_FALSE(has_reservation_label(b.world.records.begin()->second.shown.labels));
  CHECK(b.core->reservations().empty());
  CHECK(b.count(Status::Idle) == 3);
}

TEST_CASE("a runner that GitHub shows busy after the labels is replaced by another idle one") {
  Pool b;
  auto stolen = b.running().front();
  b.world.begin_job(stolen); // not seen yet
  auto request = b.take(Bench::ask("linux", 2));
  CHECK(ids(b.takes.at(request)) == std::vector<RunnerId>{2, 3});
}

TEST_CASE("where no idle runner is left to replace one, every label comes off and the answer is null") {
  Pool b;
  b.world.begin_job(b.running().front());
  auto request = b.take(Bench::ask("linux", 3));
  REQUIRE(b.takes.count(request));
  CHECK(b.takes.at(request).runners.empty());
  CHECK(b.takes.at(request).verdict.refusal == Refusal::none);
  b.advance(35s);
  CHECK(b.count(Status::Idle) == 2);
  CHECK(b.core->reservations().empty());
}

TEST_CASE("a GitHub that fails ends the take with a refusal, undone in the background") {
  Pool b;
  b.fail = [](const Effect& e) -> std::optional<GithubError> {
    if (std::holds_alternative<effect::Label>(e) || std::holds_alternative<effect::Unlabel>(e))
      return World::error(GithubError::Kind::server, 502);
    return {};
  };
  auto request = b.take(Bench::ask("linux", 1));
  CHECK(b.takes.at(request).verdict.refusal == Refusal::github_away);
  CHECK(b.count(Status::Idle) == 2);
  b.fail = nullptr;
  b.advance(40s);
  CHECK(b.count(Status::Idle) == 3);
  CHECK(b.core->reservations().empty());
}

TEST_CASE("a lost answer to a label call is settled by a look") {
  Pool b;
  bool once = true;
  b.fail = [&](const Effect& e) -> std::optional<GithubError> {
    if (auto* l = std::get_if<effect::Label>(&e); l && once) {
      once = false;
      b.world.label(l->registration, l->labels);
      return World::error(GithubError::Kind::unreachable);
    }
    return {};
  };
  auto request = b.take(Bench::ask("linux", 1));
  CHECK(ids(b.takes.at(request)) == std::vector<RunnerId>{1});
}

TEST_CASE("labels that never come off spoil the runner") {
  Pool b;
  b.fail = [](const Effect& e) -> std::optional<GithubError> {
    if (std::holds_alternative<effect::LookSlot>(e) || std::holds_alternative<effect::Unlabel>(e))
      return World::error(GithubError::Kind::server, 502);
    return {};
  };
  b.take(Bench::ask("linux", 1));
  b.advance(400s);
  CHECK(b.core->runners().count(1) == 0);
  CHECK(b.core->reservations().empty());
}

TEST_CASE("a reservation that no job uses expires, and its runner is destroyed by the rules") {
  Pool b;
  b.take(Bench::ask("linux", 1));
  b.advance(61s);
  CHECK(b.runner(1).rec.phase == Phase::destroying);
  CHECK(b.world.guests.count(b.runner(1).rec.guest_name) == 1);
  b.advance(120s);
  CHECK(b.core->runners().count(1) == 0);
  CHECK(b.core->reservations().empty());
  REQUIRE(b.core->spent().size() == 1);
  CHECK(std::string(public_state(**b.core->spent().begin())) == "expired");
}

TEST_CASE("a reservation ends when its job has, and its id is spent for seven days") {
  Pool b;
  b.take(Bench::ask("linux", 1));
  auto guest = b.runner(1).rec.guest_name;
  b.world.begin_job(guest);
  b.advance(31s);
  CHECK(std::string(public_state(b.core->reservations().begin()->second.rec)) == "started");
  b.world.end_job(guest);
  b.power_off(guest);
  b.advance(10s);
  REQUIRE(b.core->spent().size() == 1);
  CHECK(std::string(public_state(**b.core->spent().begin())) == "finished");
  CHECK(b.takes.at(b.take(Bench::ask("linux", 1))).verdict.refusal == Refusal::id_spent);
  b.sleep_through(24h * 7 + 1min);
  CHECK(b.core->spent().empty());
}

TEST_CASE("a release takes the labels off and makes the runners idle again") {
  Pool b;
  b.take(Bench::ask("linux", 2));
  auto request = b.release("00000001-0000-4000-8000-000000000000");
  REQUIRE(b.releases.count(request));
  CHECK(b.releases.at(request).verdict.refusal == Refusal::none);
  b.advance(1s);
  CHECK(b.count(Status::Idle) == 3);
  auto again = b.release("00000001-0000-4000-8000-000000000000");
  CHECK(b.releases.at(again).reservation->state == "released");
  CHECK(b.takes.at(b.take(Bench::ask("linux", 2))).verdict.refusal == Refusal::id_spent);
}

TEST_CASE("G7: a config goes to the guest it was made for, until its runner is online") {
  Bench b;
  b.start();
  auto names = b.running();
  auto& first = b.world.guests[names[0]];
  auto& second = b.world.guests[names[1]];
  auto config = b.jitconfig(first.address);
  CHECK(config.find(names[0] + "@ci0") != std::string::npos);
  CHECK(b.jitconfig(second.address).find(names[1] + "@ci0") != std::string::npos);
  // A later fetch is answered while GitHub says it is still offline.
  CHECK(b.jitconfig(first.address) == config);
  first.config = config;
  b.world.go_online(names[0]);
  Refusal refusal{};
  CHECK(b.jitconfig(first.address, &refusal).empty());
  CHECK(refusal == Refusal::jit_gone);
  CHECK(b.jitconfig("10.9.9.9", &refusal).empty());
  CHECK(refusal == Refusal::guest_unknown);
}

TEST_CASE("G7: an address without a lease is shown, and serves only where that is trusted") {
  Bench b;
  b.start();
  auto name = b.running()[0];
  auto& guest = b.world.guests[name];
  b.world.hearsay[name] = AddressSource::agent;
  Refusal refusal{};
  CHECK(b.jitconfig(guest.address, &refusal).empty());
  CHECK(refusal == Refusal::guest_unknown);
  auto view = b.snapshot->runners.front();
  CHECK(view->ipv4_address == guest.address);
  CHECK(view->details.at("address_from") == "agent");
  auto boot = b.next_request++;
  b.core->boot(b.now(), boot, guest.address);
  b.run();
  CHECK(b.boots.at(boot).verdict.refusal == Refusal::guest_unknown);
  b.world.trust_hearsay = true;
  CHECK_FALSE(b.jitconfig(guest.address).empty());
  b.world.trust_hearsay = false;
  b.world.hearsay.clear();
  CHECK_FALSE(b.jitconfig(guest.address).empty());
  CHECK_FALSE(b.snapshot->runners.front()->details.contains("address_from"));
}

TEST_CASE("G7: a repeat is not answered by a look that was under way when it came") {
  Bench b;
  b.start();
  auto name = b.running()[0];
  auto& guest = b.world.guests[name];
  guest.config = b.jitconfig(guest.address);
  REQUIRE_FALSE(guest.config.empty());
  std::optional<effect::Look> look;
  b.lose = [&](const Effect& e) {
    auto* l = std::get_if<effect::Look>(&e);
    if (l && !look)
      look = *l;
    return l != nullptr;
  };
  auto offline = b.world.look(*b.runner(1).rec.registration_id, b.steady);
  Refusal refusal{};
  CHECK(b.jitconfig(guest.address, &refusal).empty()); // waits for the look
  REQUIRE(look);
  b.world.go_online(name);
  b.lose = nullptr;
  auto late = b.next_request;
  CHECK(b.jitconfig(guest.address, &refusal).empty()); // waits for a look of its own
  b.core->on_looked(b.now(), look->runner, offline);
  b.run();
  REQUIRE(b.jits.count(late));
  CHECK(b.jits.at(late).encoded_jit_config.empty());
  CHECK(b.jits.at(late).verdict.refusal == Refusal::jit_gone);
  CHECK(b.jits.at(late - 1).encoded_jit_config == guest.config);
}

TEST_CASE("G7: a config is fetched again five times at most") {
  Bench b;
  b.start();
  auto address = b.world.guests[b.running()[0]].address;
  for (int i = 0; i < 6; ++i)
    CHECK_FALSE(b.jitconfig(address).empty());
  CHECK(b.jitconfig(address).empty());
}

TEST_CASE("answers that come too late for whoever asked use up no repeat of a config") {
  Bench b;
  b.start();
  auto address = b.world.guests[b.running()[0]].address;
  REQUIRE_FALSE(b.jitconfig(address).empty());
  for (int i = 0; i < 6; ++i) {
    std::optional<effect::Look> look;
    b.lose = [&](const Effect& e) {
      auto* l = std::get_if<effect::Look>(&e);
      if (l)
        look = *l;
      return l != nullptr;
    };
    const auto asked = b.next_request;
    CHECK(b.jitconfig(address).empty());
    REQUIRE(look);
    b.advance(10s);
    b.lose = nullptr;
    b.core->on_looked(b.now(), look->runner, b.world.look(*b.runner(1).rec.registration_id, b.steady));
    b.run();
    CHECK(b.jits.at(asked).verdict.refusal == Refusal::github_away);
  }
  CHECK_FALSE(b.jitconfig(address).empty());
}

TEST_CASE("G4: the budget is never exceeded, and what fits is made") {
  Bench b;
  b.policy->budget = {5, std::int64_t{1} << 40};
  b.profile("linux", 2, 2);
  b.start();
  CHECK(b.running().size() == 2);
  b.policy->profiles["linux"].target_count = 3;
  b.apply_policy();
  CHECK(b.running().size() == 2);
  CHECK(b.core->held().hugepages_1g == 4);
}

TEST_CASE("G5: what was under way at a crash is finished or undone") {
  for (auto kill : {0, 1, 2, 3, 4}) {
    Bench b;
    b.lose = [&](const Effect& e) {
      switch (kill) {
      case 0:
        return std::holds_alternative<effect::Register>(e);
      case 1:
        return std::holds_alternative<effect::Prepare>(e);
      case 2:
        return std::holds_alternative<effect::Start>(e);
      case 3: // the world did it, the answer is lost
        if (auto* r = std::get_if<effect::Register>(&e)) {
          b.world.make(r->request);
          return true;
        }
        return false;
      default:
        if (auto* s = std::get_if<effect::Start>(&e)) {
          b.world.start(s->spec, b.steady);
          return true;
        }
        return false;
      }
    };
    b.start();
    b.lose = nullptr;
    b.start();
    b.advance(10s);
    b.boot_all();
    INFO("crash at ", kill);
    CHECK(b.count(Status::Idle) == 3);
    CHECK(b.world.records.size() == 3);
    CHECK(b.running().size() == 3);
    CHECK(b.world.disks.size() == 3);
    CHECK(b.core->runners().size() == 3);
  }
}

TEST_CASE("a lost 201 is found by name, deleted, and replaced under a new id") {
  Bench b;
  b.profile("linux", 1);
  bool once = true;
  b.fail = [&](const Effect& e) -> std::optional<GithubError> {
    if (auto* r = std::get_if<effect::Register>(&e); r && once) {
      once = false;
      b.world.make(r->request);
      return World::error(GithubError::Kind::unreachable);
    }
    return {};
  };
  b.start();
  b.advance(10s);
  CHECK(b.world.records.size() == 1);
  CHECK(b.core->runners().begin()->first == 2);
}

TEST_CASE("G5: a guest is made when its registration is durable, whatever else was written before") {
  Bench b;
  b.profile("linux", 1);
  bool refused = false;
  b.fail = [&](const Effect& e) -> std::optional<GithubError> {
    if (!std::holds_alternative<effect::Register>(e) || std::exchange(refused, true))
      return {};
    b.hold_commits();
    auto limited = World::error(GithubError::Kind::limited, 429);
    limited.retry_after = 5s;
    return limited;
  };
  b.start();
  REQUIRE(refused);
  b.advance(10s);
  CHECK(b.world.records.size() == 1);
  CHECK(b.running().empty());
  while (!b.held_commits.empty()) {
    b.complete_commit();
    for (auto& name : b.running())
      for (auto& row : b.store.runners)
        CHECK((row.guest_name != name || (row.registration_id && !row.jit_config.empty())));
  }
  CHECK(b.running().size() == 1);
}

TEST_CASE("G11: of a registration that was never sent nothing is left to be asked for when GitHub is back") {
  Bench b;
  b.profile("linux", 1);
  int asked = 0;
  b.fail = [&](const Effect& e) -> std::optional<GithubError> {
    asked += std::holds_alternative<effect::FindRegistration>(e);
    auto error = World::error(GithubError::Kind::unreachable);
    error.unsent = true;
    return error;
  };
  b.start();
  b.advance(1h);
  CHECK(b.core->runners().size() <= 1);
  CHECK(asked == 0);
  b.fail = {};
  b.advance(6min);
  CHECK(b.world.records.size() == 1);
}

TEST_CASE("G6: a profile whose creates fail backs off and says why; others go on") {
  Bench b;
  b.profile("other", 2);
  b.world.add_template("ci-template-other@2026-01-01T00:00:00.000000000Z");
  b.fail_host = [](const Effect& e) -> std::optional<std::string> {
    auto* p = std::get_if<effect::Prepare>(&e);
    if (p && p->spec.name.find("linux") != std::string::npos)
      return "disk full";
    return {};
  };
  b.start();
  b.advance(600s);
  CHECK(b.running().size() == 2);
  CHECK(b.snapshot->profiles.at("linux").trouble == "disk: disk full");
  // 5 + 10 + 20 ... s: a handful of rounds in ten minutes, not hundreds.
  CHECK(b.store.next_id < 40);
}

TEST_CASE("a profile's trouble ends when no more runners of it are wanted") {
  Bench b;
  b.profile("other", 1);
  b.start();
  REQUIRE(b.snapshot->profiles.at("other").trouble == "there is no image of it yet");
  b.policy->profiles["other"].target_count = 0;
  b.apply_policy();
  CHECK(b.snapshot->profiles.at("other").trouble.empty());
}

TEST_CASE("G5: guests and registrations of others are left alone and reported") {
  Bench b;
  b.world.guests["ci-runner-linux.99"] = {"foreign", GuestState::on, "", "10.0.0.99", "", false};
  b.world.make({"ci-runner-linux.98@ci0", {"x"}, "_work", 1});
  b.start();
  b.advance(60s);
  CHECK(b.world.guests.count("ci-runner-linux.99") == 1);
  CHECK(b.world.find("ci-runner-linux.98@ci0").value->size() == 1);
  CHECK(b.snapshot->strangers.size() == 2);
  CHECK(b.core->held().hugepages_1g == 4); // the stranger counts in the budget
}

TEST_CASE("a jump of the wall clock ages nothing") {
  Pool b;
  b.take(Bench::ask("linux", 1));
  auto left = *b.core->reservations().begin()->second.rec.deadline - b.time;
  b.time += 3600s;
  b.core->on_clock_jump(b.now(), 3600s);
  b.run();
  CHECK(*b.core->reservations().begin()->second.rec.deadline - b.time == left);
  b.advance(1s);
  CHECK(b.count(Status::Reserved) == 1);
}

TEST_CASE("a stop refuses what waits and orders nothing new") {
  Pool b;
  b.lose = [](const Effect& e) { return std::holds_alternative<effect::Label>(e); };
  auto waiting = b.take(Bench::ask("linux", 1));
  b.core->stop(b.now());
  b.run();
  CHECK(b.takes.at(waiting).verdict.refusal == Refusal::not_ready);
  auto before = b.effects_carried;
  b.power_off(b.running().back());
  CHECK(b.world.guests.size() == 4);
  CHECK(b.effects_carried - before < 5);
}

TEST_CASE("G5: a listing that is older than a runner's end does not bring it back") {
  Pool b;
  auto guest = b.running().front();
  // A listing is under way while the guest goes off, is removed, and its runner ends.
  b.lose = [](const Effect& e) { return std::holds_alternative<effect::ListGuests>(e); };
  b.advance(6s);
  auto stale = b.world.list_guests(b.steady);
  b.world.end_job(guest);
  b.power_off(guest);
  REQUIRE(b.core->runners().count(1) == 0);
  b.core->on_guest_listing(b.now(), stale, "");
  CHECK(b.core->runners().count(1) == 0);
}

TEST_CASE("G5: a guest that comes to be after its runner's end is removed") {
  Pool b;
  auto guest = b.running().front();
  auto late = b.world.guests.at(guest);
  b.world.end_job(guest);
  b.power_off(guest);
  REQUIRE(b.core->runners().count(1) == 0);
  b.world.guests[guest] = late;
  b.advance(10s);
  CHECK(b.world.guests.count(guest) == 0);
  CHECK(b.core->runners().count(1) == 0);
}

TEST_CASE("a take that is released while another job takes its runner ends") {
  Pool b;
  b.lose = [](const Effect& e) { return std::holds_alternative<effect::Label>(e); };
  b.take(Bench::ask("linux", 1));
  b.lose = nullptr;
  b.world.begin_job(b.running().front());
  b.world.records.begin()->second.shown.busy = true;
  // The runner is seen busy before the label call is answered.
  b.core->on_registration_listing(b.now(), b.world.list(b.steady));
  b.release("00000001-0000-4000-8000-000000000000");
  b.core->on_labelled(b.now(), "00000001-0000-4000-8000-000000000000", 1,
                      GithubReply<std::vector<std::string>>::failed(World::error(GithubError::Kind::unreachable)));
  b.run();
  CHECK(b.core->reservations().empty());
}

TEST_CASE("a clock that jumps back does not keep a runner from being let go") {
  Pool b;
  b.policy->profiles["linux"].target_count = 2;
  b.apply_policy();
  b.time -= 3600s;
  b.core->on_clock_jump(b.now(), -3600s);
  b.run();
  b.advance(65s);
  CHECK(b.running().size() == 2);
}

TEST_CASE("for a queue, a take that GitHub does not confirm in time is undone") {
  Pool b;
  b.policy->queue_member = true;
  b.apply_policy();
  b.lose = [](const Effect& e) { return std::holds_alternative<effect::LookSlot>(e); };
  auto request = b.take(Bench::ask("linux", 1));
  b.advance(2400ms);
  CHECK(b.takes.count(request) == 0);
  b.advance(200ms);
  REQUIRE(b.takes.count(request) == 1);
  CHECK(b.takes.at(request).verdict.refusal == Refusal::github_away);
}

TEST_CASE("G5: a guest that came late is known to the store before anything is done about it") {
  Pool b;
  auto guest = b.running().front();
  auto late = b.world.guests.at(guest);
  b.world.end_job(guest);
  b.power_off(guest);
  REQUIRE(b.core->runners().count(1) == 0);
  b.world.guests[guest] = late;
  b.lose = [](const Effect& e) { return std::holds_alternative<effect::Remove>(e); };
  b.advance(10s);
  REQUIRE(b.core->runners().count(1) == 1);
  auto kept = std::find_if(b.store.runners.begin(), b.store.runners.end(), [](auto& r) { return r.id == 1; });
  REQUIRE(kept != b.store.runners.end());
  CHECK_FALSE(kept->guest_removed);
  CHECK(kept->phase == Phase::destroying);
}

TEST_CASE("G5: a registration that came late is known to the store before anything is done about it") {
  Bench b;
  std::optional<JitRequest> lost;
  b.fail = [&](const Effect& e) -> std::optional<GithubError> {
    auto* asked = std::get_if<effect::Register>(&e);
    if (!asked || lost)
      return {};
    lost = asked->request;
    return World::error(GithubError::Kind::unreachable);
  };
  b.start();
  b.advance(31s);
  REQUIRE(b.core->runners().count(1) == 0);
  auto late = b.world.make(*lost).value->registration.id;
  b.lose = [](const Effect& e) { return std::holds_alternative<effect::Unregister>(e); };
  b.advance(31s);
  REQUIRE(b.core->runners().count(1) == 1);
  auto kept = std::find_if(b.store.runners.begin(), b.store.runners.end(), [](auto& r) { return r.id == 1; });
  REQUIRE(kept != b.store.runners.end());
  CHECK(kept->registration_id == late);
  CHECK_FALSE(kept->registration_ended);
}

TEST_CASE("G5: a guest whose start was cut off by a crash is adopted as it is, without another create") {
  Bench b;
  b.lose = [&](const Effect& e) {
    auto* s = std::get_if<effect::Start>(&e);
    if (s)
      b.world.start(s->spec, b.steady);
    return s != nullptr;
  };
  b.start();
  bool made_again = false;
  b.lose = [&](const Effect& e) {
    made_again |= std::holds_alternative<effect::Prepare>(e) || std::holds_alternative<effect::Start>(e);
    return false;
  };
  b.start();
  CHECK_FALSE(made_again);
  CHECK(b.runner(1).rec.phase == Phase::live);
}

TEST_CASE("G5: a runner whose guest's name was taken over by a stranger ends, and the stranger is shown") {
  Pool b;
  auto guest = b.running().front();
  auto& stranger = b.world.guests.at(guest);
  stranger.uuid = "someone-else";
  stranger.own = false;
  b.advance(180s);
  CHECK(b.core->runners().count(1) == 0);
  REQUIRE(b.world.guests.count(guest) == 1);
  CHECK(b.world.guests.at(guest).state == GuestState::on);
  CHECK(b.snapshot->strangers == std::vector<std::string>{guest});
  CHECK(b.world.disks.size() == 3);
}

TEST_CASE("no two runners have the same MAC address, whatever chance says") {
  Bench b;
  std::uint64_t said = 0;
  b.core = std::make_unique<Core>([&] { return ++said / 8; }); // the same again and again
  b.core->on_loaded(b.now(), {});
  b.core->on_policy(b.now(), b.policy);
  b.core->on_host(b.now(), true, "");
  b.run();
  std::set<std::string> macs;
  for (auto& [id, r] : b.core->runners())
    macs.insert(r.rec.mac);
  CHECK(macs.size() == 3);
}

/// Runner 1, which has just gone offline.
static void check_that_it_is_lost_in_time(Pool& b) {
  b.advance(b.policy->timings.lost_timeout);
  CHECK(b.runner(1).rec.phase == Phase::live);
  b.advance(40s);
  CHECK(b.runner(1).rec.reason == "was lost: offline for too long");
  b.advance(120s);
  CHECK(b.core->runners().count(1) == 0);
}

TEST_CASE("a runner that is offline for too long is let go by the usual ladder") {
  Pool b;
  auto guest = b.runner(1).rec.guest_name;
  b.world.go_offline(b.world.guests.at(guest));
  check_that_it_is_lost_in_time(b);
  CHECK(b.world.stopped_unreleased.empty());
}

TEST_CASE("a runner at work that GitHub calls offline and idle for too long is let go by the usual ladder") {
  Pool b;
  auto guest = b.runner(1).rec.guest_name;
  b.world.begin_job(guest);
  b.advance(31s);
  REQUIRE(b.status(1) == Status::Busy);
  b.world.go_offline(b.world.guests.at(guest));
  SUBCASE("which GitHub calls busy still: it is left alone") {
    b.advance(b.policy->timings.lost_timeout + 5min);
    CHECK(b.status(1) == Status::Busy);
    CHECK(b.world.guests.at(guest).state == GuestState::on);
  }
  SUBCASE("whose job GitHub has failed") {
    auto& record = *b.world.record_of(b.world.guests.at(guest));
    record.working = record.shown.busy = false;
    check_that_it_is_lost_in_time(b);
  }
  SUBCASE("whose job GitHub shows late: it is spared, and has as long again") {
    auto& record = *b.world.record_of(b.world.guests.at(guest));
    record.shown.busy = false;
    b.advance(b.policy->timings.lost_timeout + 4min);
    CHECK(b.status(1) == Status::Busy);
    CHECK(std::find(b.events.begin(), b.events.end(),
                    "destroy_withdrawn runner=1 reason=\"was lost: offline for too long\"") != b.events.end());
    CHECK(b.world.guests.at(guest).state == GuestState::on);
  }
  CHECK(b.world.killed_at_work.empty());
  CHECK(b.world.stopped_unreleased.empty());
  CHECK(b.world.let_go_early.empty());
}

TEST_CASE("a guest that stands still is shown with libvirt's reason, and told of once") {
  Pool b;
  auto guest = b.runner(1).rec.guest_name;
  auto shown = [&] { return b.snapshot->runners.at(0)->details; };
  CHECK_FALSE(shown().count("guest"));
  b.world.guests.at(guest).reason = "paused: I/O error";
  b.advance(5min);
  CHECK(shown().at("guest") == "paused: I/O error");
  CHECK(std::count(b.events.begin(), b.events.end(), "guest_paused runner=1 reason=\"paused: I/O error\"") == 1);
  b.world.guests.at(guest).reason = "unpaused";
  b.advance(5min);
  CHECK_FALSE(shown().count("guest"));
}

TEST_CASE("G2: a runner labelled for a reservation that is not known here is kept for it, for a while") {
  Pool b;
  b.policy->timings.reserve_timeout = 100s;
  b.apply_policy();
  const std::vector<std::string> label = {"reserved-for:0000000a-0000-4000-8000-000000000000"};
  for (RunnerId id : {1, 2})
    b.world.label(*b.runner(id).rec.registration_id, label);
  b.advance(31s);
  CHECK(b.count(Status::Reserved) == 2);
  b.world.unlabel(*b.runner(2).rec.registration_id, label); // whoever set it took it back
  b.advance(60s);
  CHECK(b.status(2) == Status::Idle);
  CHECK(b.runner(1).rec.phase == Phase::live);
  b.advance(41s);
  CHECK(b.runner(1).rec.reason == "expired: labelled for a reservation that is not known here");
}

TEST_CASE("G7: what works at GitHub under the id of a runner whose config nobody has is no job of its guest") {
  Bench b;
  b.start();
  b.world.records.begin()->second.shown.busy = true;
  b.advance(31s);
  CHECK(b.status(1) == Status::StartedOrCrashed);
  CHECK(std::find(b.events.begin(), b.events.end(), "busy_without_config runner=1") != b.events.end());
}

TEST_CASE("G10: whoever waits for the JIT config of a runner is told when it is not given any more") {
  Bench b;
  b.start();
  auto name = b.runner(1).rec.guest_name;
  auto& guest = b.world.guests.at(name);
  guest.config = b.jitconfig(guest.address);
  b.lose = [](const Effect& e) { return std::holds_alternative<effect::Look>(e); };
  CHECK(b.jitconfig(guest.address).empty()); // waits for a look
  const auto request = b.next_request - 1;
  REQUIRE_FALSE(b.jits.count(request));
  b.world.power_off(name, "crashed");
  b.advance(31s);
  REQUIRE(b.runner(1).rec.phase == Phase::destroying);
  REQUIRE(b.jits.count(request));
  CHECK(b.jits.at(request).verdict.refusal == Refusal::jit_gone);
}

TEST_CASE("G7: a repeat is refused where GitHub calls the runner busy") {
  Bench b;
  b.start();
  auto& guest = b.world.guests.at(b.runner(1).rec.guest_name);
  guest.config = b.jitconfig(guest.address);
  b.world.begin_job(b.runner(1).rec.guest_name); // and offline still
  Refusal refusal{};
  CHECK(b.jitconfig(guest.address, &refusal).empty());
  CHECK(refusal == Refusal::jit_gone);
}

TEST_CASE("a guest whose profile has no boot script is told that there is none yet") {
  Bench b;
  b.policy->profiles.at("linux").boot_script = nullptr;
  b.start();
  const auto boot = b.next_request++;
  b.core->boot(b.now(), boot, b.world.guests.at(b.running().front()).address);
  b.run();
  CHECK(b.boots.at(boot).verdict.refusal == Refusal::guest_unknown);
}

TEST_CASE("G2: an id that was spent is told from one that was spent on something else") {
  Pool b;
  b.take(Bench::ask("linux", 1));
  b.release("00000001-0000-4000-8000-000000000000");
  b.advance(1s);
  REQUIRE(b.core->reservations().empty());
  CHECK(b.takes.at(b.take(Bench::ask("linux", 1))).verdict.refusal == Refusal::id_spent);
  CHECK(b.takes.at(b.take(Bench::ask("linux", 2))).verdict.refusal == Refusal::id_conflict);
}

TEST_CASE("a runner whose labels GitHub refuses is left out of the take") {
  Pool b;
  b.fail = [](const Effect& e) -> std::optional<GithubError> {
    if (auto* label = std::get_if<effect::Label>(&e); label && label->runner == 1)
      return World::error(GithubError::Kind::unprocessable, 422);
    return {};
  };
  CHECK(ids(b.takes.at(b.take(Bench::ask("linux", 1)))) == std::vector<RunnerId>{2});
  CHECK(b.count(Status::Idle) == 2);
}

TEST_CASE("a runner that is gone before GitHub answered about it is replaced in the take") {
  Pool b;
  const auto ask = Bench::ask("linux", 1);
  const auto shown = b.world.look(*b.runner(1).rec.registration_id, b.steady);
  const auto unknown = World::error(GithubError::Kind::not_found, 404);
  bool of_label = false;
  auto lost_for_the_first = [&](auto* order) { return order && order->runner == 1; };
  SUBCASE("to its labels") {
    of_label = true;
    b.lose = [&](const Effect& e) { return lost_for_the_first(std::get_if<effect::Label>(&e)); };
  }
  SUBCASE("to the look at them") {
    b.lose = [&](const Effect& e) { return lost_for_the_first(std::get_if<effect::LookSlot>(&e)); };
  }
  const auto request = b.take(ask);
  const auto guest = b.runner(1).rec.guest_name;
  b.world.end_job(guest);
  b.power_off(guest);
  b.advance(10s);
  REQUIRE(b.core->runners().count(1) == 0);
  REQUIRE(b.takes.count(request) == 0);
  if (of_label)
    b.core->on_labelled(b.now(), ask.unique_id, 1, GithubReply<std::vector<std::string>>::failed(unknown));
  else
    b.core->on_slot_looked(b.now(), ask.unique_id, 1, GithubReply<Registration>::failed(unknown));
  b.run();
  CHECK(ids(b.takes.at(request)) == std::vector<RunnerId>{2});
}

TEST_CASE("events about a guest count only where they are about this one") {
  Pool b;
  const auto guest = b.runner(1).rec.guest_name;
  const auto seen = [&](const std::string& uuid, GuestState state) {
    b.steady += 1ms;
    b.core->on_guest(b.now(), {guest, uuid, state, "destroyed", b.steady});
    b.run();
  };
  seen("of a namesake", GuestState::off);
  CHECK(b.status(1) == Status::Idle);
  b.world.guests.erase(guest);
  seen("", GuestState::absent);
  CHECK(b.core->runners().count(1) == 0);
  CHECK(std::any_of(b.history.begin(), b.history.end(),
                    [](auto& line) { return line.runner == 1 && line.detail == "its guest is gone"; }));
}

TEST_CASE("names that nearly look ours are reported, too, and can't break the log") {
  Pool b;
  b.world.guests["ci-runner-\"x\ny"] = {"foreign", GuestState::on, "", "", "", false};
  b.world.guests["ci-rebuild-linux@2026-01-01T00:00:00Z"] = {"other", GuestState::off, "", "", "", false};
  const auto guest = b.runner(1).rec.guest_name;
  b.world.end_job(guest);
  b.power_off(guest);
  b.boot_all();
  REQUIRE(b.core->runners().count(1) == 0);
  b.world.make({"ci-runner-other.1@ci0", {"x"}, "_work", 1}); // of an id that was ours
  b.advance(31s);
  CHECK(b.snapshot->strangers == std::vector<std::string>{"ci-rebuild-linux@2026-01-01T00:00:00Z",
                                                          "ci-runner-\"x\ny", "ci-runner-other.1@ci0"});
  CHECK(b.core->held().hugepages_1g == 3); // none of them runs under a name of a profile's
  CHECK(std::any_of(b.events.begin(), b.events.end(),
                    [](auto& e) { return e.starts_with("stranger name=\"ci-runner-?x?y\" "); }));
}

TEST_CASE("G5: a runner whose profile goes while it is made ends when that order does") {
  using Kind = bool (*)(const Effect&);
  for (Kind kind : {Kind([](const Effect& e) { return std::holds_alternative<effect::Register>(e); }),
                    Kind([](const Effect& e) { return std::holds_alternative<effect::Prepare>(e); }),
                    Kind([](const Effect& e) { return std::holds_alternative<effect::Start>(e); })}) {
    Bench b;
    std::vector<Effect> held;
    b.lose = [&](const Effect& e) {
      if (kind(e))
        held.push_back(e);
      return kind(e);
    };
    b.start();
    REQUIRE(held.size() == 3);
    b.policy->profiles.clear();
    b.apply_policy();
    CHECK(b.runner(1).rec.phase == Phase::creating);
    b.lose = nullptr;
    for (auto& e : held) {
      if (auto* ask = std::get_if<effect::Register>(&e))
        b.core->on_registered(b.now(), ask->runner, b.world.make(ask->request));
      if (auto* prepare = std::get_if<effect::Prepare>(&e))
        b.core->on_prepared(b.now(), prepare->runner, b.world.prepare(prepare->spec, b.steady));
      if (auto* start = std::get_if<effect::Start>(&e))
        b.core->on_started(b.now(), start->runner, {"made up", b.steady});
    }
    b.run();
    b.advance(180s);
    CHECK(b.core->runners().empty());
    CHECK(b.world.disks.empty());
    CHECK(b.world.records.empty());
  }
}
