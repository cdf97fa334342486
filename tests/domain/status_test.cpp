#include "actors/domain/names.hpp"
#include "actors/domain/release.hpp"
#include "actors/domain/runner.hpp"

#include <doctest/doctest.h>

using namespace ci::domain;
using namespace std::chrono_literals;

namespace {
/// A runner that is idle, from which each case departs in what matters.
StatusFacts idle() {
  StatusFacts f;
  f.guest_exists = f.guest_was_started = f.guest_running = f.registration_exists = f.online = true;
  return f;
}
} // namespace

TEST_CASE("the first row of the status table that matches wins") {
  CHECK(status_of(idle()) == Status::Idle);
  auto f = idle();
  f.reserved = true;
  CHECK(status_of(f) == Status::Reserved);
  f.busy_now_or_ever = true;
  CHECK(status_of(f) == Status::Busy);
  f.guest_exists = false;
  CHECK(status_of(f) == Status::Invalid);
  f.guest_exists = true;
  f.guest_running = false;
  CHECK(status_of(f) == Status::DoneOrUnregistered);
  f.create_under_way = true;
  CHECK(status_of(f) == Status::StartedOrCrashed);
}

TEST_CASE("a guest without a registration is DoneOrUnregistered, unless none are used") {
  auto f = idle();
  f.registration_exists = f.online = false;
  CHECK(status_of(f) == Status::DoneOrUnregistered);
  f.registrations_in_use = false;
  CHECK(status_of(f) == Status::StartedOrCrashed);
}

TEST_CASE("offline, or with an order under way, it is not idle") {
  auto f = idle();
  f.online = false;
  CHECK(status_of(f) == Status::StartedOrCrashed);
  f = idle();
  f.any_order_under_way = true;
  CHECK(status_of(f) == Status::StartedOrCrashed);
}

TEST_CASE("G1: the ladder of letting a guest go") {
  ReleaseFacts f;
  f.now = Time(1000s);
  auto step = [&] { return next_release_step(f, 60s, 90s); };
  CHECK(step().step == ReleaseStep::unregister); // its config was never served
  f.jit_served = true;
  CHECK(step().step == ReleaseStep::look);
  f.reserved_at = f.now - 89s;
  CHECK(step().step == ReleaseStep::wait);
  CHECK(step().until == f.now + 1s);
  f.reserved_at = f.now - 90s;
  CHECK(step().step == ReleaseStep::look);
  f.first_not_busy = f.now - 59s;
  CHECK(step().step == ReleaseStep::wait);
  f.first_not_busy = f.now - 60s;
  CHECK(step().step == ReleaseStep::look);
  f.second_not_busy = true;
  CHECK(step().step == ReleaseStep::unregister);
  f = {};
  f.jit_served = f.guest_known_off = true;
  CHECK(step().step == ReleaseStep::unregister);
}

TEST_CASE("names are made and parsed; profiles may hold dots and dashes") {
  Prefixes p;
  p.registration_suffix = "ci0";
  auto guest = runner_guest_name(p, "servo-ubuntu22.04", 12);
  CHECK(guest == "ci-runner-servo-ubuntu22.04.12");
  CHECK(parse_runner_guest(p, guest) == RunnerName{"servo-ubuntu22.04", 12});
  CHECK(parse_registration(p, registration_name(p, guest)) == RunnerName{"servo-ubuntu22.04", 12});
  for (auto bad : {"ci-runner-linux", "ci-runner-linux.", "ci-runner-.7", "ci-runner-linux.07", "ci-runner-linux.7x",
                   "ci-runner-linux.-7", "ci-runner-linux.99999999999999999999", "ci-runner-linux.4611686018427387905",
                   "other-linux.7", "ci-runner_linux.7", "ci-runner", ""}) {
    INFO(bad);
    CHECK_FALSE(parse_runner_guest(p, bad));
  }
  CHECK_FALSE(parse_registration(p, "ci-runner-linux.7@ci1"));
  CHECK_FALSE(parse_registration(p, "ci-runner-linux.7"));
  CHECK_FALSE(parse_registration(p, "@ci0"));
  CHECK(parse_template_guest(p, "ci-template-a@b@2026-01-01T00:00:00Z") == ImageName{"a@b", "2026-01-01T00:00:00Z"});
  CHECK_FALSE(parse_template_guest(p, "ci-template-a"));
  CHECK_FALSE(parse_template_guest(p, "ci-template-a@"));
  CHECK_FALSE(parse_template_guest(p, "ci-template-@2026-01-01T00:00:00Z"));
  CHECK_FALSE(parse_template_guest(p, "ci-template-a@backup"));
}

