#include "config/load.hpp"

#include "config/check.hpp"
#include "config/profile_folder.hpp"
#include "config/table.hpp"
#include "config/text.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <tuple>

namespace ci::config {

namespace {

int line_of(const toml::key& key) { return static_cast<int>(key.source().begin.line); }

/// The table under `name`, with its line. Complains where it is something else.
struct Found {
  const toml::table* table = nullptr;
  int line = 0;
};
Found find_table(const toml::table& parent, const std::string& name, const std::string& full_name,
                 Findings& findings) {
  for (const auto& [key, node] : parent) {
    if (key.str() != name)
      continue;
    if (node.is_table())
      return {node.as_table(), line_of(key)};
    findings.complaints.push_back({findings.main_file, line_of(key), full_name, "expected a table"});
  }
  return {};
}

/// `[queue]` belonged to another program that read the same file.
void note_queue(const toml::table& root, Findings& findings) {
  const auto queue = find_table(root, "queue", "queue", findings);
  if (!queue.table)
    return;
  for (const auto& [key, node] : *queue.table)
    findings.warnings.push_back({findings.main_file, line_of(key), "queue." + std::string{key.str()},
                                 key.str() == "servers"
                                     ? "obsolete, ignored: it belongs to the queue, not the monitor"
                                     : "unknown key, ignored; the nearest known one is servers"});
}

void take_environment(const Environment& environment, Settings& settings, const Findings& findings) {
  for (const auto& key : environment_keys()) {
    const auto found = environment.find(key.name);
    if (found != environment.end() && !found->second.empty() && !findings.was_set(key.overruled_by))
      settings.*key.member = found->second;
  }
}

/// libvirt takes absolute paths alone.
std::string made_absolute(const std::string& variable, const std::string& path, Findings& findings) {
  std::error_code failure;
  const auto result = std::filesystem::absolute(path, failure);
  if (failure)
    findings.complaints.push_back({"environment", 0, variable, "expected an absolute path: the working folder is gone"});
  return result.lexically_normal().string();
}

/// Defaults that are not constants.
void derive(Settings& settings, Findings& findings) {
  auto& policy = settings.policy;
  if (policy.destroy_all_non_busy_runners && !findings.was_set("dont_create_runners"))
    policy.dont_create_runners = true;
  if (!settings.image_deps_dir.empty())
    policy.image_deps_path = made_absolute("IMAGE_DEPS_DIR", settings.image_deps_dir, findings);
  policy.repo_to_update = repo_to_update(settings);
  if (!findings.was_set("screenshot_interval"))
    settings.screenshot_interval = policy.timings.poll_interval;
  if (!findings.was_set("profiles_path"))
    settings.profiles_path = settings.lib_monitor_dir + "/profiles";
}

/// Reads one `[profiles.<key>]` and its folder. Nothing where the key can't name a profile.
std::optional<domain::Profile> read_profile(const toml::key& toml_name, const toml::node& node,
                                            const std::string& profiles_path, const FileReader& read_file,
                                            Findings& findings) {
  const std::string key{toml_name.str()};
  const auto full_name = "profiles." + toml_key(key);
  findings.places[full_name] = {findings.main_file, line_of(toml_name)};
  if (!node.is_table() || !is_name(key)) {
    findings.complain(full_name, node.is_table()
                                     ? "expected a name of letters, digits, dots, dashes and underscores, "
                                       "a letter or digit first"
                                     : "expected a table");
    return std::nullopt;
  }
  domain::Profile profile;
  profile.key = key;
  const auto& table = *node.as_table();
  const TableContext place{Level::profile,  findings.main_file, line_of(toml_name),
                           full_name + ".", full_name + ".",    {"image"}};
  read_table(table, all_keys(profile_keys()), profile, place, findings);
  if (profile.key != key)
    findings.complain(full_name + ".profile_name", "expected the key of its table, " + toml_string(key));
  profile.key = key;
  const auto image = find_table(table, "image", full_name + ".image", findings);
  const auto prefix = full_name + ".image.";
  const auto folder = profiles_path + "/" + key;
  read_image(profile, folder, image.table, {Level::image, findings.main_file, image.line, prefix, prefix, {}},
             read_file, findings);
  read_boot_script(profile, folder, read_file, findings);
  read_image_sources(profile, folder, read_file);
  return profile;
}

void read_profiles(const toml::table& root, Settings& settings, const std::string& profiles_path,
                   const FileReader& read_file, Findings& findings) {
  if (!root.contains("profiles")) {
    findings.complain("profiles", "expected at least one profile, [profiles.<key>]");
    return;
  }
  const auto profiles = find_table(root, "profiles", "profiles", findings);
  if (!profiles.table)
    return;
  if (profiles.table->empty())
    findings.complaints.push_back(
        {findings.main_file, profiles.line, "profiles", "expected at least one profile, [profiles.<key>]"});
  for (const auto& [key, node] : *profiles.table)
    if (auto profile = read_profile(key, node, profiles_path, read_file, findings))
      settings.policy.profiles.emplace(profile->key, std::move(*profile));
}

/// False where the file is no TOML.
bool read_settings(const Sources& sources, Settings& settings, Findings& findings) {
  const auto root = parse_toml(sources.toml_text, sources.file_name, findings);
  if (!root)
    return false;
  const TableContext top{Level::top, sources.file_name, 0, "", "", {"profiles", "queue"}};
  read_table(*root, all_setting_keys(), settings, top, findings);
  note_queue(*root, findings);
  take_environment(sources.environment, settings, findings);
  derive(settings, findings);
  const auto& profiles_path = sources.profiles_path.empty() ? settings.profiles_path : sources.profiles_path;
  read_profiles(*root, settings, profiles_path, sources.read_file, findings);
  check(settings, findings);
  return true;
}

void sort(std::vector<Complaint>& complaints) {
  std::stable_sort(complaints.begin(), complaints.end(), [](const Complaint& a, const Complaint& b) {
    return std::tie(a.file, a.line) < std::tie(b.file, b.line);
  });
}

} // namespace

std::string repo_to_update(const Settings& settings) {
  return settings.dont_update_cached_servo_repo ? "" : settings.main_repo_path;
}

const std::vector<EnvironmentKey>& environment_keys() {
  static const std::vector<EnvironmentKey> keys{
      {"LIBVIRT_DEFAULT_URI", &Settings::libvirt_uri, "libvirt_uri"},
      {"SERVO_CI_MONITOR_DATA_PATH", &Settings::data_path, ""},
      {"IMAGE_DEPS_DIR", &Settings::image_deps_dir, ""},
      {"LIB_MONITOR_DIR", &Settings::lib_monitor_dir, ""},
  };
  return keys;
}

FileReader disk_reader() {
  return [](const std::string& path) -> std::optional<std::string> {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error))
      return std::nullopt;
    std::ifstream file{path, std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{file}, {}};
    return file.good() || file.eof() ? std::optional{std::move(text)} : std::nullopt;
  };
}

LoadResult load(const Sources& sources) {
  Findings findings;
  findings.main_file = sources.file_name;
  Loaded loaded;
  const bool readable = read_settings(sources, loaded.settings, findings);
  // Of an unreadable file nobody knows whether it needs a GitHub token.
  const bool needs_token = readable && loaded.settings.needs_github_token();
  loaded.secrets = read_secrets(sources.environment, needs_token, findings.complaints);
  if (loaded.settings.github_app() && !loaded.secrets.github_token.empty())
    findings.warn("github_app_id", "GITHUB_TOKEN is not used beside a GitHub App");
  LoadResult result;
  result.complaints = std::move(findings.complaints);
  result.warnings = std::move(findings.warnings);
  sort(result.complaints);
  sort(result.warnings);
  if (result.complaints.empty())
    result.loaded = std::move(loaded);
  return result;
}

} // namespace ci::config
