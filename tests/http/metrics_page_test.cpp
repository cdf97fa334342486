#include "actors/metrics.hpp"
#include "http/metrics_page.hpp"
#include "http/served.hpp"

#include <doctest/doctest.h>

#include <caf/scheduler/test_coordinator.hpp>

#include <algorithm>

using namespace ci;
using namespace std::chrono_literals;

namespace {

struct TestConfig : caf::actor_system_config {
  TestConfig() { set("scheduler.policy", caf::atom("testing")); }
};

struct Fixture {
  TestConfig config;
  caf::actor_system system{config};
  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
  metrics_actor metrics = system.spawn<Metrics>(std::make_shared<Meter>("metrics"), registry);

  ~Fixture() {
    caf::anon_send_exit(metrics, caf::exit_reason::user_shutdown);
    run();
  }
  void run() { dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler()).run(); }
  void count(const std::string& name, MetricLabels labels, double by = 1) {
    caf::anon_send(metrics, count_atom::value, name, std::move(labels), by);
    run();
  }
  bool page_has(const std::string& text) const {
    const auto page = http::metrics_text(registry.get(), nullptr, nullptr, {}, "1.2.3");
    return page.find(text) != std::string::npos;
  }
};

} // namespace

TEST_CASE_FIXTURE(Fixture, "declared metrics are counted, observed and set") {
  count("ci_monitor_takes_total", {{"outcome", "granted"}});
  count("ci_monitor_takes_total", {{"outcome", "granted"}}, 2);
  caf::anon_send(metrics, time_atom::value, std::string("ci_monitor_job_seconds"),
                 MetricLabels{{"profile", "linux"}}, 61.0);
  caf::anon_send(metrics, gauge_atom::value, std::string("ci_monitor_github_rate_limit_remaining"),
                 MetricLabels{}, 41.0);
  run();
  CHECK(page_has("ci_monitor_takes_total{outcome=\"granted\"} 3"));
  CHECK(page_has("ci_monitor_job_seconds_bucket{profile=\"linux\",le=\"120\"} 1"));
  CHECK(page_has("ci_monitor_job_seconds_bucket{profile=\"linux\",le=\"60\"} 0"));
  CHECK(page_has("ci_monitor_github_rate_limit_remaining 41"));
  CHECK(page_has("ci_monitor_build_info{version=\"1.2.3\""));
}

TEST_CASE_FIXTURE(Fixture, "what is not declared is dropped and counted") {
  count("ci_monitor_unheard_of_total", {});
  count("ci_monitor_job_seconds", {{"profile", "linux"}}); // a histogram
  CHECK(page_has("ci_monitor_dropped_metrics_total{why=\"undeclared\"} 2"));
  count("ci_monitor_takes_total", {{"outcome", "granted"}, {"runner", "7"}});
  count("ci_monitor_takes_total", {});
  CHECK(page_has("ci_monitor_dropped_metrics_total{why=\"labels\"} 2"));
  count("ci_monitor_takes_total", {{"outcome", "granted"}}, -1);
  CHECK(page_has("ci_monitor_dropped_metrics_total{why=\"value\"} 1"));
  CHECK(!page_has("unheard_of"));
}

TEST_CASE_FIXTURE(Fixture, "label sets end at the cap, and known ones go on") {
  for (std::size_t i = 0; i < Metrics::max_label_sets + 5; ++i)
    count("ci_monitor_stolen_total", {{"profile", std::to_string(i)}});
  count("ci_monitor_stolen_total", {{"profile", "0"}});
  CHECK(page_has("ci_monitor_dropped_metrics_total{why=\"cap\"} 5"));
  CHECK(page_has("ci_monitor_stolen_total{profile=\"0\"} 2"));
  CHECK(!page_has("ci_monitor_stolen_total{profile=\"204\"}"));
}

TEST_CASE_FIXTURE(Fixture, "a restarted actor goes on with the numbers there are") {
  count("ci_monitor_takes_total", {{"outcome", "null"}});
  caf::anon_send_exit(metrics, caf::exit_reason::kill);
  run();
  metrics = system.spawn<Metrics>(std::make_shared<Meter>("metrics"), registry);
  count("ci_monitor_takes_total", {{"outcome", "null"}});
  CHECK(page_has("ci_monitor_takes_total{outcome=\"null\"} 2"));
}

TEST_CASE_FIXTURE(Fixture, "what was served is counted by route and status") {
  http::report(metrics, {"GET", "/healthz", 200, 0.002, "id"});
  http::report({}, {"GET", "/healthz", 200, 0.002, "id"}); // nobody counts: nothing happens
  run();
  CHECK(page_has("ci_monitor_http_requests_total{route=\"/healthz\",status=\"200\"} 1"));
  CHECK(page_has("ci_monitor_http_request_seconds_count{route=\"/healthz\"} 1"));
}

TEST_CASE("every declared family is well named") {
  for (const auto& declaration : metric_declarations()) {
    CHECK_MESSAGE(declaration.name.rfind("ci_monitor_", 0) == 0, declaration.name);
    using Kind = MetricDeclaration::Kind;
    CHECK_MESSAGE((declaration.kind == Kind::histogram) == !declaration.buckets.empty(), declaration.name);
    CHECK(std::is_sorted(declaration.buckets.begin(), declaration.buckets.end()));
    for (const auto* label : {"runner", "unique_id", "repository", "id"})
      CHECK(std::find(declaration.labels.begin(), declaration.labels.end(), label) ==
            declaration.labels.end());
  }
}

TEST_CASE("meters show depth, messages, time and restarts") {
  MeterBoard board;
  const auto meter = board.meter("monitor");
  meter->enqueued();
  meter->enqueued();
  meter->taken();
  meter->handled("take", 0.25);
  meter->restarted();
  const auto page = http::metrics_text(nullptr, &board, nullptr, {}, "1");
  for (const auto* line : {"ci_monitor_actor_mailbox_depth{actor=\"monitor\"} 1",
                           "ci_monitor_actor_messages_total{actor=\"monitor\",message=\"take\"} 1",
                           "ci_monitor_actor_handling_seconds_total{actor=\"monitor\",message=\"take\"} 0.25",
                           "ci_monitor_actor_restarts_total{actor=\"monitor\"} 1"})
    CHECK_MESSAGE(page.find(line) != std::string::npos, line);
}

TEST_CASE("the number of series does not grow with runners or reservations") {
  domain::Snapshot snapshot;
  snapshot.profiles["linux"].busy = 2;
  snapshot.profiles["linux"].image_made_at = domain::Time(5s);
  const auto lines = [&] {
    const auto page = http::metrics_text(nullptr, nullptr, &snapshot, domain::Time(65s), "1");
    return std::count(page.begin(), page.end(), '\n');
  };
  const auto before = lines();
  for (int i = 0; i < 100; ++i) {
    snapshot.runners.push_back(std::make_shared<domain::RunnerView>());
    snapshot.reservations[std::to_string(i)] = std::make_shared<domain::ReservationView>();
    snapshot.strangers.push_back(std::to_string(i));
  }
  CHECK(lines() == before);
  const auto page = http::metrics_text(nullptr, nullptr, &snapshot, domain::Time(65s), "1");
  for (const auto* line :
       {"ci_monitor_runners{profile=\"linux\",status=\"Busy\"} 2", "ci_monitor_party_up{party=\"github\"} 0",
        "ci_monitor_image_age_seconds{profile=\"linux\"} 60", "ci_monitor_strangers 100",
        "ci_monitor_live_reservations 100"})
    CHECK_MESSAGE(page.find(line) != std::string::npos, line);
}
