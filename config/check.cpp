#include "config/check.hpp"

#include "actors/domain/adoption.hpp"
#include "actors/domain/names.hpp"
#include "actors/domain/size.hpp"
#include "config/table.hpp"
#include "config/text.hpp"

#include <limits>

namespace ci::config {

namespace {

using domain::Policy;

std::int64_t saturating_sum(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  return __builtin_add_overflow(a, b, &result) ? std::numeric_limits<std::int64_t>::max() : result;
}

std::int64_t saturating_product(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  return __builtin_mul_overflow(a, b, &result) ? std::numeric_limits<std::int64_t>::max() : result;
}

/// One kind of thing that runners take of the host.
struct Dimension {
  std::string available_key, required_key, what;
  std::int64_t domain::Resources::*amount;
  std::string (*show)(std::int64_t);
};

std::string count_text(std::int64_t count) { return std::to_string(count); }

const std::vector<Dimension>& dimensions() {
  static const std::vector<Dimension> both{
      {"available_1g_hugepages", "requires_1g_hugepages", "huge pages of 1G",
       &domain::Resources::hugepages_1g, count_text},
      {"available_normal_memory", "requires_normal_memory", "normal memory", &domain::Resources::memory_bytes,
       domain::format_size},
  };
  return both;
}

/// The targets must fit by themselves: what can never be reached is a mistake in the file.
void check_targets_fit(const Policy& policy, const Dimension& dimension, Findings& findings) {
  if (findings.is_broken(dimension.available_key))
    return;
  const auto available = policy.budget.*dimension.amount;
  std::int64_t total = 0;
  std::string addends;
  for (const auto& [key, profile] : policy.profiles) {
    const auto each = profile.requires_.*dimension.amount;
    if (profile.target_count == 0 || each == 0)
      continue;
    total = saturating_sum(total, saturating_product(each, profile.target_count));
    addends += (addends.empty() ? "" : " + ") + key + " " + std::to_string(profile.target_count) + " x " +
               dimension.show(each);
  }
  if (total > available)
    findings.complain(dimension.available_key, "the targets do not fit: " + addends + " = " +
                                                   dimension.show(total) + " " + dimension.what +
                                                   ", the host has " + dimension.show(available));
}

void check_single_runners_fit(const Policy& policy, const Dimension& dimension, Findings& findings) {
  if (findings.is_broken(dimension.available_key))
    return;
  const auto available = policy.budget.*dimension.amount;
  for (const auto& [key, profile] : policy.profiles)
    if (profile.target_count == 0 && profile.requires_.*dimension.amount > available)
      findings.warn(profile_key_name(key, dimension.required_key),
                    "more than the host has (" + dimension.show(available) +
                        "): an override can never give such a runner");
}

void check_registration_names(const Policy& policy, Findings& findings) {
  const auto& prefixes = policy.prefixes;
  if (findings.is_broken("github_api_suffix") || findings.is_broken("libvirt_runner_guest_prefix"))
    return;
  for (const auto& [key, profile] : policy.profiles) {
    const auto name =
        domain::registration_name(prefixes, domain::runner_guest_name(prefixes, key, largest_expected_id));
    if (name.size() > max_registration_name)
      findings.complain("profiles." + toml_key(key),
                        "expected a registration name of at most " + std::to_string(max_registration_name) +
                            " characters; with an id of 7 digits, " + name + " has " +
                            std::to_string(name.size()) +
                            ": shorten the profile's name, libvirt_runner_guest_prefix or github_api_suffix");
  }
}

/// A guest's name must tell what the guest is: no prefix may be another one, or go on as another one with a
/// dash.
void check_prefixes(const domain::Prefixes& prefixes, Findings& findings) {
  const std::vector<std::pair<std::string, std::string>> named{
      {"libvirt_template_guest_prefix", prefixes.template_guest},
      {"libvirt_rebuild_guest_prefix", prefixes.rebuild_guest},
      {"libvirt_runner_guest_prefix", prefixes.runner_guest}};
  for (std::size_t i = 0; i < named.size(); ++i)
    for (std::size_t j = 0; j < named.size(); ++j) {
      const auto& [key, prefix] = named[i];
      const auto& [other_key, other] = named[j];
      if (prefix == other ? i < j : (other + "-").substr(0, prefix.size() + 1) == prefix + "-")
        findings.complain(key, "expected a prefix that " + other_key + " (" + other +
                                   ") does not begin with: \"" + prefix +
                                   "-...\" would name both kinds of guest");
    }
}

/// A guest that is a trusted proxy could name any address as its own. The host's own address in the guests'
/// network is no guest's.
void check_proxies(const Settings& settings, Findings& findings) {
  for (const auto& proxy : settings.trusted_proxies) {
    const bool ours = proxy.bits == proxy.base.width() &&
                      std::find(settings.listen_on.begin(), settings.listen_on.end(), proxy.base) !=
                          settings.listen_on.end();
    if (proxy.overlaps(settings.guest_network) && !ours)
      findings.complain("trusted_proxies", "expected no address of guest_network (" +
                                               to_string(settings.guest_network) + "): " + to_string(proxy) +
                                               " overlaps it, and a guest must never choose its own address");
  }
}

void check_listen_on(const Settings& settings, Findings& findings) {
  for (const auto& any : settings.listen_on)
    for (const auto& other : settings.listen_on)
      if (any.is_any() && !(other == any) && other.is_v4() == any.is_v4())
        findings.complain("listen_on", "expected " + to_string(other) + " not to stand beside " +
                                           to_string(any) + ", which includes it");
}

/// They come from guest_network, which is IPv4, and need not have a route to anywhere else.
void check_guests_reach_us(const Settings& settings, Findings& findings) {
  if (findings.is_broken("listen_on") || findings.is_broken("guest_network"))
    return;
  const auto& guests = settings.guest_network;
  for (const auto& address : settings.listen_on)
    if (guests.contains(address) || (address.is_any() && address.is_v4()) ||
        (guests.base.is_loopback() && address.is_loopback()))
      return;
  findings.warn("listen_on",
                "no address in guest_network (" + to_string(guests) +
                    "): guests reach none of these unless they are routed to it; add the one that `ip "
                    "address show to " +
                    to_string(guests) + "` shows");
}

/// The budget is kept by what the settings say, whatever libvirt then gives the guest.
void check_guest_size(const domain::Profile& profile, const Dimension& dimension, Findings& findings) {
  if (!profile.image_sources)
    return;
  const auto asked = domain::size_of_guest(profile.image_sources->guest_xml).*dimension.amount;
  if (asked > profile.requires_.*dimension.amount)
    findings.warn(profile_key_name(profile.key, dimension.required_key),
                  "less than guest.xml asks for: " + dimension.show(asked) + " " + dimension.what +
                      "; with that, guests may take more than the host's budget");
}

void check_times(const domain::Timings& timings, Findings& findings) {
  if (timings.reserve_timeout_max < timings.reserve_timeout && !findings.is_broken("reserve_timeout_max") &&
      !findings.is_broken("monitor_reserve_timeout"))
    findings.complain(findings.was_set("reserve_timeout_max") ? "reserve_timeout_max"
                                                              : "monitor_reserve_timeout",
                      "expected reserve_timeout_max not to be less than monitor_reserve_timeout");
}

void check_app(const Settings& settings, Findings& findings) {
  const std::pair<const char*, bool> parts[] = {
      {"github_app_id", !settings.github_app_id.empty()},
      {"github_app_installation_id", settings.github_app_installation_id != 0},
      {"github_app_private_key_file", !settings.github_app_private_key_file.empty()}};
  const bool any = parts[0].second || parts[1].second || parts[2].second;
  for (const auto& [key, is_set] : parts)
    if (any && !is_set)
      findings.complain(key, "expected a value: a GitHub App needs its id, installation and private key");
}

void warn_of_risks(const Settings& settings, Findings& findings) {
  if (settings.policy.guest_filter.empty())
    findings.warn("guest_filter",
                  "no filter: a guest can take another guest's address and with it its JIT config");
  const auto& url = settings.github_api_url;
  if (url.substr(0, 7) == "http://") {
    const auto host = url.substr(7, url.find_first_of(":/", 7) - 7);
    const auto address = domain::parse_address(host);
    if (!(address && address->is_loopback()) && host != "localhost")
      findings.warn("github_api_url", "not https: the GitHub token crosses the network unencrypted");
  }
}

void check_template(const std::string& key, const domain::Profile& profile, const domain::Prefixes& prefixes,
                    Findings& findings) {
  for (const auto& prefix : {prefixes.runner_guest, prefixes.rebuild_guest})
    if (profile.template_guest.substr(0, prefix.size() + 1) == prefix + "-")
      findings.complain(profile_key_name(key, "template"),
                        "expected a guest whose name does not begin with " + prefix +
                            "-: such guests are made and destroyed here");
}

void check_image(const std::string& key, const domain::Profile& profile, const Settings& settings,
                 Findings& findings) {
  using Kind = domain::ImageBase::Kind;
  const auto& image = profile.image;
  if (image.cdroms.count(profile.disk_target) != 0)
    findings.complain(profile_key_name(key, "image.cdroms"),
                      "expected devices other than target_device (" + profile.disk_target + ")");
  if (profile.target_count == 0 || !profile.template_guest.empty())
    return;
  if (image.begins_with.kind == Kind::blank && image.size_bytes == 0)
    findings.complain(profile_key_name(key, "image.size"),
                      "expected the size of the disk, which begins blank");
  if ((image.begins_with.kind == Kind::file || !image.cdroms.empty()) && settings.image_deps_dir.empty())
    findings.complain(
        profile_key_name(key, image.begins_with.kind == Kind::file ? "image.begins_with" : "image.cdroms"),
        "expected the variable IMAGE_DEPS_DIR to name the folder that holds this file");
}

} // namespace

std::string profile_key_name(const std::string& profile, const std::string& name) {
  return "profiles." + toml_key(profile) + "." + name;
}

void check(const Settings& settings, Findings& findings) {
  const auto& policy = settings.policy;
  for (const auto& dimension : dimensions()) {
    check_targets_fit(policy, dimension, findings);
    check_single_runners_fit(policy, dimension, findings);
  }
  check_registration_names(policy, findings);
  check_prefixes(policy.prefixes, findings);
  check_proxies(settings, findings);
  check_listen_on(settings, findings);
  check_guests_reach_us(settings, findings);
  check_times(policy.timings, findings);
  check_app(settings, findings);
  warn_of_risks(settings, findings);
  for (const auto& [key, profile] : policy.profiles) {
    check_template(key, profile, policy.prefixes, findings);
    check_image(key, profile, settings, findings);
    for (const auto& dimension : dimensions())
      check_guest_size(profile, dimension, findings);
  }
}

} // namespace ci::config
