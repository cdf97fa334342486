#pragma once
/// A pool with a reservation that was answered, on a bench.

#include "tests/support/bench.hpp"

#include <doctest/doctest.h>

namespace ci::test {

using namespace std::chrono_literals;

/// Three idle runners, and a reservation of `count` of them for run 77.
struct Promised : Bench {
  std::string uid;
  std::vector<RunnerId> given;

  explicit Promised(int count = 1) {
    policy->max_parallel_creates = 100;
    start();
    boot_all();
    world.runs[77] = {77, "in_progress", "", "servo/servo"};
    const auto request = ask("linux", count);
    uid = request.unique_id;
    const auto answer = takes.at(take(request));
    for (auto& runner : answer.runners)
      given.push_back(runner->id);
    REQUIRE(static_cast<int>(given.size()) == count);
  }

  /// Jobs of the run: how many wait for the reservation, and which runners have one.
  void jobs(int waiting, const std::vector<std::string>& working = {}) {
    auto& list = world.jobs[77];
    list.clear();
    for (int i = 0; i < waiting; ++i)
      list.push_back({i + 1, "queued", {"Reserved-For:" + uid}, ""});
    for (auto& name : working)
      list.push_back({100, "in_progress", {"reserved-for:" + uid}, name});
  }
  std::string guest_of(RunnerId id) const { return runner(id).rec.guest_name; }
  std::string registration_of(RunnerId id) const { return runner(id).rec.registration_name; }
  bool lives(RunnerId id) const {
    auto it = core->runners().find(id);
    return it != core->runners().end() && it->second.rec.phase == Phase::live;
  }
  std::string state() { return snapshot->reservation(uid)->state; }
  std::vector<RunnerId> holders() {
    std::vector<RunnerId> ids;
    for (auto& slot : core->reservations().at(uid).rec.slots)
      if (slot.state == SlotState::confirmed || slot.state == SlotState::started)
        ids.push_back(slot.runner);
    return ids;
  }
};

} // namespace ci::test
