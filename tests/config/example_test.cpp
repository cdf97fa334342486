/// config/monitor.toml.example is made from the tables of keys, so that it can't fall behind them.
#include "config/example.hpp"

#include "config/table.hpp"
#include "tests/config/support.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

using namespace ci::config;
using namespace ci::config::tests;

namespace {

const std::string path = std::string{SOURCE_DIR} + "/config/monitor.toml.example";

std::string file_text() { return disk_reader()(path).value_or(""); }

/// A folder as the example's profile needs it.
std::optional<std::string> profile_folder(const std::string& file) {
  if (file == "./profiles/linux/image.toml")
    return "target_device = \"vda\"\nbegins_with = { guest = \"by-hand\" }\n";
  return "text";
}

/// Whether a comment holds `key = value`.
bool is_commented_key(const std::string& line) {
  const auto equals = line.find(" = ");
  return line.substr(0, 2) == "# " && equals != std::string::npos &&
         line.substr(2, equals - 2).find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") ==
             std::string::npos;
}

/// The text with every commented-out key set.
std::string uncommented(const std::string& text) {
  std::istringstream in{text};
  std::string result, line;
  while (std::getline(in, line))
    result += line.substr(is_commented_key(line) ? 2 : 0) + '\n';
  return result;
}

/// The part of the file that holds the keys of one table.
std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const auto begin = from.empty() ? 0 : text.find(from);
  REQUIRE(begin != std::string::npos);
  return text.substr(begin, to.empty() ? std::string::npos : text.find(to) - begin);
}

template <class Owner>
void check_has_keys(const std::string& part, const std::vector<const Key<Owner>*>& keys) {
  for (const auto* key : keys) {
    const bool obsolete = key->presence == Presence::obsolete;
    const std::string sign = key->presence == Presence::required ? "\n" : "\n# ";
    CHECK_MESSAGE(contains(part, sign + key->name + " = ") != obsolete, key->name);
    CHECK_MESSAGE(!key->doc.empty(), key->name);
  }
}

} // namespace

TEST_CASE("the example file is what the tables of keys make") {
  // CI_MONITOR_WRITE_EXAMPLE=1 test-config brings the file up to date.
  if (std::getenv("CI_MONITOR_WRITE_EXAMPLE"))
    std::ofstream{path} << example();
  CHECK(file_text() == example());
}

TEST_CASE("the example file loads without a complaint or a warning") {
  const auto result = load_text(file_text(), secrets(), profile_folder);
  CHECK(to_string(result.complaints) == "");
  CHECK(to_string(result.warnings) == "");
}

TEST_CASE("every known key stands in the example file, in its table, commented out where it has a default") {
  const auto text = file_text();
  check_has_keys(between(text, "", "\n[profiles.linux]"), all_setting_keys());
  check_has_keys(between(text, "\n[profiles.linux]", "\n[profiles.linux.image]"), all_keys(profile_keys()));
  check_has_keys(between(text, "\n[profiles.linux.image]", ""), all_keys(image_keys()));
}

TEST_CASE("the defaults that the example file shows are the defaults") {
  const auto with_all = uncommented(file_text());
  CHECK(with_all != file_text());
  const auto shown = load_text(with_all);
  const auto real = load_text(file_text());
  REQUIRE_MESSAGE(shown.loaded, to_string(shown.complaints));
  REQUIRE(real.loaded);
  CHECK(to_string(shown.warnings) == "");
  for (const auto* key : all_setting_keys())
    CHECK_MESSAGE(key->show(shown.loaded->settings) == key->show(real.loaded->settings), key->name);
  const auto& shown_profile = shown.loaded->settings.policy.profiles.at("linux");
  const auto& real_profile = real.loaded->settings.policy.profiles.at("linux");
  for (const auto* key : all_keys(profile_keys()))
    if (key->presence != Presence::obsolete)
      CHECK_MESSAGE(key->show(shown_profile) == key->show(real_profile), key->name);
  for (const auto* key : all_keys(image_keys()))
    CHECK_MESSAGE(key->show(shown_profile) == key->show(real_profile), key->name);
}

TEST_CASE("no key stands twice in the tables") {
  std::vector<std::string> names;
  for (const auto* key : all_setting_keys())
    names.push_back(key->name);
  std::sort(names.begin(), names.end());
  CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
}

TEST_CASE("lines of the example file are short") {
  std::istringstream in{file_text()};
  for (std::string line; std::getline(in, line);)
    CHECK_MESSAGE(line.size() <= 110, line);
}
