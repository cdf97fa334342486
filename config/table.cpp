#include "config/table.hpp"

#include "config/nearest.hpp"
#include "config/text.hpp"

namespace ci::config {

namespace {

template <class Owner>
bool has(const std::vector<const Key<Owner>*>& keys, const std::string& name) {
  return std::any_of(keys.begin(), keys.end(), [&](const auto* key) { return key->name == name; });
}

/// Where a key is known that is not known at this level; empty where it is known nowhere.
std::string home_of(const std::string& name, Level level) {
  if (level != Level::top && has(all_setting_keys(), name))
    return "above the first [table] of monitor.toml";
  if (level != Level::profile && has(all_keys(profile_keys()), name))
    return "in [profiles.<key>]";
  if (level != Level::image && has(all_keys(image_keys()), name))
    return "in [profiles.<key>.image]";
  return {};
}

} // namespace

std::optional<toml::table> parse_toml(const std::string& text, const std::string& file, Findings& findings) {
  try {
    return toml::parse(std::string_view{text}, std::string_view{file});
  } catch (const toml::parse_error& error) {
    findings.complaints.push_back({file, static_cast<int>(error.source().begin.line), "",
                                   "expected TOML: " + std::string{error.description()}});
    return std::nullopt;
  }
}

std::string unknown_key_warning(const TableContext& context, const std::string& name, const toml::node& node,
                                const std::vector<std::string>& known) {
  if (const auto home = home_of(name, context.level); !home.empty())
    return "not known here, ignored: it belongs " + home;
  const auto close = nearest(name, known);
  const bool dotted_profile = context.level == Level::profile && node.is_table();
  return "unknown key, ignored; the nearest known one is " + close +
         (dotted_profile ? " (a profile's name with a dot needs quotes: [profiles.\"a.b\"])" : "");
}

std::vector<const Key<Settings>*> all_setting_keys() {
  std::vector<const Key<Settings>*> keys;
  for (const auto& group : setting_groups())
    for (const auto& key : group.keys)
      keys.push_back(&key);
  return keys;
}

std::vector<const Key<domain::Profile>*> all_keys(const KeyGroup<domain::Profile>& group) {
  std::vector<const Key<domain::Profile>*> keys;
  for (const auto& key : group.keys)
    keys.push_back(&key);
  return keys;
}

std::string toml_key(const std::string& name) {
  const auto bare = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), bare) ? name : toml_string(name);
}

} // namespace ci::config
