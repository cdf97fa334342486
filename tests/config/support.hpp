#pragma once
/// A short valid file to vary, and the ways to load it.

#include "config/load.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>

namespace ci::config::tests {

/// TOML texts by key. An empty text leaves the key out.
using Values = std::map<std::string, std::string>;

inline std::string lines(Values values, const Values& changes) {
  for (const auto& [key, value] : changes)
    values[key] = value;
  std::string text;
  for (const auto& [key, value] : values)
    if (!value.empty())
      text += key + " = " + value + "\n";
  return text;
}

/// All that must be set, and nothing more, but for the changes.
inline std::string top(const Values& changes = {}) {
  return lines({{"external_base_url", R"("http://127.0.0.1:8000/")"},
                {"github_api_scope", R"("/repos/octo-org/octo-repo")"},
                {"github_api_suffix", R"("ci0")"},
                {"allowed_qualified_repo_prefix", R"("octo-org/")"},
                {"available_1g_hugepages", "96"},
                {"available_normal_memory", R"("64G")"}},
               changes);
}
inline std::string profile(const std::string& key, const Values& changes = {}) {
  return "[profiles." + key + "]\n" +
         lines({{"github_runner_label", R"("self-hosted-image:linux")"},
                {"target_count", "1"},
                {"requires_1g_hugepages", "1"},
                {"requires_normal_memory", R"("1G")"}},
               changes);
}

inline Environment secrets() {
  return {{"GITHUB_TOKEN", "ghs_AbCdEfGhIjKlMnOpQrSt"}, {"SERVO_CI_MONITOR_API_TOKEN", "0123456789abcdef"}};
}

inline LoadResult load_text(const std::string& text, const Environment& environment = secrets(),
                            FileReader reader = nullptr) {
  return load({text, "monitor.toml", environment, std::move(reader), ""});
}

/// The settings; a complaint fails the test.
inline Settings settings_of(const std::string& text, const Environment& environment = secrets(),
                            FileReader reader = nullptr) {
  const auto result = load_text(text, environment, std::move(reader));
  REQUIRE_MESSAGE(result.loaded, to_string(result.complaints));
  return result.loaded->settings;
}
inline Settings settings_with(const Values& changes) { return settings_of(top(changes) + profile("linux")); }

/// What is complained of, one a line; empty: nothing.
inline std::string complaints_of(const std::string& text) { return to_string(load_text(text).complaints); }
inline std::string complaints_with(const Values& changes) {
  return complaints_of(top(changes) + profile("linux"));
}
inline std::string profile_complaints_with(const Values& changes) {
  return complaints_of(top() + profile("linux", changes));
}
inline std::string warnings_of(const std::string& text) { return to_string(load_text(text).warnings); }

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace ci::config::tests
