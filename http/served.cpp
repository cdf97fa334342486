#include "http/served.hpp"

#include <spdlog/spdlog.h>

namespace ci::http {

void report(const metrics_actor& metrics, const Served& served) {
  if (!metrics)
    return;
  caf::anon_send(metrics, count_atom::value, std::string("ci_monitor_http_requests_total"),
                 MetricLabels{{"route", served.route}, {"status", std::to_string(served.status)}}, 1.0);
  caf::anon_send(metrics, time_atom::value, std::string("ci_monitor_http_request_seconds"),
                 MetricLabels{{"route", served.route}}, served.seconds);
}

void log(const Served& served) {
  spdlog::debug("event=served method={} route={} status={} ms={:.1f} request_id={}", served.method,
                served.route, served.status, served.seconds * 1e3, served.request_id);
}

} // namespace ci::http
