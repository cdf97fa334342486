#pragma once
/// /metrics: the metrics actor's registry, and what is read off the board and the meters at each scrape.

#include "actors/domain/snapshot.hpp"
#include "actors/metered.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/registry.h>

#include <string>
#include <vector>

namespace ci::http {

constexpr auto metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

/// Mailbox depth, messages, handling time and restarts by actor kind. Labels: actor kinds and atoms.
std::vector<prometheus::MetricFamily> actor_families(const MeterBoard&);
/// Runners by profile and status, targets, images' ages, budget, parties. Labels: configured profiles and
/// fixed words.
std::vector<prometheus::MetricFamily> snapshot_families(const domain::Snapshot&, domain::Time now);

/// The whole page. Each of the pointers may be null: its part is left out.
std::string metrics_text(const prometheus::Registry*, const MeterBoard*, const domain::Snapshot*,
                         domain::Time now, const std::string& version);

} // namespace ci::http
