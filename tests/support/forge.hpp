#pragma once
/// A bench whose host has one profile that builds its images, and no image at all.

#include "tests/support/bench.hpp"

#include <doctest/doctest.h>

namespace ci::test {

using namespace std::chrono_literals;

struct Forge : Bench {
  explicit Forge(int target = 2, std::int64_t pages = 16) {
    world.guests.clear();
    auto& p = profile("linux", target);
    p.image.begins_with.kind = ImageBase::Kind::blank;
    p.image.size_bytes = 1 << 20;
    p.image.build_timeout = 600s;
    p.disk_target = "vda";
    p.image_fingerprint = "first";
    policy->budget.hugepages_1g = pages;
  }

  /// Names of the rebuild guests that run.
  std::vector<std::string> rebuilds_on() const { return named("ci-rebuild-", GuestState::on); }
  std::vector<std::string> templates() const { return named("ci-template-", GuestState::off); }
  std::vector<std::string> named(const std::string& prefix, GuestState state) const {
    std::vector<std::string> names;
    for (auto& [name, g] : world.guests)
      if (name.starts_with(prefix) && g.state == state)
        names.push_back(name);
    return names;
  }
  /// The rebuild guest does its duty, and the trial runner comes online.
  void finish_build() {
    REQUIRE(rebuilds_on().size() == 1);
    power_off(rebuilds_on().front());
  }
  void build() {
    finish_build();
    boot_all();
  }
  const ProfileCounts& counts() const { return snapshot->profiles.at("linux"); }
  int capacity() const { return count(Status::Idle) + count(Status::Reserved) + count(Status::Busy); }
  /// Runners per template.
  std::map<std::string, int> runners_of() const {
    std::map<std::string, int> result;
    for (auto& [id, r] : core->runners())
      if (r.rec.phase != Phase::destroying)
        ++result[r.rec.template_guest];
    return result;
  }
  /// Lets time pass in small steps, guests booting all the while; the least capacity seen.
  int roll(Duration by, Duration step = 5s) {
    int least = capacity();
    for (Duration passed{0}; passed < by; passed += step) {
      for (auto& name : running())
        if (auto& g = world.guests.at(name); g.config.empty()) {
          g.config = jitconfig(g.address);
          if (!g.config.empty())
            world.go_online(name);
        }
      advance(step);
      least = std::min(least, capacity());
    }
    return least;
  }
  /// A full pool on a first image.
  void fill() {
    start();
    build();
    boot_all();
    REQUIRE(counts().idle == policy->profiles.at("linux").target_count);
  }
  std::string boot_script(const std::string& address) {
    auto id = next_request++;
    core->boot(now(), id, address);
    run();
    return boots.count(id) && boots[id].script ? *boots[id].script : "";
  }
  LeverAnswer rebuild(const std::string& key) {
    auto id = next_request++;
    core->operate(now(), id, lever::RebuildImage{key});
    run();
    return levers.at(id);
  }
};

} // namespace ci::test
