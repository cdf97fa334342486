#include "http/render_json.hpp"

#include "actors/domain/names.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace ci::http {

namespace {

using Json = nlohmann::ordered_json;

/// Texts of other parties may hold anything: what is not UTF-8 is replaced.
std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}
Json time_or_null(const std::optional<domain::Time>& time) {
  return time ? Json(domain::rfc3339(*time)) : Json(nullptr);
}

Json registration_value(const domain::Registration& registration) {
  auto labels = Json::array();
  for (const auto& label : registration.labels)
    labels.push_back({{"name", label}});
  return {{"id", registration.id},
          {"busy", registration.busy},
          {"name", registration.name},
          {"status", registration.status},
          {"labels", std::move(labels)}};
}

Json runner_value(const domain::RunnerView& runner) {
  Json json;
  json["id"] = runner.id;
  json["profile"] = runner.profile;
  json["created_time"] = domain::rfc3339(runner.created_at);
  json["registration"] = runner.registration ? registration_value(*runner.registration) : Json(nullptr);
  json["guest_name"] = or_null(runner.guest_name);
  json["ipv4_address"] = or_null(runner.ipv4_address);
  json["status"] = domain::to_string(runner.status);
  json["details"] = Json(Json::value_t::object);
  for (const auto& [key, value] : runner.details)
    json["details"][key] = value;
  return json;
}

Json age_or_null(const std::optional<domain::Time>& begin, domain::Time now) {
  return begin ? Json(std::chrono::duration<double>(now - *begin).count()) : Json(nullptr);
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json image_value(const domain::ImageView& image) {
  return {{"state", image.state},
          {"template_guest", text_or_null(image.template_guest)},
          {"failures", image.failures},
          {"trouble", text_or_null(image.trouble)},
          {"trouble_since", time_or_null(image.trouble_since)},
          {"next_try", time_or_null(image.next_try)},
          {"due", text_or_null(image.due)},
          {"waits_for", text_or_null(image.waits_for)}};
}

Json counts_value(const domain::ProfileCounts& counts, domain::Time now) {
  return {{"target", counts.target},
          {"healthy", counts.healthy},
          {"started_or_crashed", counts.started_or_crashed},
          {"idle", counts.idle},
          {"reserved", counts.reserved},
          {"busy", counts.busy},
          {"done_or_unregistered", counts.done_or_unregistered},
          {"invalid", counts.invalid},
          {"excess_healthy", counts.excess_healthy},
          {"wanted", counts.wanted},
          {"image_age", age_or_null(counts.image_made_at, now)},
          {"image", image_value(counts.image)},
          {"paused", counts.paused},
          {"trouble", counts.trouble.empty() ? Json(nullptr) : Json(counts.trouble)}};
}

Json party_value(const domain::PartyHealth& party) {
  return {{"well", party.well},
          {"trouble", party.trouble.empty() ? Json(nullptr) : Json(party.trouble)},
          {"since", time_or_null(party.since)}};
}

Json resources_value(const domain::Resources& resources) {
  return {{"1g_hugepages", resources.hugepages_1g}, {"normal_memory", resources.memory_bytes}};
}

const domain::RunnerViewPtr* find_runner(const domain::Snapshot* snapshot, domain::RunnerId id) {
  if (!snapshot)
    return nullptr;
  const auto& all = snapshot->runners;
  const auto at = std::find_if(all.begin(), all.end(), [&](const auto& runner) { return runner->id == id; });
  return at == all.end() ? nullptr : &*at;
}

Json reservation_value(const domain::ReservationView& reservation) {
  return {{"unique_id", reservation.unique_id},
          {"state", reservation.state},
          {"profile", reservation.profile},
          {"qualified_repo", reservation.qualified_repo},
          {"run_id", reservation.run_id},
          {"created_time", domain::rfc3339(reservation.created_at)},
          {"granted_time", time_or_null(reservation.granted_at)},
          {"deadline", time_or_null(reservation.deadline)},
          {"ended_time", time_or_null(reservation.ended_at)}};
}

/// Without `runner`, the slots only say which and how.
Json slots_value(const domain::ReservationView& reservation) {
  auto slots = Json::array();
  for (const auto& slot : reservation.slots)
    slots.push_back({{"id", slot.runner}, {"state", domain::to_string(slot.state)}});
  return slots;
}

Json numbers_value(const domain::ProfileNumbers& numbers) {
  Json json(Json::value_t::object);
  for (const auto& [key, number] : numbers)
    json[key] = number;
  return json;
}

Json override_value(const domain::Override& active) {
  Json delivered(Json::value_t::object);
  for (const auto& [key, count] : active.granted)
    delivered[key] = Json::array();
  for (const auto& [key, ids] : active.delivered)
    delivered[key] = ids;
  return {{"profile_override_counts", numbers_value(active.granted)},
          {"profile_target_counts", numbers_value(active.targets)},
          {"actual_runner_ids_by_profile_key", std::move(delivered)},
          {"created_at", domain::rfc3339(active.created_at)}};
}

Json dashboard_head(const domain::Snapshot& snapshot, domain::Time now, const std::string& service_version) {
  Json json;
  json["profile_runner_counts"] = Json(Json::value_t::object);
  for (const auto& [key, counts] : snapshot.profiles)
    json["profile_runner_counts"][key] = counts_value(counts, now);
  json["reservations"] = Json::array();
  for (const auto& [id, reservation] : snapshot.reservations) {
    if (reservation->ended_at)
      continue;
    auto value = reservation_value(*reservation);
    value["runners"] = slots_value(*reservation);
    json["reservations"].push_back(std::move(value));
  }
  auto github = party_value(snapshot.github);
  github["token_expires_at"] = time_or_null(snapshot.github_token_expires_at);
  json["health"] = {{"github", std::move(github)},
                    {"libvirt", party_value(snapshot.libvirt)},
                    {"store", party_value(snapshot.store)}};
  json["budget"] = {{"available", resources_value(snapshot.budget)},
                    {"held", resources_value(snapshot.held)}};
  json["strangers"] = snapshot.strangers;
  json["policy_override"] = snapshot.policy_override ? override_value(*snapshot.policy_override) : Json(nullptr);
  json["draining"] = snapshot.draining;
  json["time"] = domain::rfc3339(snapshot.at);
  json["version"] = snapshot.version;
  json["service_version"] = service_version;
  return json;
}

} // namespace

