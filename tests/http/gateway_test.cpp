/// The gateway's time-outs, on a clock that the tests move.
#include "http/gateway.hpp"
#include "tests/http/fake_monitor.hpp"

#include <doctest/doctest.h>

#include <caf/scheduler/test_coordinator.hpp>

using namespace ci;
using namespace std::chrono_literals;

namespace {

struct TestConfig : caf::actor_system_config {
  TestConfig() { set("scheduler.policy", caf::atom("testing")); }
};

/// Finds every proof in order.
class ReadySelector : public selector_actor::base {
 public:
  using selector_actor::base::base;
  behavior_type make_behavior() override {
    return {[](select_atom, const domain::SelectRequest&) {
              domain::SelectAnswer answer;
              answer.take.count = answer.take.minimum = 1;
              return answer;
            },
            [](policy_atom, const domain::SelectRules&) {}};
  }
};

struct Fixture {
  TestConfig config;
  caf::actor_system system{config};
  caf::scheduler::test_coordinator& scheduler =
      dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  test::ScriptPtr script = std::make_shared<test::Script>();
  http::Waits waits;
  std::size_t limit = 1024;
  http::gateway_actor gateway;
  monitor_actor monitor;
  std::vector<http::Response> answers;

  void start() {
    gateway = system.spawn<http::Gateway>(std::make_shared<Meter>("gateway"), waits, limit);
    monitor = system.spawn<test::FakeMonitor>(script);
    caf::anon_send(gateway, watch_atom::value, monitor);
    scheduler.run();
  }
  ~Fixture() {
    caf::anon_send_exit(gateway, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(monitor, caf::exit_reason::user_shutdown);
    scheduler.run();
  }

  http::ResponderPtr responder() {
    return std::make_shared<http::Responder>(
        "id", "/",
        [this](const http::Responder&, http::Response answer) { answers.push_back(std::move(answer)); });
  }
  void take() {
    domain::TakeRequest request;
    request.count = request.minimum = 1;
    caf::anon_send(gateway, take_atom::value, responder(), request, false);
    scheduler.run();
  }
  void boot(const std::string& address = "192.168.100.7") {
    caf::anon_send(gateway, boot_atom::value, responder(), address);
    scheduler.run();
  }
  /// Lets so much time pass, and everything that falls due in it.
  void pass(domain::Duration time) {
    scheduler.advance_time(time);
    scheduler.run();
  }
  void crank() {
    caf::anon_send(monitor, crank_atom::value, std::uint64_t{0});
    scheduler.run();
  }
  std::string retry_after(std::size_t i) const {
    const auto values = http::values_of(answers.at(i).headers, "Retry-After");
    return values.empty() ? "" : std::string(values.front());
  }
};

} // namespace

TEST_CASE_FIXTURE(Fixture, "an answer in time is the answer, and its timers do nothing more") {
  start();
  take();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].status == 200);
  pass(60s);
  CHECK(answers.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "not taken up within the send time-out: 503, and it never has an effect") {
  start();
  script->take = test::Script::Take::hold_untaken;
  take();
  pass(9'999ms);
  CHECK(answers.empty());
  pass(1ms);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].status == 503);
  CHECK(retry_after(0) == "1");
  crank();
  CHECK(script->not_taken_up.count() == 1);
  CHECK(script->taken_up.count() == 0);
  CHECK(answers.size() == 1);
}

TEST_CASE_FIXTURE(
    Fixture, "taken up in time, it has the receive time-out from then on, and a late answer is dropped") {
  start();
  script->take = test::Script::Take::hold;
  take();
  pass(10s);
  CHECK(answers.empty());
  pass(9'999ms);
  CHECK(answers.empty());
  pass(1ms);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].status == 503);
  CHECK(!retry_after(0).empty());
  crank();
  CHECK(script->taken_up.count() == 1); // carried to its end
  CHECK(answers.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "new time-outs count for requests that come from then on") {
  start();
  script->take = test::Script::Take::hold_untaken;
  take();
  http::Waits fresh;
  fresh.send = 1s;
  caf::anon_send(gateway, policy_atom::value, fresh);
  take();
  pass(1s);
  CHECK(answers.size() == 1);
  pass(9s);
  CHECK(answers.size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "an answer after the send time-out still counts") {
  start();
  script->take = test::Script::Take::hold;
  take();
  pass(15s);
  crank();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].status == 200);
}

