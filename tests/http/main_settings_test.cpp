#include "http/main_settings.hpp"

#include "tests/support/temp_folder.hpp"

#include <doctest/doctest.h>

using namespace ci;
using namespace ci::http;
using namespace std::chrono_literals;

namespace {

/// monitor.toml and .env in a folder of their own.
struct Files {
  test::TempFolder folder;
  config::CommandLine arguments;

  Files(const std::string& toml, const std::string& env) {
    arguments.config_file = folder.path() / "monitor.toml";
    arguments.env_file = folder.path() / ".env";
    arguments.env_file_given = true;
    test::write_file(arguments.config_file, toml);
    test::write_file(arguments.env_file, env);
  }
  std::string complaints() const {
    const auto result = load_settings(arguments);
    CHECK(!result.loaded);
    return config::to_string(result.complaints);
  }
};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Valid but for what is missing of its profile's folder.
const std::string valid = R"(external_base_url = "http://127.0.0.1:8000/"
github_api_scope = "/repos/octo-org/octo-repo"
github_api_suffix = "ci0"
allowed_qualified_repo_prefix = "octo-org/"
available_1g_hugepages = 0
available_normal_memory = "64G"
[profiles.linux]
github_runner_label = "linux"
target_count = 1
requires_1g_hugepages = 0
requires_normal_memory = "1G"
)";
const std::string secrets = "GITHUB_TOKEN=ghs_AbCdEfGh\nSERVO_CI_MONITOR_API_TOKEN=0123456789abcdef\n";

} // namespace

TEST_CASE("each connection may stream a file, and enough files are left for everything else") {
  CHECK(connections_within(1'024) == 256);
  CHECK(connections_within(4'096) == 1'792);
  CHECK(connections_within(20'000) == 9'744);
  for (const std::uint64_t files : {1'024U, 4'096U, 20'000U})
    CHECK(2 * connections_within(files) + 512 <= files);
}

TEST_CASE("no more connections are served than are wanted, and few where few files may be open") {
  CHECK(connections_within(files_for_all_connections) == 10'000);
  CHECK(connections_within(files_for_all_connections - 2) == 9'999);
  CHECK(connections_within(~std::uint64_t{0}) == 10'000);
  CHECK(connections_within(256) == 64);
}

TEST_CASE("a wrong line of .env hides no complaint about monitor.toml, nor about another variable") {
  const Files files("port = 7000000\n", "wrong\nGITHUB_TOKEN=short of\nSERVO_CI_MONITOR_API_TOKEN='x\n");
  const auto said = files.complaints();
  CHECK(contains(said, ".env:1: expected KEY=value"));
  CHECK(contains(said, ".env:3: SERVO_CI_MONITOR_API_TOKEN: expected a closing '"));
  CHECK(contains(said, "monitor.toml:1: port: expected"));
  CHECK(contains(said, "GITHUB_TOKEN: expected visible ASCII"));
  CHECK_MESSAGE(!contains(said, "SERVO_CI_MONITOR_API_TOKEN: expected a value"), "it is there: " << said);
}

TEST_CASE("an .env that nobody named need not be there, but what is there must be readable") {
  Files files(valid, secrets);
  files.arguments.env_file_given = false;
  std::filesystem::remove(files.arguments.env_file);
  CHECK(!contains(files.complaints(), ".env: can't be read"));
  std::filesystem::create_directory(files.arguments.env_file); // as unreadable, for root too, as one of another user
  CHECK(contains(files.complaints(), ".env: can't be read"));
}

TEST_CASE("a file that can't be read hides no complaint about the other") {
  Files files("port = 7000000\n", "GITHUB_TOKEN=short of\n");
  std::filesystem::remove(files.arguments.env_file);
  auto said = files.complaints();
  CHECK(contains(said, ".env: can't be read"));
  CHECK(contains(said, "monitor.toml:1: port: expected"));
  test::write_file(files.arguments.env_file, "GITHUB_TOKEN=short of\n");
  std::filesystem::remove(files.arguments.config_file);
  said = files.complaints();
  CHECK(contains(said, "monitor.toml: can't be read"));
  CHECK(contains(said, "GITHUB_TOKEN: expected visible ASCII"));
  CHECK_MESSAGE(!contains(said, "external_base_url"), "what the file may hold: " << said);
}

TEST_CASE("settings without a complaint of their own are not taken where .env has a wrong line") {
  const Files files(valid + "template = \"made-by-hand\"\nboot_script = \"#!/bin/sh\"\n", secrets + "wrong\n");
  const auto result = load_settings(files.arguments);
  CHECK(!result.loaded);
  CHECK(config::to_string(result.complaints) == files.arguments.env_file + ":3: expected KEY=value\n");
}

TEST_CASE("profiles' folders are not missed where the line that may say where they are is wrong") {
  const auto missed = valid + "[profiles.linux.image]\ntarget_device = \"vda\"\n";
  CHECK(contains(Files(missed, secrets).complaints(), "guest.xml"));
  CHECK(!contains(Files(missed, secrets + "LIB_MONITOR_DIR='/opt\n").complaints(), "guest.xml"));
  CHECK(!contains(Files(missed, secrets + "wrong\n").complaints(), "guest.xml"));
  CHECK(contains(Files(missed, secrets + "LIB_MONITOR_DIR=/nowhere\nwrong\n").complaints(), "guest.xml"));
}

TEST_CASE("it is ready while a crank ended within 30 s, or three poll intervals where those are longer") {
  config::Settings settings;
  for (auto& [poll, within] : {std::pair<domain::Duration, domain::Duration>{5s, 30s}, {10s, 30s}, {11s, 33s}, {60s, 180s}}) {
    settings.policy.timings.poll_interval = poll;
    CHECK(http_options(settings, {}).ready_within == within);
  }
}
