/// Stories of the decisions where an answer is old, lost, or overtaken.
#include "tests/support/bench.hpp"

#include <doctest/doctest.h>

using namespace ci::test;
using namespace std::chrono_literals;

namespace {

struct Idle : Bench {
  explicit Idle(int n) {
    profile("linux", n);
    start();
    boot_all();
  }
};

/// A host with one runner, whose guest has fetched its config and is not online yet.
struct Booted : Bench {
  Booted() {
    profile("linux", 1);
    start();
    guest = running().front();
    auto& there = world.guests.at(guest);
    there.config = jitconfig(there.address);
  }
  std::string guest;
};

/// While `silent` GitHub tells nothing of runners.
std::function<std::optional<GithubError>(const Effect&)> unheard(const bool& silent) {
  return [&silent](const Effect& e) -> std::optional<GithubError> {
    if (silent && (std::holds_alternative<effect::ListRegistrations>(e) || std::holds_alternative<effect::Look>(e)))
      return World::error(GithubError::Kind::unreachable);
    return {};
  };
}

/// Room for one runner, wanted once.
struct Narrow : Bench {
  Narrow() {
    profile("linux", 1);
    policy->budget.hugepages_1g = 1;
  }
  /// It is being removed and stays so.
  static bool removes(const Effect& e) { return std::holds_alternative<effect::Remove>(e); }
};

const std::string first_id = "00000001-0000-4000-8000-000000000000";

} // namespace

