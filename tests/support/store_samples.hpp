#pragma once
/// Records whose every field differs from its default and from every other field.

#include "actors/domain/store.hpp"

namespace ci::test {

inline domain::Time at(std::int64_t ms) { return domain::Time(domain::Duration(ms)); }

inline domain::RunnerRecord full_runner(domain::RunnerId id) {
  domain::RunnerRecord r;
  r.id = id;
  r.profile = "linux.x-" + std::to_string(id);
  r.guest_name = "ci-runner-linux.x." + std::to_string(id);
  r.registration_name = r.guest_name + "@host";
  r.uuid = "6f1f8b7e-0000-4000-8000-000000000001";
  r.mac = "52:54:00:00:00:01";
  r.template_guest = "ci-template-linux@2026-01-01T00:00:00.000000000Z";
  r.held = {3, std::int64_t{5} << 40};
  r.phase = domain::Phase::live;
  r.created_at = at(1'700'000'000'001);
  r.registration_id = (domain::RegistrationId{1} << 33) + id;
  r.registration_ended = true;
  r.jit_config = "jit-" + std::to_string(id);
  r.jit_served_at = at(1'700'000'000'002);
  r.jit_fetches = 7;
  r.online_at = at(1'700'000'000'003);
  r.busy_seen = true;
  r.guest_removed = true;
  r.started = true;
  r.spoiled = true;
  r.reason = "why; 'quoted' \xc3\xbc";
  r.ended_at = at(1'700'000'000'004);
  return r;
}

inline domain::RunnerRecord bare_runner(domain::RunnerId id) {
  domain::RunnerRecord r;
  r.id = id;
  return r;
}

inline domain::ReservationRecord full_reservation(const std::string& id) {
  using domain::SlotState;
  domain::ReservationRecord r;
  r.request = {"linux", id, "ID-" + id, "Owner/Repo", (domain::RunId{1} << 34) + 1, 8, 5};
  r.phase = domain::ReservationPhase::granted;
  // Not by id, and every state.
  r.slots = {{9, SlotState::chosen},  {2, SlotState::labelled}, {3, SlotState::confirmed},
             {4, SlotState::started}, {5, SlotState::finished}, {6, SlotState::given_up},
             {7, SlotState::unlabel}, {8, SlotState::released}};
  r.created_at = at(1'700'000'000'005);
  r.granted_at = at(1'700'000'000'006);
  r.deadline = at(1'700'000'000'007);
  r.ended_at = at(1'700'000'000'008);
  r.released = true;
  return r;
}

inline domain::ReservationRecord bare_reservation(const std::string& id) {
  domain::ReservationRecord r;
  r.request.unique_id = id;
  return r;
}

inline domain::ImageRecord full_image(const std::string& profile) {
  domain::ImageRecord i;
  i.profile = profile;
  i.snapshot = "2026-01-02T03:04:05.000000000Z";
  i.rebuild_guest = "ci-rebuild-" + profile + "@" + i.snapshot;
  i.template_guest = "ci-template-" + profile + "@" + i.snapshot;
  i.uuid = "6f1f8b7e-0000-4000-8000-000000000002";
  i.mac = "52:54:00:00:00:02";
  i.disk_target = "vdb";
  i.fingerprint = "f00d";
  i.held = {4, std::int64_t{6} << 40};
  i.phase = domain::ImagePhase::trial;
  i.ordered_at = at(1'700'000'000'009);
  i.trial_runner = 12;
  i.reason = "why not";
  return i;
}

inline bool same(const domain::TakeRequest& a, const domain::TakeRequest& b) {
  return a.profile == b.profile && a.unique_id == b.unique_id && a.unique_id_spelt == b.unique_id_spelt &&
         a.qualified_repo == b.qualified_repo && a.run_id == b.run_id && a.count == b.count &&
         a.minimum == b.minimum;
}

inline bool same(const domain::ReservationRecord& a, const domain::ReservationRecord& b) {
  return same(a.request, b.request) && a.phase == b.phase && a.slots == b.slots &&
         a.created_at == b.created_at && a.granted_at == b.granted_at && a.deadline == b.deadline &&
         a.ended_at == b.ended_at && a.released == b.released;
}

} // namespace ci::test
