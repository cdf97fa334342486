#pragma once
/// The actor that counts. Everyone tells it, nobody waits for it.

#include "actors/messages.hpp"
#include "actors/metered.hpp"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace ci {

/// A metric family as it is declared: all others are dropped.
struct MetricDeclaration {
  enum class Kind { counter, gauge, histogram };
  Kind kind;
  std::string name;
  std::string help;
  std::vector<std::string> labels;
  std::vector<double> buckets; ///< upper bounds, for histograms
};
/// All families that the actors may report. Labels are of bounded sets: no runner id, unique id or
/// repository.
const std::vector<MetricDeclaration>& metric_declarations();

/// Owns the numbers that actors report, in a registry that /metrics reads from any thread. A report of an
/// undeclared family, with other labels than the declared ones, or past the cap on label sets is dropped, and
/// counted in ci_monitor_dropped_metrics_total: a mistake in one actor must not make the series explode.
class Metrics : public Metered<metrics_actor::base> {
 public:
  static constexpr std::size_t max_label_sets = 200; ///< of one family

  Metrics(caf::actor_config&, MeterPtr, std::shared_ptr<prometheus::Registry>);
  behavior_type make_behavior() override;

 private:
  /// One declared family, its kind's member set, and the label sets seen so far.
  struct Family {
    const MetricDeclaration* declaration;
    prometheus::Family<prometheus::Counter>* counters = nullptr;
    prometheus::Family<prometheus::Gauge>* gauges = nullptr;
    prometheus::Family<prometheus::Histogram>* histograms = nullptr;
    std::map<MetricLabels, void*> known;
  };

  void declare(const MetricDeclaration&);
  /// Null where the report is dropped.
  Family* find(MetricDeclaration::Kind, const std::string& name, const MetricLabels&);
  void drop(const char* why);
  /// The series of those labels, made on first use.
  template <class Series, class Make>
  static Series& series(Family&, const MetricLabels&, Make make);

  void count(const std::string& name, const MetricLabels&, double by);
  void set(const std::string& name, const MetricLabels&, double value);
  void observe(const std::string& name, const MetricLabels&, double value);

  std::shared_ptr<prometheus::Registry> registry_;
  std::unordered_map<std::string, Family> families_;
  prometheus::Family<prometheus::Counter>* dropped_;
};

} // namespace ci
