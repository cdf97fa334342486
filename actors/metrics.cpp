#include "actors/metrics.hpp"

#include <cmath>

namespace ci {

namespace {

using Kind = MetricDeclaration::Kind;

const std::vector<double> call_buckets{0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
const std::vector<double> quick_buckets{0.00001, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5};
const std::vector<double> step_buckets{0.1, 0.5, 1, 2, 5, 10, 15, 20, 25, 30, 45, 60, 120, 300, 600};
const std::vector<double> job_buckets{10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 21600};

/// Whether the labels are exactly the declared ones.
bool fits(const MetricDeclaration& declaration, const MetricLabels& labels) {
  if (labels.size() != declaration.labels.size())
    return false;
  for (const auto& name : declaration.labels)
    if (!labels.count(name))
      return false;
  return true;
}

} // namespace

const std::vector<MetricDeclaration>& metric_declarations() {
  static const std::vector<MetricDeclaration> all{
      {Kind::counter, "ci_monitor_github_calls_total", "Calls of GitHub.", {"operation", "status"}, {}},
      {Kind::histogram,
       "ci_monitor_github_call_seconds",
       "Time of a call of GitHub.",
       {"operation"},
       call_buckets},
      {Kind::gauge, "ci_monitor_github_rate_limit_remaining", "Calls left of GitHub's rate limit.", {}, {}},
      {Kind::counter, "ci_monitor_screenshots_total", "Pictures of guests.", {"outcome"}, {}},
      {Kind::counter, "ci_monitor_libvirt_calls_total", "Calls of libvirt.", {"call", "outcome"}, {}},
      {Kind::histogram,
       "ci_monitor_libvirt_call_seconds",
       "Time of a call of libvirt.",
       {"call"},
       call_buckets},
      {Kind::counter, "ci_monitor_takes_total", "Takes.", {"outcome"}, {}},
      {Kind::counter, "ci_monitor_selects_total", "Selects without a token, before their take.", {"outcome"}, {}},
      {Kind::counter,
       "ci_monitor_runners_created_total",
       "Creations of runners.",
       {"profile", "outcome"},
       {}},
      {Kind::counter, "ci_monitor_runners_destroyed_total", "Removed runners.", {"profile", "why"}, {}},
      {Kind::histogram, "ci_monitor_job_seconds", "Busy to off.", {"profile"}, job_buckets},
      {Kind::counter, "ci_monitor_stolen_total", "Reserved runners that took another job.", {"profile"}, {}},
      {Kind::counter,
       "ci_monitor_replaced_total",
       "Idle runners that took the place of a reserved one.",
       {"profile"},
       {}},
      {Kind::counter,
       "ci_monitor_webhooks_total",
       "Webhooks taken in, and whether they were about ours.",
       {"event", "use"},
       {}},
      {Kind::histogram,
       "ci_monitor_runner_step_seconds",
       "Order of a runner to each step of its way: registered, disk, defined, started, lease (when it was seen), boot, "
       "jitconfig, online.",
       {"step"},
       step_buckets},
      {Kind::histogram,
       "ci_monitor_replacement_seconds",
       "A guest's own end, as it was noticed, to the start of the one in its place.",
       {"profile"},
       step_buckets},
      {Kind::histogram, "ci_monitor_crank_seconds", "Time of a turn of the monitor.", {}, quick_buckets},
      {Kind::histogram, "ci_monitor_commit_seconds", "Time of a commit of the store.", {}, quick_buckets},
      {Kind::histogram,
       "ci_monitor_image_build_seconds",
       "Order of an image to its rebuild guest's own shutdown.",
       {"profile"},
       job_buckets},
      {Kind::counter, "ci_monitor_image_builds_total", "Image builds.", {"profile", "outcome"}, {}},
      {Kind::counter, "ci_monitor_http_requests_total", "Requests answered.", {"route", "status"}, {}},
      {Kind::histogram, "ci_monitor_http_request_seconds", "Request to answer.", {"route"}, call_buckets},
  };
  return all;
}

Metrics::Metrics(caf::actor_config& config, MeterPtr meter, std::shared_ptr<prometheus::Registry> registry)
    : Metered(config, std::move(meter)), registry_(std::move(registry)) {
  for (const auto& declaration : metric_declarations())
    declare(declaration);
  dropped_ = &prometheus::BuildCounter()
                  .Name("ci_monitor_dropped_metrics_total")
                  .Help("Reports that fit no declared metric.")
                  .Register(*registry_);
}

void Metrics::declare(const MetricDeclaration& declaration) {
  Family family;
  family.declaration = &declaration;
  const auto& [name, help] = std::tie(declaration.name, declaration.help);
  switch (declaration.kind) {
  case Kind::counter:
    family.counters = &prometheus::BuildCounter().Name(name).Help(help).Register(*registry_);
    break;
  case Kind::gauge:
    family.gauges = &prometheus::BuildGauge().Name(name).Help(help).Register(*registry_);
    break;
  case Kind::histogram:
    family.histograms = &prometheus::BuildHistogram().Name(name).Help(help).Register(*registry_);
    break;
  }
  families_.emplace(name, std::move(family));
}

Metrics::behavior_type Metrics::make_behavior() {
  return {
      [this](count_atom, const std::string& name, const MetricLabels& labels, double by) {
        count(name, labels, by);
      },
      [this](time_atom, const std::string& name, const MetricLabels& labels, double seconds) {
        observe(name, labels, seconds);
      },
      [this](gauge_atom, const std::string& name, const MetricLabels& labels, double value) {
        set(name, labels, value);
      },
  };
}

void Metrics::drop(const char* why) { dropped_->Add({{"why", why}}).Increment(); }

Metrics::Family* Metrics::find(Kind kind, const std::string& name, const MetricLabels& labels) {
  const auto at = families_.find(name);
  if (at == families_.end() || at->second.declaration->kind != kind) {
    drop("undeclared");
    return nullptr;
  }
  auto& family = at->second;
  if (!fits(*family.declaration, labels)) {
    drop("labels");
    return nullptr;
  }
  if (!family.known.count(labels) && family.known.size() >= max_label_sets) {
    drop("cap");
    return nullptr;
  }
  return &family;
}

template <class Series, class Make>
Series& Metrics::series(Family& family, const MetricLabels& labels, Make make) {
  auto& known = family.known[labels];
  if (!known)
    known = &make();
  return *static_cast<Series*>(known);
}

void Metrics::count(const std::string& name, const MetricLabels& labels, double by) {
  if (!(by >= 0) || std::isinf(by))
    return drop("value"); // a counter only grows
  if (auto* family = find(Kind::counter, name, labels))
    series<prometheus::Counter>(
        *family, labels, [&]() -> auto& { return family->counters->Add(labels); })
        .Increment(by);
}

void Metrics::set(const std::string& name, const MetricLabels& labels, double value) {
  if (auto* family = find(Kind::gauge, name, labels))
    series<prometheus::Gauge>(
        *family, labels, [&]() -> auto& { return family->gauges->Add(labels); })
        .Set(value);
}

void Metrics::observe(const std::string& name, const MetricLabels& labels, double value) {
  if (std::isnan(value))
    return drop("value");
  if (auto* family = find(Kind::histogram, name, labels))
    series<prometheus::Histogram>(
        *family,
        labels, [&]() -> auto& { return family->histograms->Add(labels, family->declaration->buckets); })
        .Observe(value);
}

} // namespace ci
