#pragma once
/// Reads one TOML table by a list of keys.

#include "config/findings.hpp"
#include "config/key.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace ci::config {

/// Which of the tables is being read; an unknown key may be at home in another one.
enum class Level { top, profile, image };

/// One table: where it stands and what else may be in it.
struct TableContext {
  Level level = Level::top;
  std::string file;
  /// Line of the table's header; 0 for the whole file.
  int line = 0;
  /// Stands before each key in findings, e.g. `profiles.linux.`.
  std::string prefix;
  /// The same for complaints, where the file says it already (`image.toml`): empty.
  std::string shown_prefix;
  /// Keys that somebody else reads.
  std::vector<std::string> elsewhere;
  /// Keys that must be there are missed.
  bool complete = true;
};

/// Parses a file. Nothing, and a complaint, where it is not TOML.
std::optional<toml::table> parse_toml(const std::string& text, const std::string& file, Findings&);

/// What to say of a key that is not known at this level.
std::string unknown_key_warning(const TableContext&, const std::string& name, const toml::node&,
                                const std::vector<std::string>& known);

/// Sets in `owner` what the table says. Complains of wrong and missing values, warns of unknown and obsolete
/// keys.
template <class Owner>
void read_table(const toml::table& table, const std::vector<const Key<Owner>*>& keys, Owner& owner,
                const TableContext& context, Findings& findings) {
  std::vector<std::string> known = context.elsewhere;
  for (const auto* key : keys)
    if (key->presence != Presence::obsolete)
      known.push_back(key->name);
  for (const auto& [toml_key, node] : table) {
    const std::string name{toml_key.str()};
    if (std::find(context.elsewhere.begin(), context.elsewhere.end(), name) != context.elsewhere.end())
      continue;
    const int line = static_cast<int>(toml_key.source().begin.line);
    const auto key = std::find_if(keys.begin(), keys.end(), [&](const auto* k) { return k->name == name; });
    const auto shown = context.shown_prefix + name;
    if (key == keys.end()) {
      findings.warnings.push_back(
          {context.file, line, shown, unknown_key_warning(context, name, node, known)});
    } else if ((*key)->presence == Presence::obsolete) {
      findings.warnings.push_back({context.file, line, shown, "obsolete, ignored: " + (*key)->doc});
    } else if ((*key)->read(node, owner)) {
      findings.places[context.prefix + name] = {context.file, line};
    } else {
      findings.broken.insert(context.prefix + name);
      findings.complaints.push_back({context.file, line, shown, "expected " + (*key)->expected});
    }
  }
  for (const auto* key : keys) {
    if (!context.complete || key->presence != Presence::required || table.contains(key->name))
      continue;
    findings.broken.insert(context.prefix + key->name);
    findings.complaints.push_back(
        {context.file, context.line, context.shown_prefix + key->name, "missing; expected " + key->expected});
  }
}

/// The keys of all groups at the top of monitor.toml.
std::vector<const Key<Settings>*> all_setting_keys();
std::vector<const Key<domain::Profile>*> all_keys(const KeyGroup<domain::Profile>&);

/// `name`, in quotes where TOML needs them: `profiles."a.b"`.
std::string toml_key(const std::string& name);

} // namespace ci::config
