#pragma once
/// The host that every schedule begins with: a profile with a template made by hand and one whose images are
/// built here and whose guests are twice as large, room for a few runners, and two things of strangers.

#include "actors/domain/policy.hpp"

#include <map>
#include <string>

namespace ci::test::scene {

inline const std::string template_name = "ci-template-linux@2026-01-01T00:00:00.000000000Z";
inline const std::string foreign_guest = "ci-runner-linux.900";
/// That guest's address, and one that nobody ever has.
inline const std::string foreign_address = "10.9.0.1", free_address = "10.9.0.2";
/// Of that guest's name none of ours can have the id, of this one's the \p n-th: ids begin above the former's.
inline std::string foreign_registration(int n) { return "ci-runner-linux." + std::to_string(900 + n) + "@ci0"; }
inline const std::string profiles[] = {"linux", "win"};
/// `<profile>` of `ci-<kind>-<profile>@<snapshot>` or `ci-<kind>-<profile>.<id>`.
inline std::string profile_of(const std::string& guest) {
  auto begin = guest.find('-', guest.find('-') + 1) + 1;
  return guest.substr(begin, guest.find_first_of("@.", begin) - begin);
}
/// Runners wanted in the end.
inline const std::map<std::string, int> targets = {{"linux", 3}, {"win", 2}};
constexpr int all_targets = 5;
/// What a guest takes of the host: so many hugepages, and so often guest_memory. The stranger is one of linux.
inline const std::map<std::string, int> units = {{"linux", 1}, {"win", 2}};
/// Units that are there beside the stranger's, at least: then each build needs a slot that a runner could have.
constexpr int least_room = 3 * 1 + 2 * 2;
/// A build that takes longer has failed.
constexpr std::chrono::minutes build_timeout{5};

constexpr std::int64_t guest_memory = std::int64_t{1} << 30;

/// \p room: units that are there beside the stranger's; \p by_memory: of memory, else of hugepages.
inline domain::Policy policy(int room, bool by_memory) {
  domain::Policy policy;
  policy.prefixes.registration_suffix = "ci0";
  policy.budget = by_memory ? domain::Resources{1'000, (room + 1) * guest_memory}
                            : domain::Resources{room + 1, 1'000 * guest_memory};
  policy.timings.reserve_timeout = std::chrono::seconds(60);
  policy.timings.base_image_max_age = std::chrono::hours(24 * 30);
  policy.repo_to_update = "/srv/checkout";
  for (auto& key : profiles) {
    auto& p = policy.profiles[key];
    p.key = key;
    p.target_count = targets.at(key);
    p.github_runner_label = key;
    p.requires_ = {units.at(key), units.at(key) * guest_memory};
    p.boot_script = std::make_shared<const std::string>("boot");
    p.disk_target = "vda";
    p.image.begins_with.kind = domain::ImageBase::Kind::blank;
    p.image.size_bytes = 1 << 20;
    p.image.build_timeout = build_timeout;
    p.image_fingerprint = "first";
    p.image_sources = std::make_shared<const domain::ImageSources>(domain::ImageSources{
        "<domain><name>x</name><devices><disk type='block' device='disk'><source dev='/dev/null'/>"
        "<target dev='vda'/></disk></devices></domain>",
        "", "", ""});
  }
  return policy;
}

} // namespace ci::test::scene