TEST_CASE_FIXTURE(Fixture, "guests are answered within four seconds in all") {
  start();
  boot();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].status == 200);
  script->deaf = true;
  boot();
  pass(3'999ms);
  CHECK(answers.size() == 1);
  pass(1ms);
  REQUIRE(answers.size() == 2);
  CHECK(answers[1].status == 503);
  CHECK(retry_after(1) == "1");
}

TEST_CASE_FIXTURE(Fixture, "a promise that the monitor lost is 503 when the time is up") {
  start();
  script->take = test::Script::Take::drop_promise;
  take();
  pass(10s);
  pass(10s);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].status == 503);
}

TEST_CASE_FIXTURE(Fixture, "no more requests than the limit are under way") {
  limit = 2;
  start();
  script->take = test::Script::Take::hold;
  for (int i = 0; i < 3; ++i)
    take();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].status == 503);
  crank();
  CHECK(answers.size() == 3);
  take();
  CHECK(answers.size() == 3); // there is room again
}

TEST_CASE_FIXTURE(Fixture, "G10: a flood of guests' requests keeps nobody with the token out") {
  start();
  script->deaf = true;
  for (std::size_t i = 0; i < 2 * limit; ++i)
    boot("10.0." + std::to_string(i / 256) + '.' + std::to_string(i % 256));
  CHECK(answers.size() == 2 * limit - limit / 4); // the rest wait for the monitor
  take();
  CHECK(answers.back().status == 200);
  pass(waits.guest);
  script->deaf = false;
  boot();
  CHECK(answers.back().status == 200); // their places are free again
}

TEST_CASE_FIXTURE(Fixture, "one guest has few requests under way, and takes nobody else's place") {
  start();
  script->deaf = true;
  for (std::size_t i = 0; i < http::Places::most_of_a_guest; ++i)
    boot();
  CHECK(answers.empty());
  boot();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].status == 503);
  CHECK(retry_after(0) == "1");
  script->deaf = false;
  boot("192.168.100.8");
  CHECK(answers.back().status == 200);
}

TEST_CASE_FIXTURE(Fixture, "selects have a share, which they keep when they become takes") {
  limit = 8;
  start();
  auto selector = system.spawn<ReadySelector>();
  caf::anon_send(gateway, watch_atom::value, selector_actor(selector));
  script->take = test::Script::Take::hold;
  for (int i = 0; i < 3; ++i) {
    caf::anon_send(gateway, select_atom::value, responder(), domain::SelectRequest{});
    scheduler.run();
  }
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].status == 503);
  for (int i = 0; i < 7; ++i)
    take();
  REQUIRE(answers.size() == 2); // six places were left
  crank();
  CHECK(answers.size() == 10);
  caf::anon_send_exit(selector, caf::exit_reason::user_shutdown);
}

TEST_CASE_FIXTURE(Fixture, "without a monitor: 503; with a new one it goes on") {
  start();
  caf::anon_send(gateway, watch_atom::value, monitor_actor{});
  take();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].status == 503);
  caf::anon_send(gateway, watch_atom::value, monitor);
  take();
  CHECK(answers.at(1).status == 200);
}

TEST_CASE_FIXTURE(Fixture, "a monitor that died is not asked, and those it had are answered at once") {
  start();
  script->take = test::Script::Take::hold;
  take();
  take();
  caf::anon_send_exit(monitor, caf::exit_reason::kill);
  scheduler.run();
  CHECK(answers.size() == 2);
  take();
  CHECK(answers.size() == 3);
  for (const auto& answer : answers)
    CHECK(answer.status == 503);
}

TEST_CASE_FIXTURE(Fixture, "a gateway that ends answers everything it holds") {
  start();
  script->take = test::Script::Take::hold_untaken;
  take();
  take();
  caf::anon_send_exit(gateway, caf::exit_reason::user_shutdown);
  scheduler.run();
  CHECK(answers.size() == 2);
  crank();
  CHECK(script->taken_up.count() == 0); // their tickets were abandoned
  take();                               // nobody gets this one
  CHECK(answers.size() == 3);
}

TEST_CASE_FIXTURE(Fixture, "no answer gives a secret away by an error, and a JIT config is a JSON string") {
  start();
  caf::anon_send(gateway, jit_atom::value, responder(), std::string("192.168.100.7"));
  scheduler.run();
  CHECK(*answers.at(0).body == "\"eyJhIjoiYiJ9\"");
  script->refusal = domain::Refusal::jit_gone;
  caf::anon_send(gateway, jit_atom::value, responder(), std::string("192.168.100.7"));
  scheduler.run();
  CHECK(answers.at(1).status == 410);
  CHECK(answers.at(1).body->find("eyJ") == std::string::npos);
}
