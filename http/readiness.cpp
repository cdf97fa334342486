#include "http/readiness.hpp"

#include "http/problem.hpp"
#include "http/render_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace ci::http {

namespace {

using Json = nlohmann::ordered_json;

Json parties(const domain::Snapshot* snapshot) {
  auto party = [&](const domain::PartyHealth domain::Snapshot::*which) {
    return snapshot ? Json::parse(party_json(snapshot->*which)) : Json(nullptr);
  };
  return {{"github", party(&domain::Snapshot::github)},
          {"libvirt", party(&domain::Snapshot::libvirt)},
          {"store", party(&domain::Snapshot::store)}};
}

constexpr domain::Duration stuck_after{60'000};

std::string why_not(bool stopping, std::optional<double> age) {
  if (stopping)
    return "The service is stopping.";
  if (!age)
    return "The monitor has not ended its first crank.";
  return "The monitor has not ended a crank for " + std::to_string(static_cast<long>(*age)) + " s.";
}

} // namespace

Response readiness(const domain::Snapshot* snapshot,
                   std::optional<std::chrono::steady_clock::duration> crank_age, domain::Duration limit,
                   const std::string& instance) {
  const bool fresh = crank_age && *crank_age <= limit;
  const bool stopping = snapshot && snapshot->draining;
  std::optional<double> seconds;
  if (crank_age)
    seconds = std::chrono::duration<double>(*crank_age).count();
  auto more = parties(snapshot);
  more["monitor"] = {{"well", fresh}, {"last_crank_age", seconds ? Json(*seconds) : Json(nullptr)}};
  const bool ready = fresh && !stopping;
  if (ready) {
    Json body{{"ready", true}};
    body.update(more);
    return make_json(body.dump());
  }
  auto response = make_response(unavailable(why_not(stopping, seconds)), instance);
  auto body = Json::parse(*response.body);
  body["ready"] = false;
  body.update(more);
  response.body = std::make_shared<const std::string>(body.dump());
  return response;
}

bool is_stuck(std::optional<std::chrono::steady_clock::duration> crank_age, domain::Duration ready_within) {
  return crank_age && *crank_age >= std::max(stuck_after, ready_within);
}

} // namespace ci::http
