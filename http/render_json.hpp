#pragma once
/// Values of the domain as JSON texts. The names are a contract with clients that exist: keys may be added,
/// never renamed. JIT configs and tokens are in none of these values. Pure.

#include "actors/domain/answers.hpp"

#include <string>
#include <vector>

namespace ci::http {

/// The `runner` object of the dashboard and of a take's answer.
std::string runner_json(const domain::RunnerView&);
/// `{"id", "runner"}`, an element of a take's answer.
std::string taken_json(const domain::RunnerView&);
/// `{"id", "screenshot_url", "runner"}`, an element of the dashboard's `runners`.
std::string dashboard_runner_json(const domain::RunnerView&, const std::string& external_base_url);
/// `GET /reservation/<unique_id>`. \p snapshot gives the runners that still exist; may be null.
std::string reservation_json(const domain::ReservationView&, const domain::Snapshot* snapshot);
/// The whole dashboard around its runners, whose texts are given in the snapshot's order. Of the
/// reservations, those that have not ended. \p now: what images' ages are counted to.
std::string dashboard_json(const domain::Snapshot&, domain::Time now,
                           const std::vector<const std::string*>& runners,
                           const std::string& service_version);
/// `GET /policy/override`, where one is in force.
std::string override_json(const domain::Override&);
/// `{"<profile_key>": <number>}`.
std::string numbers_json(const domain::ProfileNumbers&);
/// `GET /policy/explain`: what \p asked would be granted and why, by profile.
std::string explanation_json(const domain::ProfileNumbers& asked, const domain::OverrideGround&,
                             const domain::Verdict&, const domain::OverrideDecision&);
/// `{"well", "trouble", "since"}`.
std::string party_json(const domain::PartyHealth&);

} // namespace ci::http
