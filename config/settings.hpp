#pragma once
/// Everything an operator sets, as plain values. Made by load(), immutable afterwards; a reload makes a new
/// one. Members bear the names of their keys in monitor.toml, where config/monitor.toml.example explains
/// them. The initialisers here and in domain::Policy are the defaults. Holds no secret: see secrets.hpp.

#include "actors/domain/address.hpp"
#include "actors/domain/policy.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ci::config {

/// Whose runners these are: a repository's or an organization's.
struct GithubScope {
  std::string owner;
  /// None: the whole organization.
  std::optional<std::string> repository;

  /// As in the URL: `/repos/<owner>/<repository>` or `/orgs/<owner>`; empty where nothing was set.
  std::string path() const {
    if (owner.empty())
      return {};
    return repository ? "/repos/" + owner + "/" + *repository : "/orgs/" + owner;
  }
  friend bool operator==(const GithubScope&, const GithubScope&) = default;
};

/// Neither wait of a request may be longer: HTTP's own time-out, which closes unanswered, lies above both together.
constexpr domain::Duration longest_request_wait{600'000};

struct Settings {
  /// What the decisions go by: profiles, targets, budget, times.
  domain::Policy policy;

  // HTTP
  std::vector<domain::Address> listen_on{*domain::parse_address("127.0.0.1"), *domain::parse_address("::1"),
                                         *domain::parse_address("192.168.100.1")};
  /// 0: each address gets a free port of its own.
  std::uint16_t port = 8000;
  /// Ends in `/`.
  std::string external_base_url;
  std::vector<domain::Network> trusted_proxies;
  /// IPv4.
  domain::Network guest_network = *domain::parse_network("192.168.100.0/24");
  domain::Duration monitor_thread_send_timeout{10'000};
  domain::Duration monitor_thread_recv_timeout{10'000};
  bool public_screenshots = true;
  /// Per source address (IPv6: per /64).
  int tokenless_selects_per_minute = 10;
  int screenshots_now_per_minute = 60;
  int max_connections_per_source = 64;

  // GitHub
  /// Without a slash at its end.
  std::string github_api_url = "https://api.github.com";
  GithubScope github_api_scope;
  int github_max_in_flight = 32;
  int github_points_per_minute = 900;
  /// A GitHub App instead of a token; empty: none.
  std::string github_app_id;
  std::int64_t github_app_installation_id = 0;
  std::string github_app_private_key_file;

  // Selects without a token
  /// `<owner>/` and, maybe, the beginning of a repository's name; compared without case.
  std::string allowed_qualified_repo_prefix;
  std::string artifact_name_prefix = "servo-ci-runners_";
  domain::Duration tokenless_select_artifact_max_age{300'000};
  std::int64_t max_artifact_size = 64 << 10; ///< bytes
  int max_tokenless_count = 20;
  int tokenless_github_calls_per_minute = 60;

  // Host
  std::string libvirt_uri = "qemu:///system";
  /// `<profiles_path>/<key>/` holds a profile's guest.xml, boot-script, image.toml ...
  std::string profiles_path = "./profiles";
  /// A checkout that guests clone from; empty: none.
  std::string main_repo_path;
  bool dont_update_cached_servo_repo = false;
  domain::Duration screenshot_interval{5'000};
  bool trust_guest_agent = false;
  /// "trace", "debug", "info", "warn" or "error".
  std::string log_level = "info";

  // From the environment alone
  std::string data_path = "./data";
  /// Served at /image-deps/; empty: nothing is.
  std::string image_deps_dir;
  std::string lib_monitor_dir = ".";

  bool github_app() const { return !github_app_id.empty(); }
  bool needs_github_token() const { return !policy.dont_register_runners && !github_app(); }
  /// The policy as the actors pass it on.
  domain::PolicyPtr policy_ptr() const { return std::make_shared<const domain::Policy>(policy); }
};

} // namespace ci::config
