#include "config/example.hpp"

#include "config/key.hpp"

#include <sstream>

namespace ci::config {

namespace {

constexpr std::size_t width = 110;

constexpr const char* head =
    R"(# Settings of ci-monitor. Without --config, monitor.toml in the working folder is read.
#
# A key that is commented out shows its default. Times are in seconds, sizes are "<n>B", "K", "M", "G", "T" or
# "P" in binary units. SIGHUP reads the file again: a wrong file changes nothing, and keys that need a restart
# keep their old value until then. `ci-monitor --check` tries everything without starting.
#
# Secrets do not belong here. They come from the environment, or from a file .env beside this one, which is
# read again when it changes:
#   GITHUB_TOKEN                 may administer runners, and read Actions of private repositories: see
#                                github_api_scope (not needed with a GitHub App)
#   SERVO_CI_MONITOR_API_TOKEN   what clients show as Bearer; 16 characters or more
#   GITHUB_WEBHOOK_SECRET        optional; 16 characters or more
# So do these paths:
#   SERVO_CI_MONITOR_DATA_PATH   the monitor's own folder, default "./data"
#   IMAGE_DEPS_DIR               what images are made of, served to guests at /image-deps/
#   LIB_MONITOR_DIR              holds profiles/, default "."
)";

constexpr const char* profile_head = R"(
# Profiles --------------------------------------------------------------------------------------------------
#
# One table for each kind of runner; its key is the profile's name (in quotes where it holds a dot). A profile
# with a target needs a folder <profiles_path>/<key>/ with guest.xml, boot-script and image.toml, or a hand-
# made template.

[profiles.linux]
)";

constexpr const char* image_head = R"(
# How the profile's image is made. These keys may stand in the profile's image.toml as well; here they go
# before it.
[profiles.linux.image]
)";

/// The text in comment lines of at most `width` characters.
void write_comment(std::ostream& out, const std::string& text) {
  std::istringstream words{text};
  std::string line = "#", word;
  while (words >> word) {
    if (line.size() + 1 + word.size() > width) {
      out << line << '\n';
      line = "#";
    }
    line += ' ' + word;
  }
  out << line << '\n';
}

template <class Owner>
void write_key(std::ostream& out, const Key<Owner>& key) {
  if (key.presence == Presence::obsolete)
    return;
  const auto shown = key.sample.empty() ? key.show(Owner{}) : key.sample;
  out << '\n';
  write_comment(out, key.doc);
  write_comment(out, "Expected: " + key.expected + "." +
                         (key.presence == Presence::required ? " Must be set." : "") +
                         (key.needs_restart ? " Needs a restart." : ""));
  out << (key.presence == Presence::required ? "" : "# ") << key.name << " = " << shown << '\n';
}

} // namespace

std::string example() {
  std::ostringstream out;
  out << head;
  for (const auto& group : setting_groups()) {
    const auto title = "\n# " + group.title + ' ';
    out << title << std::string(width - title.size(), '-') << '\n';
    for (const auto& key : group.keys)
      write_key(out, key);
  }
  out << profile_head;
  for (const auto& key : profile_keys().keys)
    write_key(out, key);
  out << image_head;
  for (const auto& key : image_keys().keys)
    write_key(out, key);
  return out.str();
}

} // namespace ci::config
