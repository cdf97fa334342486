// Dependencies point one way: who may include what, as a table, and the tree held against it.

#include "tests/support/temp_folder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace fs = std::filesystem;
using namespace ci::test;

namespace {

using Names = std::vector<std::string>;

/// `files` and `may` are patterns: `a/` is everything under a, `a/*` what lies directly in it, anything else
/// the beginning of a path. A file may include what any rule that matches it allows.
struct Rule {
  std::string files;
  Names may;
};

const Names posix = {"unistd.h", "fcntl.h",  "poll.h",  "sched.h",   "spawn.h",  "pwd.h",
                     "grp.h",    "dirent.h", "netdb.h", "ifaddrs.h", "signal.h", "net/",
                     "netinet/", "arpa/",    "sys/",    "linux/",    "pthread.h"};
const Names logging = {"spdlog/", "fmt/"};

Names operator+(Names a, const Names& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const std::vector<Rule> rules = {
    {"actors/domain/", {"actors/domain/", "pugixml.hpp"}},
    {"config/", {"config/", "actors/domain/", "toml++/"}},
    // Asks the system about users, paths and addresses for `--check`.
    {"config/check", posix},
    {"actors/edge/",
     Names{"actors/edge/", "actors/domain/", "libvirt/", "curl/", "nlohmann/", "SQLiteCpp/", "sqlite3.h",
           "zip.h", "archive.h", "archive_entry.h", "png.h", "openssl/", "pugixml.hpp"} +
         posix},
    {"actors/edge/leak_pause.", {"sanitizer/"}},
    {"actors/*", Names{"actors/*", "actors/domain/", "config/", "caf/"} + logging},
    {"actors/metrics.", {"prometheus/"}},
    // An actor that touches the world owns its part of the edge; nobody else includes that.
    {"actors/github_link.", {"actors/edge/github_"}},
    {"actors/crash_point.", {"actors/edge/crash_point.hpp"}},
    {"actors/selector.", {"actors/edge/zip_text.hpp"}},
    {"actors/host.", {"actors/edge/libvirt_", "actors/edge/disk", "actors/edge/image_files", "actors/edge/iso",
                      "actors/edge/checkout"}},
    {"actors/journal.", {"actors/edge/store.hpp", "actors/edge/inheritance.hpp"}},
    {"actors/files.", {"actors/edge/file_tree"}},
    {"actors/historian.", {"actors/edge/history.hpp"}},
    {"actors/album.", {"actors/edge/picture"}},
    {"http/", Names{"http/", "actors/messages.hpp", "actors/ticket.hpp", "actors/board.hpp",
                    "actors/metered.hpp", "actors/domain/", "caf/", "nlohmann/", "prometheus/", "openssl/"} +
                  logging},
    // RESTinio costs half a minute of compiling: the server's two files pay, nobody else.
    {"http/listener.", Names{"restinio/", "asio"} + posix},
    {"http/server.", Names{"restinio/", "asio"} + posix},
    {"http/body_stream.", Names{"restinio/", "asio"}},
    // The composition root: main.cpp and its own parts, main_*.
    {"http/main", Names{"config/", "actors/", "systemd/", "curl/", "libvirt/", "restinio/", "asio"} + posix},
};

bool matches(const std::string& pattern, const std::string& path) {
  if (pattern.ends_with("/*")) {
    auto folder = pattern.substr(0, pattern.size() - 1);
    return path.starts_with(folder) && path.find('/', folder.size()) == std::string::npos;
  }
  return path.starts_with(pattern);
}

/// Standard headers have neither a folder nor an extension.
bool standard(const std::string& include) { return include.find_first_of("./") == std::string::npos; }

bool ruled(const std::string& file) {
  return std::any_of(rules.begin(), rules.end(), [&](auto& rule) { return matches(rule.files, file); });
}

bool allowed(const std::string& file, const std::string& include) {
  return standard(include) || std::any_of(rules.begin(), rules.end(), [&](auto& rule) {
           return matches(rule.files, file) &&
                  std::any_of(rule.may.begin(), rule.may.end(),
                              [&](auto& pattern) { return matches(pattern, include); });
         });
}

Names includes_of(const fs::path& file) {
  static const std::regex directive(R"(^\s*#\s*include\s*[<"]([^>"]+)[>"])");
  Names result;
  std::istringstream text(read_file(file));
  std::smatch match;
  for (std::string line; std::getline(text, line);)
    if (std::regex_search(line, match, directive))
      result.push_back(match[1]);
  return result;
}

/// Every source file of the daemon's rooms, by its path from the root.
Names sources(const fs::path& root) {
  Names result;
  for (auto* room : {"actors", "config", "http"}) {
    if (!fs::exists(root / room))
      continue;
    for (auto& entry : fs::recursive_directory_iterator(root / room)) {
      auto extension = entry.path().extension();
      if (extension == ".cpp" || extension == ".hpp" || extension == ".h" || extension == ".ipp")
        result.push_back(entry.path().lexically_relative(root).generic_string());
    }
  }
  std::sort(result.begin(), result.end());
  return result;
}

/// One line for each include that breaks the table, and for each file that it says nothing about.
Names violations(const fs::path& root) {
  Names result;
  for (auto& file : sources(root)) {
    if (!ruled(file))
      result.push_back(file + " lies where the table has no rule");
    else
      for (auto& include : includes_of(root / file))
        if (!allowed(file, include))
          result.push_back(file + " includes " + include);
  }
  return result;
}

/// The lines of a CMakeLists.txt that name the tests outside `if(CI_MONITOR_TESTS)`.
Names lines_naming_tests(const fs::path& file) {
  Names result;
  auto depth = 0, tests_depth = 0;
  std::istringstream text(read_file(file));
  for (std::string line; std::getline(text, line);) {
    line = line.substr(0, line.find('#'));
    line.erase(0, line.find_first_not_of(" \t"));
    depth += line.starts_with("if(") ? 1 : line.starts_with("endif(") ? -1 : 0;
    if (line.starts_with("if(CI_MONITOR_TESTS)"))
      tests_depth = depth;
    if (depth < tests_depth)
      tests_depth = 0;
    static const std::regex names_tests(R"((tests/|\(tests[ )]))");
    if (tests_depth == 0 && std::regex_search(line, names_tests))
      result.push_back(line);
  }
  return result;
}

void plant(const fs::path& root, const std::string& file, const std::string& include) {
  fs::create_directories((root / file).parent_path());
  write_file(root / file,
             "#pragma once\n// a comment\n#include <vector>\n  #  include \"" + include + "\"\n");
}

} // namespace

TEST_CASE("no include of the tree breaks the table") {
  for (auto& violation : violations(SOURCE_DIR))
    FAIL_CHECK(violation);
}

TEST_CASE("the table sees the tree") { CHECK(sources(SOURCE_DIR).size() > 20); }

TEST_CASE("each kind of forbidden include is found and named") {
  const std::vector<std::pair<std::string, std::string>> planted = {
      {"actors/domain/a.cpp", "caf/all.hpp"},
      {"actors/domain/b.cpp", "actors/messages.hpp"},
      {"actors/domain/c.hpp", "unistd.h"},
      {"actors/domain/d.hpp", "nlohmann/json.hpp"},
      {"actors/domain/e.hpp", "actors/edge/store.hpp"},
      {"actors/edge/a.cpp", "caf/all.hpp"},
      {"actors/edge/b.hpp", "actors/messages.hpp"},
      {"actors/edge/c.hpp", "spdlog/spdlog.h"},
      {"actors/edge/d.hpp", "config/settings.hpp"},
      {"actors/journal.hpp", "actors/edge/github_client.hpp"},
      {"actors/journal.cpp", "actors/edge/store_schema.hpp"},
      {"actors/host.cpp", "actors/edge/store.hpp"},
      {"actors/hypervisor.cpp", "actors/edge/libvirt_host.hpp"},
      {"actors/guest.cpp", "actors/edge/disk.hpp"},
      {"actors/monitor.cpp", "libvirt/libvirt.h"},
      {"actors/monitor.hpp", "prometheus/registry.h"},
      {"actors/policy.cpp", "http/server.hpp"},
      {"actors/registrations.cpp", "curl/curl.h"},
      {"config/a.hpp", "actors/messages.hpp"},
      {"config/b.cpp", "caf/all.hpp"},
      {"config/c.cpp", "actors/edge/store.hpp"},
      {"config/d.cpp", "unistd.h"},
      {"http/a.cpp", "actors/monitor.hpp"},
      {"http/b.cpp", "actors/edge/store.hpp"},
      {"http/c.cpp", "restinio/all.hpp"},
      {"http/d.hpp", "asio.hpp"},
      {"http/e.hpp", "config/settings.hpp"},
      {"http/main.cpp", "tests/support/temp_folder.hpp"},
      {"http/server.cpp", "tests/simulators/github_simulator/model.hpp"},
  };
  for (auto& [file, include] : planted) {
    TempFolder root;
    plant(root.path(), file, include);
    CHECK(violations(root.path()) == Names{file + " includes " + include});
  }
}

TEST_CASE("what the table allows is not complained of") {
  TempFolder root;
  plant(root.path(), "actors/domain/a.cpp", "pugixml.hpp");
  plant(root.path(), "actors/edge/a.cpp", "sys/stat.h");
  plant(root.path(), "actors/journal.cpp", "actors/edge/store.hpp");
  plant(root.path(), "actors/github_link.cpp", "actors/edge/github_client.hpp");
  plant(root.path(), "actors/metrics.cpp", "prometheus/registry.h");
  plant(root.path(), "config/a.cpp", "toml++/toml.h");
  plant(root.path(), "http/server.cpp", "restinio/all.hpp");
  plant(root.path(), "http/main.cpp", "actors/edge/store.hpp");
  CHECK(violations(root.path()).empty());
}

TEST_CASE("a folder that the table does not know is complained of") {
  TempFolder root;
  plant(root.path(), "actors/other/a.cpp", "vector");
  CHECK(violations(root.path()) == Names{"actors/other/a.cpp lies where the table has no rule"});
}

TEST_CASE("the daemon is built of nothing from tests/") {
  for (auto& line : lines_naming_tests(fs::path(SOURCE_DIR) / "CMakeLists.txt"))
    FAIL_CHECK(line);
}

TEST_CASE("a build that takes something from tests/ into the daemon is found") {
  TempFolder root;
  auto file = root.path() / "CMakeLists.txt";
  write_file(file, "option(CI_MONITOR_TESTS \"Build the tests\" ON) # tests/\n");
  CHECK(lines_naming_tests(file).empty());
  write_file(
      file, "if(X)\nendif()\nif(CI_MONITOR_TESTS)\n  if(Y)\n  endif()\n  add_subdirectory(tests)\nendif()\n");
  CHECK(lines_naming_tests(file).empty());
  write_file(
      file,
      "if(CI_MONITOR_TESTS)\nendif()\nadd_room(ci_edge actors/edge)\nadd_room(ci_fake tests/simulators)\n");
  CHECK(lines_naming_tests(file) == Names{"add_room(ci_fake tests/simulators)"});
}
