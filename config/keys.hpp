#pragma once
/// The groups of keys, one function each; setting_groups() puts them together.

#include "config/key.hpp"

namespace ci::config {

KeyGroup<Settings> http_keys();
KeyGroup<Settings> github_keys();
KeyGroup<Settings> reservation_keys();
KeyGroup<Settings> tokenless_keys();
KeyGroup<Settings> policy_keys();
KeyGroup<Settings> host_keys();
KeyGroup<Settings> libvirt_keys();
KeyGroup<Settings> image_policy_keys();

/// For make_key(): a member of the policy, reached from the settings.
template <class T>
auto in_policy(T domain::Policy::*member) {
  return [member](auto& settings) -> auto& { return settings.policy.*member; };
}
/// For make_key(): a member of the policy's times.
template <class T>
auto in_timings(T domain::Timings::*member) {
  return [member](auto& settings) -> auto& { return settings.policy.timings.*member; };
}
/// For make_key(): a member of the policy's prefixes.
template <class T>
auto in_prefixes(T domain::Prefixes::*member) {
  return [member](auto& settings) -> auto& { return settings.policy.prefixes.*member; };
}
/// For make_key(): a member of the host's budget.
template <class T>
auto in_budget(T domain::Resources::*member) {
  return [member](auto& settings) -> auto& { return settings.policy.budget.*member; };
}

} // namespace ci::config
