#pragma once
/// The host that every schedule begins with: one profile, room for a few runners, and two things of
/// strangers.

#include "actors/domain/policy.hpp"

#include <string>

namespace ci::test::scene {

inline const std::string template_name = "ci-template-linux@2026-01-01T00:00:00.000000000Z";
inline const std::string foreign_guest = "ci-runner-linux.900";
inline const std::string foreign_registration = "ci-runner-linux.901@ci0";
constexpr int target = 3; ///< runners wanted in the end
constexpr int room = 5;   ///< runners that fit beside the stranger

inline domain::Policy policy() {
  domain::Policy policy;
  policy.prefixes.registration_suffix = "ci0";
  policy.budget = {room + 1, std::int64_t{1} << 40};
  policy.timings.reserve_timeout = std::chrono::seconds(60);
  auto& p = policy.profiles["linux"];
  p.key = "linux";
  p.target_count = target;
  p.github_runner_label = "linux";
  p.requires_ = {1, 0};
  p.boot_script = std::make_shared<const std::string>("boot");
  return policy;
}

} // namespace ci::test::scene