TEST_CASE("G1: each DELETE comes after two looks of its own") {
  Idle b(1);
  b.policy->profiles["linux"].target_count = 0;
  std::vector<Time> looks;
  int refused = 0;
  b.fail = [&](const Effect& e) -> std::optional<GithubError> {
    if (std::holds_alternative<effect::Look>(e))
      looks.push_back(b.time);
    if (!std::holds_alternative<effect::Unregister>(e) || refused > 0)
      return {};
    ++refused;
    looks.clear();
    return GithubError{GithubError::Kind::limited, 403, "slower", Duration{3'600'000}};
  };
  b.apply_policy();
  b.advance(3'600s);
  REQUIRE(refused == 1);
  CHECK(b.running().size() == 1);
  auto again = b.time;
  b.advance(200s);
  CHECK(b.running().empty());
  REQUIRE(looks.size() >= 2);
  CHECK(looks.front() >= again - 61s);
  CHECK(looks.back() - looks.front() >= 60s);
}

TEST_CASE("G4: a guest whose start was cut off keeps its slot until it is removed") {
  Narrow b;
  b.lose = [](const Effect& e) { return std::holds_alternative<effect::Start>(e); };
  b.start();
  // libvirt defined it, and is still busy starting it when the next process lists.
  b.world.define(b.runner(1).rec.guest_name, b.runner(1).rec.uuid, "", b.steady);
  b.lose = Narrow::removes;
  for (int starts = 0; starts < 2; ++starts) {
    b.start();
    CHECK(b.core->runners().size() == 1);
    CHECK(b.core->held().hugepages_1g == 1);
  }
  b.lose = nullptr;
  b.start();
  b.advance(10s);
  CHECK(b.running().size() == 1);
}

TEST_CASE("G4: a guest whose start was not answered in time keeps its slot until it is removed") {
  Narrow b;
  b.lose = Narrow::removes;
  bool once = true;
  b.fail_host = [&](const Effect& e) -> std::optional<std::string> {
    auto* s = std::get_if<effect::Start>(&e);
    if (!s || !std::exchange(once, false))
      return {};
    b.world.define(s->spec.name, s->spec.uuid, "", b.steady);
    return "no answer in time";
  };
  b.start();
  b.advance(60s);
  CHECK(b.core->runners().size() == 1);
  CHECK(b.core->held().hugepages_1g == 1);
}

TEST_CASE("G4: a guest that ran and is off gives its slot away at once") {
  Narrow b;
  b.start();
  b.boot_all();
  b.lose = Narrow::removes;
  b.power_off(b.running().front());
  CHECK(b.core->runners().size() == 2);
}

TEST_CASE("G7: a look-up of addresses that fails answers nobody") {
  Bench b;
  b.start();
  auto guest = b.running().front();
  auto address = b.world.guests.at(guest).address;
  b.advance(6s); // the address is known
  b.lose = [](const Effect& e) { return std::holds_alternative<effect::ListAddresses>(e); };
  Refusal refusal{};
  b.jitconfig(address);
  b.core->on_addresses(b.now(), std::nullopt, "libvirt is away");
  b.run();
  auto& answer = b.jits.rbegin()->second;
  refusal = answer.verdict.refusal;
  CHECK(refusal == Refusal::guest_unknown);
  CHECK(answer.encoded_jit_config.empty());
}

TEST_CASE("a take that is released before its grant is durable is answered") {
  Idle b(1);
  b.lose = [&](const Effect& e) {
    auto it = b.core->reservations().find(first_id);
    return std::holds_alternative<effect::Commit>(e) && it != b.core->reservations().end() && it->second.rec.granted_at;
  };
  auto request = b.take(Bench::ask("linux", 1));
  REQUIRE_FALSE(b.takes.count(request));
  b.release(first_id);
  REQUIRE(b.takes.count(request));
  CHECK(b.takes.at(request).verdict.refusal == Refusal::id_released);
}

TEST_CASE("G3: a release is answered when it is durable") {
  Idle b(1);
  b.take(Bench::ask("linux", 1));
  b.hold_commits();
  auto request = b.release(first_id);
  CHECK_FALSE(b.releases.count(request));
}

TEST_CASE("a repeat is not told `null` while what became of its runners is found out") {
  Idle b(1);
  b.take(Bench::ask("linux", 1));
  b.fail = [](const Effect& e) -> std::optional<GithubError> {
    if (std::holds_alternative<effect::AskRun>(e) || std::holds_alternative<effect::AskJobs>(e))
      return World::error(GithubError::Kind::unreachable);
    return {};
  };
  b.power_off(b.running().front()); // before GitHub had called it busy
  b.advance(5s);
  REQUIRE(b.core->reservations().count(first_id));
  CHECK(b.takes.at(b.take(Bench::ask("linux", 1))).verdict.refusal == Refusal::id_spent);
}

TEST_CASE("after a restart, a replacement may bear labels that are not noted") {
  for (const bool refused : {false, true}) {
    Idle b(2);
    b.world.runs[77] = {77, "in_progress", "", "servo/servo"};
    b.world.jobs[77] = {{1, "queued", {"reserved-for:" + first_id}, ""}};
    b.take(Bench::ask("linux", 1));
    b.lose = [](const Effect& e) { return std::holds_alternative<effect::LookSlot>(e); };
    b.power_off(b.runner(1).rec.guest_name);
    b.advance(30s);
    auto labelled = [&] {
      for (auto& [id, r] : b.world.records)
        if (has_reservation_label(r.shown.labels))
          return true;
      return false;
    };
    REQUIRE(labelled()); // the replacement is, and is not confirmed yet
    b.lose = nullptr;
    b.fail = [&](const Effect& e) -> std::optional<GithubError> {
      if (refused && std::holds_alternative<effect::Label>(e))
        return World::error(GithubError::Kind::unprocessable, 422);
      if (!refused && std::holds_alternative<effect::LookSlot>(e))
        return World::error(GithubError::Kind::not_found, 404);
      return {};
    };
    b.start();
    b.advance(10s);
    CHECK_FALSE(labelled());
  }
}

TEST_CASE("G1: a guest at work that one listing of libvirt's lacks is left alone") {
  Idle b(1);
  const auto guest = b.running().front();
  const auto id = b.core->runners().begin()->first;
  b.world.begin_job(guest);
  b.advance(31s);
  REQUIRE(b.status(id) == Status::Busy);
  int unregistered = 0;
  b.lose = [&](const Effect& e) {
    unregistered += std::holds_alternative<effect::Unregister>(e);
    return false;
  };
  SUBCASE("by a listing") {
    auto listing = b.world.list_guests(b.steady);
    std::erase_if(listing.guests, [&](auto& seen) { return seen.name == guest; });
    b.core->on_guest_listing(b.now(), listing, "");
  }
  SUBCASE("by a look after an event") {
    b.steady += 1ms;
    b.core->on_guest(b.now(), {guest, b.world.guests.at(guest).uuid, GuestState::absent, "not found", b.steady});
  }
  b.run();
  b.advance(200s);
  CHECK(unregistered == 0);
  CHECK(b.status(id) == Status::Busy);
  CHECK(b.running() == std::vector{guest});
  CHECK(b.core->held().hugepages_1g == 1);
  CHECK(b.world.killed_at_work.empty());
}

TEST_CASE("a guest that two listings lack is gone, and is replaced") {
  Idle b(1);
  const auto guest = b.running().front();
  b.world.guests.erase(guest);
  b.advance(10s);
  REQUIRE(b.running().size() == 1);
  CHECK(b.running().front() != guest);
}

TEST_CASE("G1: what takes a guest away does not stop one that is on after all, unless GitHub let it go") {
  Idle b(1);
  const auto guest = b.running().front();
  b.world.begin_job(guest);
  b.advance(31s);
  std::vector<bool> released;
  b.lose = [&](const Effect& e) {
    if (auto* remove = std::get_if<effect::Remove>(&e))
      released.push_back(remove->spec.released);
    return false;
  };
  b.steady += 1ms;
  b.core->on_guest(b.now(), {guest, b.world.guests.at(guest).uuid, GuestState::off, "crashed", b.steady});
  b.run();
  b.advance(10s);
  REQUIRE_FALSE(released.empty());
  CHECK_FALSE(released.front());
  CHECK(b.world.killed_at_work.empty());
  CHECK(b.running().front() == guest);
}

TEST_CASE("G5: what GitHub's outage kept is deleted soon after its end, however long it was") {
  Idle b(1);
  bool away = true;
  auto error = World::error(GithubError::Kind::unreachable);
  SUBCASE("while it was not reached") {}
  SUBCASE("while it asked for a pause") {
    error = World::error(GithubError::Kind::limited);
    error.retry_after = 30s;
  }
  b.fail = [&](const Effect& e) -> std::optional<GithubError> {
    const bool asks = std::holds_alternative<effect::ListRegistrations>(e) || std::holds_alternative<effect::Look>(e) ||
                      std::holds_alternative<effect::Unregister>(e) || std::holds_alternative<effect::Register>(e);
    return away && asks ? std::optional{error} : std::nullopt;
  };
  const auto guest = b.running().front();
  const auto registration = guest + "@ci0";
  b.power_off(guest);
  b.advance(600s);
  away = false;
  b.advance(61s);
  auto left = b.world.find(registration);
  CHECK(left.value->empty());
}

TEST_CASE("G6: a GitHub that does all but delete is asked with growing pauses, is shown, and holds up nothing else") {
  Idle b(12);
  bool ill = true;
  int tries = 0;
  b.fail = [&](const Effect& e) -> std::optional<GithubError> {
    if (!ill || !std::holds_alternative<effect::Unregister>(e))
      return {};
    ++tries;
    return World::error(GithubError::Kind::server, 503);
  };
  for (auto& guest : b.running())
    b.power_off(guest);
  b.boot_all();
  CHECK(b.count(Status::Idle) == 12);
  b.advance(120s);
  tries = 0;
  for (int minute = 1; minute <= 10; ++minute) {
    b.advance(60s);
    CHECK_FALSE(b.snapshot->github.well);
    CHECK(tries <= 12 * minute);
  }
  CHECK(b.takes.at(b.take(Bench::ask("linux", 8))).runners.size() == 8);
  const auto left = [&] { return b.world.records.size() - 12; };
  CHECK(left() == 12);
  ill = false;
  b.advance(61s);
  CHECK(left() == 0);
  CHECK(b.snapshot->github.well);
}

TEST_CASE("G3: a replacement is labelled only when its slot is durable") {
  Idle b(4);
  b.hold_commits();
  b.take(Bench::ask("linux", 2));
  auto& reservation = b.core->reservations().at(first_id);
  const auto chosen = reservation.rec.slots;
  REQUIRE(chosen.size() == 2);
  b.power_off(b.runner(chosen[0].runner).rec.guest_name);
  std::set<RunnerId> labelled;
  b.lose = [&](const Effect& e) {
    if (auto* label = std::get_if<effect::Label>(&e))
      labelled.insert(label->runner);
    return std::holds_alternative<effect::Commit>(e);
  };
  // The commits before: the first is the reservation's, the second the dead runner's.
  while (!reservation.committed)
    b.core->on_committed(b.now());
  b.run();
  REQUIRE(reservation.rec.slots.size() == 3);
  CHECK_FALSE(labelled.contains(reservation.rec.slots[2].runner));
  while (!reservation.committed)
    b.core->on_committed(b.now());
  b.run();
  CHECK(labelled.contains(reservation.rec.slots[2].runner));
}

TEST_CASE("after a restart a guest that boots has its whole time to come online") {
  Bench b;
  b.profile("linux", 1);
  b.start();
  const auto guest = b.running().front();
  const auto timeout = b.policy->timings.start_timeout;
  b.time += timeout + 10s; // the service was down
  b.start();
  CHECK(b.running().front() == guest);
  b.boot_all();
  CHECK(b.running().front() == guest);
  CHECK(b.count(Status::Idle) == 1);
}

TEST_CASE("after a restart nobody is called late before GitHub has told who is online") {
  Booted b;
  b.world.go_online(b.guest);
  const auto timeout = b.policy->timings.start_timeout;
  bool silent = true;
  b.fail = unheard(silent);
  b.start();
  b.advance(timeout + 10s);
  CHECK(b.running().front() == b.guest);
  silent = false;
  b.advance(61s);
  CHECK(b.running().front() == b.guest);
  CHECK(b.count(Status::Idle) == 1);
}

TEST_CASE("nobody is called late while GitHub does not tell who is online") {
  Booted b;
  bool silent = true;
  b.fail = unheard(silent);
  SUBCASE("it came online meanwhile") {
    b.world.go_online(b.guest);
    b.advance(b.policy->timings.start_timeout + 10s);
    CHECK(b.runner(1).rec.phase == Phase::live);
    silent = false;
    b.advance(61s);
    CHECK(b.count(Status::Idle) == 1);
    CHECK(b.running().front() == b.guest);
  }
  SUBCASE("it did not") {
    b.advance(b.policy->timings.start_timeout + 10s);
    CHECK(b.runner(1).rec.phase == Phase::live);
    silent = false;
    b.advance(61s);
    CHECK(b.runner(1).rec.reason == "did not come online in time");
  }
}

TEST_CASE("nobody is called lost for a time in which GitHub told of no one") {
  Idle b(1);
  const auto guest = b.running().front();
  b.world.go_offline(b.world.guests.at(guest));
  b.advance(31s);
  REQUIRE(b.runner(1).offline_since);
  bool silent = true;
  b.fail = unheard(silent);
  const auto timeout = b.policy->timings.lost_timeout;
  b.advance(timeout + 1min);
  CHECK(b.runner(1).rec.phase == Phase::live);
  silent = false;
  SUBCASE("it is online afterwards") {
    b.world.go_online(guest);
    b.advance(timeout);
    CHECK(b.count(Status::Idle) == 1);
  }
  SUBCASE("it is offline afterwards, but not for long") {
    b.advance(5min);
    CHECK(b.runner(1).rec.phase == Phase::live);
    b.world.go_online(guest);
    b.advance(timeout);
    CHECK(b.count(Status::Idle) == 1);
  }
  SUBCASE("it stays offline") {
    b.advance(timeout - 1s);
    CHECK(b.runner(1).rec.phase == Phase::live);
    b.advance(4min);
    CHECK_FALSE(b.core->runners().contains(1));
  }
}

TEST_CASE("what looks ours and is not is reported, whatever part of its name is wrong") {
  Bench b;
  b.profile("linux", 0);
  b.world.guests["ci-rebuild-linux"] = {"uuid-a", GuestState::off, "unknown", "", "", false};
  b.world.guests["ci-runner-linux"] = {"uuid-b", GuestState::off, "unknown", "", "", false};
  b.world.records[5].shown = {5, "somebody@ci0", "offline", false, {}};
  b.world.records[6].shown = {6, "somebody@ci1", "offline", false, {}};
  b.start();
  CHECK(b.snapshot->strangers == std::vector<std::string>{"ci-rebuild-linux", "ci-runner-linux", "somebody@ci0"});
}
