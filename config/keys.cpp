#include "config/keys.hpp"

#include "config/text.hpp"

namespace ci::config {

using domain::Policy;
using domain::Timings;

const std::vector<KeyGroup<Settings>>& setting_groups() {
  static const std::vector<KeyGroup<Settings>> groups{
      http_keys(),   github_keys(), reservation_keys(), tokenless_keys(),
      policy_keys(), host_keys(),   libvirt_keys(),     image_policy_keys()};
  return groups;
}

KeyGroup<Settings> http_keys() {
  const auto base_url = [](std::string_view url) {
    return is_http_url(url) && !url.empty() && url.back() == '/';
  };
  const auto request_wait = seconds(longest_request_wait / std::chrono::seconds(1));
  using S = Settings;
  return {
      "HTTP",
      {
          make_key<S>(
              "listen_on", &S::listen_on, addresses(),
              "Addresses to listen on, all at the same port. One that can't be bound yet is tried again "
              "while the others serve. Guests must reach one of them.")
              .at_restart(),
          make_key<S>("port", &S::port, integer<std::uint16_t>(0, 65'535),
                      "TCP port. 0 gives each address a free one (see --port-file).")
              .at_restart(),
          make_key<S>("external_base_url", &S::external_base_url,
                      text(base_url, R"(a URL that begins with http:// or https:// and ends in "/")"),
                      "What clients find this service under; stands before every URL in its answers.")
              .required(R"("https://ci0.example.org/")")
              .at_restart(),
          make_key<S>("trusted_proxies", &S::trusted_proxies, networks(),
                      "Peers whose X-Real-IP is believed. No guest may be among them.")
              .at_restart(),
          make_key<S>(
              "guest_network", &S::guest_network, ipv4_network(),
              "Where guests are. Only peers with an address in it can fetch boot scripts and JIT configs, "
              "and they can ask for nothing else.")
              .at_restart(),
          make_key<S>("monitor_thread_send_timeout", &S::monitor_thread_send_timeout, request_wait,
                      "How long a request waits to be taken up by the monitor before it gets 503."),
          make_key<S>("monitor_thread_recv_timeout", &S::monitor_thread_recv_timeout, request_wait,
                      "How long a request that was taken up waits for its answer before it gets 503."),
          make_key<S>("public_screenshots", &S::public_screenshots, boolean(),
                      "Whether pictures of guests are shown without the API token. They may show secrets."),
          make_key<S>("tokenless_selects_per_minute", &S::tokenless_selects_per_minute,
                      integer<int>(0, 100'000),
                      "Selects without a token that one source address (IPv6: /64) may make in a minute."),
          make_key<S>("screenshots_now_per_minute", &S::screenshots_now_per_minute, integer<int>(0, 100'000),
                      "Pictures taken at once that one source address may ask for in a minute."),
          make_key<S>("max_connections_per_source", &S::max_connections_per_source, integer<int>(1, 100'000),
                      "Connections that one source address may hold open."),
      }};
}

KeyGroup<Settings> github_keys() {
  using S = Settings;
  return {
      "GitHub",
      {
          make_key<S>("github_api_url", &S::github_api_url, url_without_slash(),
                      "Where GitHub's REST API is; another one for GitHub Enterprise Server.")
              .at_restart(),
          make_key<S>("github_api_scope", &S::github_api_scope, github_scope(),
                      "Whose runners these are. The token, or the App, needs the right \"Self-hosted runners\" (read and "
                      "write) of an organization, or \"Administration\" (read and write) of a repository; and \"Actions\" "
                      "(read) of each repository that is not public and whose workflows reserve runners: without it their reservations end at monitor_reserve_timeout, whether their jobs still wait or not, and "
                      "selects without a token are refused.")
              .required(R"("/repos/octo-org/octo-repo")")
              .at_restart(),
          make_key<S>("github_app_id", &S::github_app_id,
                      text([](std::string_view id) { return id.empty() || (is_name(id) && id.size() <= 64); },
                           "the App's id or client id, in quotes"),
                      "A GitHub App instead of GITHUB_TOKEN, which is then not needed. All three keys of it are set, or "
                      "none. Installed where the runners are, with the rights that github_api_scope names.")
              .at_restart(),
          make_key<S>("github_app_installation_id", &S::github_app_installation_id,
                      integer<std::int64_t>(0, std::numeric_limits<std::int64_t>::max()),
                      "The number at the end of the installation's address at GitHub.")
              .at_restart(),
          make_key<S>("github_app_private_key_file", &S::github_app_private_key_file,
                      text([](std::string_view path) { return path.empty() || path.front() == '/'; }, "an absolute path"),
                      "The App's private key, as GitHub gave it: a file that nobody else may read. Read each time that a "
                      "token is asked for, so that another key needs no restart.")
              .at_restart(),
          make_key<S>("github_api_suffix", in_prefixes(&domain::Prefixes::registration_suffix),
                      text(is_name, "letters, digits, dots, dashes and underscores, a letter or digit first"),
                      "Names this host among others of the same scope: registrations are called "
                      "<runner guest>@<suffix>. Must not be in use by anything else.")
              .required(R"("ci0")")
              .at_restart(),
          make_key<S>("github_runner_group_id", in_policy(&Policy::runner_group_id),
                      integer<int>(1, std::numeric_limits<int>::max()),
                      "The runner group that new runners join. 1 is GitHub's default group."),
          make_key<S>("github_max_in_flight", &S::github_max_in_flight, integer<int>(1, 100),
                      "Calls to GitHub under way at once. GitHub allows 100.")
              .at_restart(),
          make_key<S>("github_points_per_minute", &S::github_points_per_minute, integer<int>(60, 1'000'000),
                      "What calls to GitHub may cost in a minute: 1 for one that reads, 5 for one that writes. GitHub "
                      "allows 900. Shares of it are kept for reservations and for deleting.")
              .at_restart(),
          make_key<S>("github_writes_per_minute", in_policy(&Policy::writes_per_minute), integer<int>(8, 1'000'000),
                      "Calls that change something at GitHub in a minute. GitHub allows some 80 that create. Runners "
                      "are made, and reserved, as long as they leave room for what must be deleted; a take that finds "
                      "no room gets 503."),
          make_key<S>("api_cache_timeout", in_timings(&Timings::api_cache_timeout), seconds(),
                      "How often the listing of registrations is fetched."),
      }};
}

KeyGroup<Settings> reservation_keys() {
  using S = Settings;
  return {
      "Reserving runners",
      {
          make_key<S>("monitor_reserve_timeout", in_timings(&Timings::reserve_timeout), seconds(),
                      "How long after its reservation a runner's job may take to begin."),
          make_key<S>(
              "reserve_timeout_max", in_timings(&Timings::reserve_timeout_max), seconds(),
              "How long after its reservation a runner is kept at most, while its job is still queued or "
              "GitHub can't be asked. Not less than monitor_reserve_timeout."),
          make_key<S>("reserved_confirmation", in_timings(&Timings::reserved_confirmation), seconds(),
                      "A runner whose reservation is younger is not stopped, whatever GitHub says."),
          make_key<S>(
              "idle_confirmation", in_timings(&Timings::idle_confirmation), seconds(),
              "A runner that may be working is stopped only after GitHub has called it not busy twice, "
              "so far apart."),
          make_key<S>(
              "exclusive_reservations", in_policy(&Policy::exclusive_reservations), boolean(),
              "Register runners with one unguessable label alone. A reservation adds its own, which jobs must name "
              "alone (runs-on: reserved-for:...); the usual ones follow when the job has begun, so that a job that "
              "names those can't come first.")
              .at_restart(),
          make_key<S>("max_take_count", in_policy(&Policy::max_take_count), integer<int>(1, 1'000),
                      "Runners that one take may ask for."),
          make_key<S>("max_deciding_takes", in_policy(&Policy::max_deciding_takes), integer<int>(1, 100'000),
                      "Takes that may be under way at once; one more gets 503."),
          make_key<S>(
              "queue_member", in_policy(&Policy::queue_member), boolean(),
              "This host is asked by a queue in front of several: selects without a token are refused, "
              "and takes are answered within take_deadline."),
          make_key<S>(
              "take_deadline", in_timings(&Timings::take_deadline), seconds(),
              "With queue_member: a take that GitHub has not confirmed by then is undone and gets 503."),
          make_key<S>("policy_override_max_age", in_timings(&Timings::policy_override_max_age), seconds(),
                      "A policy override ends after so long."),
      }};
}

KeyGroup<Settings> tokenless_keys() {
  using S = Settings;
  const auto artifact_prefix = [](std::string_view value) { return is_name(value) && value.size() <= 100; };
  return {
      "Selects without a token",
      {
          make_key<S>(
              "allowed_qualified_repo_prefix", &S::allowed_qualified_repo_prefix,
              text(is_repo_prefix, R"("<owner>/", or "<owner>/" and the beginning of a repository's name)"),
              "Workflow runs of repositories that begin with this may select runners with an artifact as "
              "their proof. Compared without case.")
              .required(R"("octo-org/")"),
          make_key<S>("artifact_name_prefix", &S::artifact_name_prefix,
                      text(artifact_prefix, "letters, digits, dots, dashes and underscores, at most 100"),
                      "The artifact is called this and the select's unique_id."),
          make_key<S>("tokenless_select_artifact_max_age", &S::tokenless_select_artifact_max_age, seconds(),
                      "An artifact that is older proves nothing."),
          make_key<S>("max_artifact_size", &S::max_artifact_size, size(1 << 10, 64 << 20),
                      "An artifact whose archive is larger is refused."),
          make_key<S>("max_tokenless_count", &S::max_tokenless_count, integer<int>(1, 1'000),
                      "Runners that one select may ask for."),
          make_key<S>("max_runners_per_run", in_policy(&Policy::max_runners_per_run), integer<int>(1, 10'000),
                      "Live runners that selects may bring one workflow run to."),
          make_key<S>("tokenless_github_calls_per_minute", &S::tokenless_github_calls_per_minute,
                      integer<int>(1, 5'000), "Calls to GitHub in a minute that all selects share."),
      }};
}

} // namespace ci::config