TEST_CASE("snapshots and times are RFC 3339 in UTC") {
  auto t = snapshot_time("2026-01-02T03:04:05.123456789Z");
  REQUIRE(t);
  CHECK(rfc3339(*t) == "2026-01-02T03:04:05Z");
  for (auto bad : {"2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00",
                   "2026-01-01 00:00:00Z", "2026-01-01T00:00:00.Z", "x", "", "2026/01-01T00:00:00Z", "2026-01/01T00:00:00Z",
                   "2026-01-01T00.00:00Z", "2026-01-01T00:00.00Z", "2026-01-01T00:00:00+", "x026-01-01T00:00:00Z",
                   "2026-x1-01T00:00:00Z", "2026-01-x1T00:00:00Z", "2026-01-01Tx0:00:00Z", "2026-01-01T00:x0:00Z",
                   "2026-01-01T00:60:00Z", "2026-01-01T00:00:x0Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00:00,5Z",
                   "2026-01-01T00:00:00.5xZ"}) {
    INFO(bad);
    CHECK_FALSE(snapshot_time(bad));
  }
  CHECK(snapshot_time("2016-12-31T23:59:60Z")); // a leap second
}

TEST_CASE("unique ids and repositories are checked by GitHub's rules") {
  CHECK(is_uuid_v4("6F1C2D3E-0000-4000-A000-000000000000"));
  for (auto variant : {"6f1c2d3e-0000-4000-8000-000000000000", "6f1c2d3e-0000-4000-9000-000000000000",
                       "6f1c2d3e-0000-4000-b000-000000000000"})
    CHECK(is_uuid_v4(variant));
  for (auto bad : {"6f1c2d3e-0000-1000-a000-000000000000", "6f1c2d3e-0000-4000-c000-000000000000",
                   "6f1c2d3e00004000a000000000000000", "{6f1c2d3e-0000-4000-a000-00000000000}", "",
                   "6f1c2d3e_0000-4000-a000-000000000000", "6f1c2d3e-0000-4000-a000-00000000000g",
                   "6f1c2d3e-0000-4000-a000-00000000000G", "6f1c2d3e-0000-4000-a000-00000000000/"})
    CHECK_FALSE(is_uuid_v4(bad));
  CHECK(is_qualified_repo("servo/servo"));
  CHECK(is_qualified_repo("a-b/.github"));
  CHECK(is_qualified_repo("Servo1/a_b-2.Z"));
  for (auto bad : {"servo", "servo/", "/servo", "-a/b", "a-/b", "a--b/c", "a/.", "a/..", "a/b/c", "a/b c", "a_b/c", "a/b{", "a/b["})
    CHECK_FALSE(is_qualified_repo(bad));
  CHECK_FALSE(is_qualified_repo(std::string(40, 'a') + "/b"));
  CHECK(is_qualified_repo(std::string(39, 'a') + "/" + std::string(100, 'b')));
  CHECK_FALSE(is_qualified_repo("a/" + std::string(101, 'b')));
}

TEST_CASE("labels compare without case") {
  CHECK(has_label({"Reserved-For:ABC"}, "reserved-for:abc"));
  CHECK(has_reservation_label({"self-hosted", "RESERVED-FOR:x"}));
  CHECK_FALSE(has_reservation_label({"reserved-since:1"}));
}
