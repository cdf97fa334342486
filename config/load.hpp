#pragma once
/// From texts to settings: monitor.toml, the environment and the profiles' folders. Touches no file itself.

#include "config/complaint.hpp"
#include "config/environment.hpp"
#include "config/findings.hpp"
#include "config/secrets.hpp"
#include "config/settings.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ci::config {

/// The contents of a file, byte for byte; nothing where it can't be read.
using FileReader = std::function<std::optional<std::string>(const std::string& path)>;
/// Reads from disk. Folders and other things that are no regular file count as unreadable.
FileReader disk_reader();

/// What to load from.
struct Sources {
  std::string toml_text;
  /// As complaints shall name it.
  std::string file_name = "monitor.toml";
  /// The process's own variables with those of `.env` merged under them.
  Environment environment;
  /// Reads `<profiles_path>/<key>/boot-script`, `image.toml` and `guest.xml`. Null: the profiles' folders are
  /// not looked at, and nothing in them is missed. A service that makes runners must give one.
  FileReader read_file;
  /// Where the profiles' folders are, whatever the settings say: a running service goes on with those that it
  /// began with. Empty: as the settings say.
  std::string profiles_path;
};

struct Loaded {
  Settings settings;
  Secrets secrets;
};

struct LoadResult {
  /// None where there are complaints.
  std::optional<Loaded> loaded;
  /// Everything that is wrong, by file and line.
  std::vector<Complaint> complaints;
  /// What is odd, obsolete or risky, and was accepted.
  std::vector<Complaint> warnings;
};

LoadResult load(const Sources&);

/// The checkout that is to be kept up to date; empty: none.
std::string repo_to_update(const Settings&);

/// Variables that are settings. An empty one counts as not set.
struct EnvironmentKey {
  std::string name;
  std::string Settings::*member;
  /// Keys of monitor.toml win over their variable.
  std::string overruled_by;
};
const std::vector<EnvironmentKey>& environment_keys();

} // namespace ci::config
