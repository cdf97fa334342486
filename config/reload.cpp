#include "config/reload.hpp"

#include "config/check.hpp"
#include "config/load.hpp"
#include "config/table.hpp"

namespace ci::config {

namespace {

void compare_settings(const Settings& running, Reload& result) {
  for (const auto* key : all_setting_keys()) {
    if (key->show(running) == key->show(result.settings))
      continue;
    (key->needs_restart ? result.need_restart : result.applied).push_back(key->name);
    if (key->needs_restart)
      key->copy(running, result.settings);
  }
}

/// Paths from the environment are set up once. What a key of monitor.toml can say as well was compared as
/// that key.
void compare_environment(const Settings& running, Reload& result) {
  for (const auto& key : environment_keys()) {
    if (!key.overruled_by.empty() || running.*key.member == result.settings.*key.member)
      continue;
    result.need_restart.push_back(key.name);
    result.settings.*key.member = running.*key.member;
  }
}

/// What load() made of settings that may have been put back meanwhile.
void derive_anew(const Settings& running, Settings& settings) {
  settings.policy.image_deps_path = running.policy.image_deps_path;
  settings.policy.repo_to_update = repo_to_update(settings);
}

void compare_profile(const domain::Profile& running, const domain::Profile& fresh, Reload& result) {
  for (const auto* key : all_keys(profile_keys()))
    if (key->presence != Presence::obsolete && key->show(running) != key->show(fresh))
      result.applied.push_back(profile_key_name(fresh.key, key->name));
  for (const auto* key : all_keys(image_keys()))
    if (key->show(running) != key->show(fresh))
      result.applied.push_back(profile_key_name(fresh.key, "image." + key->name));
}

void compare_profiles(const Settings& running, Reload& result) {
  const auto& before = running.policy.profiles;
  const auto& after = result.settings.policy.profiles;
  for (const auto& [key, profile] : after)
    if (const auto old = before.find(key); old != before.end())
      compare_profile(old->second, profile, result);
    else
      result.applied.push_back("profiles." + toml_key(key));
  for (const auto& [key, profile] : before)
    if (after.count(key) == 0)
      result.applied.push_back("profiles." + toml_key(key));
}

} // namespace

Reload reload(const Settings& running, const Settings& fresh, const std::string& file_name) {
  Reload result;
  result.settings = fresh;
  compare_settings(running, result);
  compare_environment(running, result);
  derive_anew(running, result.settings);
  compare_profiles(running, result);
  Findings findings;
  findings.main_file = file_name;
  check(result.settings, findings);
  result.complaints = std::move(findings.complaints);
  if (!result.complaints.empty()) {
    result.settings = running;
    result.applied.clear();
  }
  return result;
}

} // namespace ci::config
