#include "http/metrics_page.hpp"

#include <prometheus/text_serializer.h>

#include <sstream>

namespace ci::http {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

/// One family under construction. Counters and gauges are the same but for the field they are kept in.
class FamilyMaker {
 public:
  FamilyMaker(MetricType type, std::string name, std::string help) {
    family_.name = std::move(name);
    family_.help = std::move(help);
    family_.type = type;
  }
  void add(double value, Labels labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    if (family_.type == MetricType::Counter)
      metric.counter.value = value;
    else
      metric.gauge.value = value;
    family_.metric.push_back(std::move(metric));
  }
  MetricFamily take() { return std::move(family_); }

 private:
  MetricFamily family_;
};

void append(std::vector<MetricFamily>& all, std::vector<MetricFamily> more) {
  for (auto& family : more)
    all.push_back(std::move(family));
}

MetricFamily build_info(const std::string& version) {
  FamilyMaker info(MetricType::Gauge, "ci_monitor_build_info", "1; the labels say what was built.");
  info.add(1, {{"version", version}, {"compiler", __VERSION__}});
  return info.take();
}

double seconds(domain::Duration duration) { return std::chrono::duration<double>(duration).count(); }

} // namespace

std::vector<MetricFamily> actor_families(const MeterBoard& board) {
  FamilyMaker depth(MetricType::Gauge, "ci_monitor_actor_mailbox_depth",
                    "Messages that wait, by kind of actor.");
  FamilyMaker restarts(MetricType::Counter, "ci_monitor_actor_restarts_total", "Restarts, by kind of actor.");
  FamilyMaker handled(MetricType::Counter, "ci_monitor_actor_messages_total", "Messages handled.");
  FamilyMaker time(MetricType::Counter, "ci_monitor_actor_handling_seconds_total", "Time spent on messages.");
  for (const auto& meter : board.all()) {
    depth.add(static_cast<double>(meter->depth()), {{"actor", meter->actor()}});
    restarts.add(static_cast<double>(meter->restarts()), {{"actor", meter->actor()}});
    for (const auto& [message, reading] : meter->messages()) {
      const Labels labels{{"actor", meter->actor()}, {"message", message}};
      handled.add(static_cast<double>(reading.handled), labels);
      time.add(reading.seconds, labels);
    }
  }
  return {depth.take(), restarts.take(), handled.take(), time.take()};
}

namespace {

std::vector<MetricFamily> profile_families(const domain::Snapshot& snapshot, domain::Time now) {
  FamilyMaker runners(MetricType::Gauge, "ci_monitor_runners", "Runners, by profile and status.");
  FamilyMaker target(MetricType::Gauge, "ci_monitor_target_runners", "How many runners there should be.");
  FamilyMaker wanted(MetricType::Gauge, "ci_monitor_wanted_runners", "How many runners are missing.");
  FamilyMaker excess(MetricType::Gauge, "ci_monitor_excess_runners", "How many runners there are too many.");
  FamilyMaker image(MetricType::Gauge, "ci_monitor_image_age_seconds", "Age of the image in use.");
  FamilyMaker trouble(MetricType::Gauge, "ci_monitor_profile_trouble", "1 while runners cannot be made.");
  for (const auto& [profile, counts] : snapshot.profiles) {
    const std::pair<domain::Status, int> by_status[] = {
        {domain::Status::StartedOrCrashed, counts.started_or_crashed},
        {domain::Status::DoneOrUnregistered, counts.done_or_unregistered},
        {domain::Status::Invalid, counts.invalid},
        {domain::Status::Busy, counts.busy},
        {domain::Status::Reserved, counts.reserved},
        {domain::Status::Idle, counts.idle}};
    for (const auto& [status, count] : by_status)
      runners.add(count, {{"profile", profile}, {"status", domain::to_string(status)}});
    target.add(counts.target, {{"profile", profile}});
    wanted.add(counts.wanted, {{"profile", profile}});
    excess.add(counts.excess_healthy, {{"profile", profile}});
    trouble.add(counts.trouble.empty() ? 0 : 1, {{"profile", profile}});
    if (counts.image_made_at)
      image.add(seconds(now - *counts.image_made_at), {{"profile", profile}});
  }
  return {runners.take(), target.take(), wanted.take(), excess.take(), image.take(), trouble.take()};
}

MetricFamily budget_family(const char* name, const char* help, const domain::Resources& resources) {
  FamilyMaker family(MetricType::Gauge, name, help);
  family.add(static_cast<double>(resources.hugepages_1g), {{"resource", "1g_hugepages"}});
  family.add(static_cast<double>(resources.memory_bytes), {{"resource", "normal_memory_bytes"}});
  return family.take();
}

MetricFamily party_family(const domain::Snapshot& snapshot) {
  FamilyMaker up(MetricType::Gauge, "ci_monitor_party_up", "1 while the party does what it is asked.");
  up.add(snapshot.github.well, {{"party", "github"}});
  up.add(snapshot.libvirt.well, {{"party", "libvirt"}});
  up.add(snapshot.store.well, {{"party", "store"}});
  return up.take();
}

} // namespace

std::vector<MetricFamily> snapshot_families(const domain::Snapshot& snapshot, domain::Time now) {
  auto families = profile_families(snapshot, now);
  families.push_back(budget_family("ci_monitor_budget", "What the host has for guests.", snapshot.budget));
  families.push_back(budget_family("ci_monitor_held", "What guests hold of the host.", snapshot.held));
  families.push_back(party_family(snapshot));
  if (snapshot.github_token_expires_at) {
    FamilyMaker end(MetricType::Gauge, "ci_monitor_github_token_expiry_timestamp_seconds",
                    "When GitHub's token ends, in seconds since 1970; absent where GitHub does not say.");
    end.add(seconds(snapshot.github_token_expires_at->time_since_epoch()));
    families.push_back(end.take());
  }
  FamilyMaker strangers(MetricType::Gauge, "ci_monitor_strangers", "Names that only look ours.");
  strangers.add(static_cast<double>(snapshot.strangers.size()));
  families.push_back(strangers.take());
  std::size_t live = 0;
  for (const auto& [id, reservation] : snapshot.reservations)
    live += reservation->ended_at ? 0 : 1;
  FamilyMaker reservations(MetricType::Gauge, "ci_monitor_live_reservations",
                           "Reservations that have not ended.");
  reservations.add(static_cast<double>(live));
  families.push_back(reservations.take());
  return families;
}

std::string metrics_text(const prometheus::Registry* registry, const MeterBoard* meters,
                         const domain::Snapshot* snapshot, domain::Time now, const std::string& version) {
  std::vector<MetricFamily> families{build_info(version)};
  if (registry)
    append(families, registry->Collect());
  if (meters)
    append(families, actor_families(*meters));
  if (snapshot)
    append(families, snapshot_families(*snapshot, now));
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, families);
  return text.str();
}

} // namespace ci::http
