#include "http/main_settings.hpp"

#include "actors/edge/app_jwt.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace ci::http {

using namespace std::chrono_literals;

namespace {

static_assert(config::longest_request_wait <= Waits::longest);

int most_connections() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0)
    return Limits{}.connections;
  return static_cast<int>(connections_within(files.rlim_cur));
}

/// Where people look at what the API at that address tells: GitHub Enterprise Server has both under one name.
std::string web_url_of(const std::string& api_url) {
  constexpr std::string_view enterprise = "/api/v3";
  if (api_url.ends_with(enterprise))
    return api_url.substr(0, api_url.size() - enterprise.size()) + "/";
  return Options{}.github_web_url;
}

/// The process's variables, and those of .env; complains of what can't be read of that file, and, if it is
/// `needed`, where there is none.
config::Environment read_environment(const std::string& env_file, bool needed,
                                     std::vector<config::Complaint>& complaints) {
  config::Environment from_file;
  std::error_code ignored;
  if (auto env = config::disk_reader()(env_file))
    from_file = config::parse_env_file(*env, env_file, complaints);
  else if (needed || std::filesystem::exists(env_file, ignored))
    complaints.push_back({env_file, 0, "", "can't be read"});
  return config::merge(config::process_environment(environ), from_file);
}

bool any_of_key(const std::vector<config::Complaint>& complaints, const std::vector<std::string>& keys) {
  return std::any_of(complaints.begin(), complaints.end(), [&](const config::Complaint& complaint) {
    return std::find(keys.begin(), keys.end(), complaint.key) != keys.end();
  });
}

/// They come first. A variable whose line is wrong is not missed besides.
void add_complaints_of_env(config::LoadResult& result, std::vector<config::Complaint> of_env) {
  std::erase_if(result.complaints, [&](const config::Complaint& complaint) {
    return complaint.file == "environment" && any_of_key(of_env, {complaint.key});
  });
  result.complaints.insert(result.complaints.begin(), of_env.begin(), of_env.end());
}

} // namespace

void allow_many_files() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0)
    return;
  files.rlim_cur = std::max(files.rlim_cur, std::min<rlim_t>(files.rlim_max, files_for_all_connections));
  setrlimit(RLIMIT_NOFILE, &files); // what was allowed before does, too
}

std::string secrets_file_mend(const std::string& path) {
  struct stat seen {};
  if (stat(path.c_str(), &seen) != 0)
    return {};
  // The group may be how this user reads a file of root's, as with an App's key.
  const bool own = seen.st_uid == geteuid();
  if ((seen.st_mode & ((own ? S_IRWXG : S_IWGRP) | S_IRWXO)) == 0)
    return {};
  return (own ? "chmod 600 " : "chmod g-w,o= ") + path;
}

config::LoadResult load_settings(const config::CommandLine& arguments, const config::Settings* running) {
  config::LoadResult result;
  auto read = config::disk_reader();
  const auto toml = read(arguments.config_file);
  std::vector<config::Complaint> of_env;
  const auto environment = read_environment(arguments.env_file, arguments.env_file_given, of_env);
  if (!toml) {
    result.complaints.push_back({arguments.config_file, 0, "", "can't be read; name the file with --config"});
    config::read_secrets(environment, false, result.complaints);
  } else {
    // Where profiles are may stand in a line that can't be read: then nothing in them is missed.
    const bool lost = !environment.contains("LIB_MONITOR_DIR") && any_of_key(of_env, {"", "LIB_MONITOR_DIR"});
    result = config::load({*toml, arguments.config_file, environment, lost ? nullptr : std::move(read),
                           running ? running->profiles_path : ""});
  }
  add_complaints_of_env(result, std::move(of_env));
  // A warning, where an App's key is refused: this file was always taken, and an upgrade must not end the
  // service.
  if (auto mend = secrets_file_mend(arguments.env_file); !mend.empty() && !arguments.check)
    result.warnings.push_back({arguments.env_file, 0, "", "others may read or change it: " + mend});
  if (result.loaded && result.loaded->settings.github_app())
    if (auto fault = edge::app_key_fault(result.loaded->settings.github_app_private_key_file); !fault.empty())
      result.complaints.push_back({arguments.config_file, 0, "github_app_private_key_file", fault});
  if (!result.complaints.empty())
    result.loaded.reset();
  return result;
}

std::optional<config::Secrets> load_secrets(const config::CommandLine& arguments, const config::Settings& settings,
                                            std::vector<config::Complaint>& complaints) {
  auto secrets = config::read_secrets(read_environment(arguments.env_file, true, complaints),
                                      settings.needs_github_token(), complaints);
  if (!complaints.empty())
    return std::nullopt;
  return secrets;
}

FileWatch::FileWatch(std::string path) : path_(std::move(path)) { known(look()); }

bool FileWatch::changed() {
  const auto now = look();
  const bool settled = now == last_;
  last_ = now;
  if (!settled || !now.exists || now == known_)
    return false;
  known_ = now;
  return true;
}

FileWatch::Stamp FileWatch::look() const {
  struct stat seen {};
  if (stat(path_.c_str(), &seen) != 0)
    return {};
  return {true,         seen.st_mtim.tv_sec, seen.st_mtim.tv_nsec, seen.st_ctim.tv_sec, seen.st_ctim.tv_nsec,
          seen.st_size, seen.st_ino};
}

Options http_options(const config::Settings& s, const config::Secrets& secrets) {
  Options o;
  o.listen_on = s.listen_on;
  o.port = s.port;
  o.external_base_url = s.external_base_url;
  o.api_token = secrets.monitor_api_token.reveal();
  if (secrets.github_webhook_secret)
    o.webhook_secret = secrets.github_webhook_secret->reveal();
  o.trusted_proxies = s.trusted_proxies;
  o.guest_network = s.guest_network;
  o.limits.connections = most_connections();
  o.limits.connections_per_source = s.max_connections_per_source;
  o.limits.selects_per_minute = s.tokenless_selects_per_minute;
  o.limits.pictures_now_per_minute = s.screenshots_now_per_minute;
  o.public_pictures = s.public_screenshots;
  o.github_web_url = web_url_of(s.github_api_url);
  o.waits.send = s.monitor_thread_send_timeout;
  o.waits.receive = s.monitor_thread_recv_timeout;
  o.ready_within = std::max<domain::Duration>(30s, 3 * s.policy.timings.poll_interval);
  return o;
}

edge::GithubOptions github_options(const config::Settings& s, const config::Secrets& secrets) {
  edge::GithubOptions o;
  o.api_url = s.github_api_url;
  o.scope = s.github_api_scope.path();
  o.token = secrets.github_token.reveal();
  o.app = {s.github_app_id, s.github_app_installation_id, s.github_app_private_key_file};
  o.http.max_in_flight = s.github_max_in_flight;
  return o;
}

domain::SelectRules select_rules(const config::Settings& s) {
  domain::SelectRules rules;
  rules.queue_member = s.policy.queue_member;
  rules.allowed_qualified_repo_prefix = s.allowed_qualified_repo_prefix;
  rules.artifact_name_prefix = s.artifact_name_prefix;
  rules.artifact_max_age = s.tokenless_select_artifact_max_age;
  rules.max_artifact_size = s.max_artifact_size;
  rules.max_count = s.max_tokenless_count;
  rules.github_calls_per_minute = s.tokenless_github_calls_per_minute;
  for (const auto& [key, profile] : s.policy.profiles)
    rules.profiles[key] = profile.tokenless;
  return rules;
}

} // namespace ci::http
