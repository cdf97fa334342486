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
  /// Commits stay under way from now on.
  void hold_commits() {
    lose = [](const Effect& e) { return std::holds_alternative<effect::Commit>(e); };
  }
};

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
  b.fail = [](const Effect& e) -> std::optional<GithubError> {
    if (std::holds_alternative<effect::LookSlot>(e))
      return World::error(GithubError::Kind::not_found, 404);
    return {};
  };
  b.start();
  b.advance(10s);
  CHECK_FALSE(labelled());
}