std::string runner_json(const domain::RunnerView& runner) { return dump(runner_value(runner)); }

std::string taken_json(const domain::RunnerView& runner) {
  return "{\"id\":" + std::to_string(runner.id) + ",\"runner\":" + runner_json(runner) + '}';
}

std::string dashboard_runner_json(const domain::RunnerView& runner, const std::string& external_base_url) {
  const auto url = external_base_url + "runner/" + std::to_string(runner.id) + "/screenshot";
  return "{\"id\":" + std::to_string(runner.id) + ",\"screenshot_url\":" + dump(url) +
         ",\"runner\":" + runner_json(runner) + '}';
}

std::string reservation_json(const domain::ReservationView& reservation, const domain::Snapshot* snapshot) {
  auto json = reservation_value(reservation);
  json["runners"] = slots_value(reservation);
  for (std::size_t i = 0; i < reservation.slots.size(); ++i) {
    const auto* runner = find_runner(snapshot, reservation.slots[i].runner);
    json["runners"][i]["runner"] = runner ? runner_value(**runner) : Json(nullptr);
  }
  return dump(json);
}

std::string dashboard_json(const domain::Snapshot& snapshot, domain::Time now,
                           const std::vector<const std::string*>& runners,
                           const std::string& service_version) {
  auto text = dump(dashboard_head(snapshot, now, service_version));
  std::size_t size = text.size() + 16;
  for (const auto* runner : runners)
    size += runner->size() + 1;
  text.reserve(size);
  text.back() = ','; // the object is closed again below
  text += "\"runners\":[";
  for (const auto* runner : runners) {
    text += *runner;
    text += ',';
  }
  if (!runners.empty())
    text.pop_back();
  return text += "]}";
}

std::string override_json(const domain::Override& active) { return dump(override_value(active)); }

std::string numbers_json(const domain::ProfileNumbers& numbers) { return dump(numbers_value(numbers)); }

std::string explanation_json(const domain::ProfileNumbers& asked, const domain::OverrideGround& ground,
                             const domain::Verdict& verdict, const domain::OverrideDecision& decision) {
  const bool granted = verdict.refusal == domain::Refusal::none;
  const auto of = [](const domain::ProfileNumbers& numbers, const std::string& key) {
    const auto at = numbers.find(key);
    return at == numbers.end() ? 0 : at->second;
  };
  Json json;
  json["granted"] = granted ? numbers_value(decision.granted) : Json(nullptr);
  json["refusal"] = granted ? Json(nullptr) : Json(domain::to_string(verdict.refusal));
  json["detail"] = granted ? "This would be granted now." : verdict.detail;
  json["budget"] = resources_value(ground.budget);
  json["profiles"] = Json(Json::value_t::object);
  for (const auto& profile : ground.profiles) {
    auto& one = json["profiles"][profile.key];
    one = {{"configured_target", profile.target},
           {"reserved_or_busy", profile.critical},
           {"each", resources_value(profile.each)},
           {"asked", of(asked, profile.key)},
           {"beyond_target", of(decision.extra, profile.key)},
           {"granted", of(decision.granted, profile.key)}};
    one["target_meanwhile"] = decision.targets.empty() ? Json(nullptr) : Json(of(decision.targets, profile.key));
  }
  return dump(json);
}

std::string party_json(const domain::PartyHealth& party) { return dump(party_value(party)); }

} // namespace ci::http
