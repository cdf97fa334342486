/// `exclusive_reservations`: runners that nobody but their reservation's job can get.
#include "tests/support/bench.hpp"

#include <doctest/doctest.h>

using namespace ci::test;
using namespace std::chrono_literals;

namespace {

const std::vector<std::string> usual = {"self-hosted", "X64", "self-hosted-image:linux"};

struct Exclusive : Bench {
  Exclusive() {
    policy->exclusive_reservations = true;
    start();
    boot_all();
  }
  const std::vector<std::string>& labels(RunnerId id) const {
    return world.records.at(*runner(id).rec.registration_id).shown.labels;
  }
  bool has_usual(RunnerId id) const {
    return std::any_of(usual.begin(), usual.end(), [&](auto& label) { return has_label(labels(id), label); });
  }
};

} // namespace

TEST_CASE("exclusive runners bear nothing but a label of their own until they are reserved") {
  Exclusive b;
  std::set<std::string> seen;
  for (auto& [id, record] : b.world.records) {
    REQUIRE(record.shown.labels.size() == 1);
    CHECK(is_exclusive_label(record.shown.labels[0]));
    seen.insert(record.shown.labels[0]);
  }
  CHECK(seen.size() == 3);
}

TEST_CASE("a reservation adds its own labels first, and the usual ones when the job has begun") {
  Exclusive b;
  const auto request = Bench::ask("linux", 1);
  const auto id = b.takes.at(b.take(request)).runners.at(0)->id;
  CHECK(has_label(b.labels(id), "reserved-for:" + request.unique_id));
  CHECK(!b.has_usual(id)); // a job that waits for those can't come first
  b.world.begin_job(b.runner(id).rec.guest_name);
  b.advance(31s);
  REQUIRE(b.status(id) == Status::Busy);
  for (auto& label : usual)
    CHECK(has_label(b.labels(id), label));
}

TEST_CASE("the usual labels may fail to come; nothing depends on them") {
  Exclusive b;
  const auto id = b.takes.at(b.take(Bench::ask("linux", 1))).runners.at(0)->id;
  b.fail = [](const Effect& e) -> std::optional<GithubError> {
    if (std::holds_alternative<effect::Label>(e))
      return World::error(GithubError::Kind::server, 502);
    return {};
  };
  const auto guest = b.runner(id).rec.guest_name;
  b.world.begin_job(guest);
  b.advance(31s);
  CHECK(b.status(id) == Status::Busy);
  b.world.end_job(guest);
  b.power_off(guest);
  b.advance(60s);
  CHECK(b.core->reservations().empty());
}

TEST_CASE("what is given back bears its own label alone again") {
  Exclusive b;
  const auto request = Bench::ask("linux", 1);
  const auto id = b.takes.at(b.take(request)).runners.at(0)->id;
  b.release(request.unique_id);
  b.advance(5s);
  CHECK(b.labels(id).size() == 1);
  CHECK(b.count(Status::Idle) == 3);
}

TEST_CASE("no reader sees the label of an exclusive runner") {
  Exclusive b;
  const auto answer = b.takes.at(b.take(Bench::ask("linux", 1)));
  REQUIRE(answer.runners.size() == 1);
  auto views = b.snapshot->runners;
  views.push_back(answer.runners[0]);
  for (auto& view : views)
    for (auto& label : view->registration->labels)
      CHECK(!is_exclusive_label(label));
  for (auto& event : b.events)
    CHECK(event.find("exclusive-") == std::string::npos);
  CHECK(answer.runners[0]->registration->labels.size() == 3);
}

TEST_CASE("a profile's label that only begins alike is shown") {
  CHECK(!is_exclusive_label("exclusive-gpu"));
  CHECK(is_exclusive_label(exclusive_label(1, 2)));
  const std::string digits = "0123456789abcdefABCDEF0123456789";
  CHECK(is_exclusive_label("Exclusive-" + digits));
  CHECK(!is_exclusive_label("inclusive-" + digits));
  for (auto other : {'g', 'G', '-'})
    CHECK(!is_exclusive_label("exclusive-" + digits.substr(1) + other));
}

TEST_CASE("the usual labels are left out where there is no room for them, or no profile any more") {
  Exclusive b;
  const auto id = b.takes.at(b.take(Bench::ask("linux", 1))).runners.at(0)->id;
  SUBCASE("no room in the minute's writes") { b.policy->writes_per_minute = 1; }
  SUBCASE("no profile") { b.policy->profiles.clear(); }
  b.apply_policy();
  b.world.begin_job(b.runner(id).rec.guest_name);
  b.advance(31s);
  CHECK(b.status(id) == Status::Busy);
  CHECK(!b.has_usual(id));
}
