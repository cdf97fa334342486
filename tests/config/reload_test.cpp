#include "config/reload.hpp"

#include "config/table.hpp"
#include "tests/config/support.hpp"

using namespace ci::config;
using namespace ci::config::tests;
using ci::domain::Duration;

namespace {
using Names = std::vector<std::string>;

Reload reload_with(const Values& changes) { return reload(settings_with({}), settings_with(changes)); }
Reload reload_texts(const std::string& before, const std::string& after) {
  return reload(settings_of(top() + before), settings_of(top() + after));
}
} // namespace

TEST_CASE("an unchanged file changes nothing") {
  const auto result = reload_with({});
  CHECK(!result.anything_changed());
  CHECK(result.complaints.empty());
}

TEST_CASE("times, switches and limits change without a restart") {
  const auto result = reload_with({{"monitor_start_timeout", "300"},
                                   {"dont_create_runners", "true"},
                                   {"available_1g_hugepages", "48"},
                                   {"max_artifact_size", R"("1M")"}});
  CHECK(result.applied ==
        Names{"max_artifact_size", "monitor_start_timeout", "dont_create_runners", "available_1g_hugepages"});
  CHECK(result.need_restart.empty());
  CHECK(result.settings.policy.timings.start_timeout == Duration{300'000});
  CHECK(result.settings.policy.dont_create_runners);
  CHECK(result.settings.policy.budget.hugepages_1g == 48);
}

TEST_CASE("names, prefixes, addresses, the hypervisor and its workers need a restart and keep their value until then") {
  const Values changes{{"listen_on", R"(["127.0.0.2"])"},
                       {"port", "9000"},
                       {"external_base_url", R"("http://x/")"},
                       {"trusted_proxies", R"(["::1"])"},
                       {"guest_network", R"("10.0.0.0/8")"},
                       {"github_api_url", R"("http://127.0.0.1:1")"},
                       {"github_api_scope", R"("/orgs/o")"},
                       {"github_api_suffix", R"("ci1")"},
                       {"images_path", R"("/srv")"},
                       {"libvirt_uri", R"("test:///default")"},
                       {"max_parallel_creates", "9"},
                       {"libvirt_template_guest_prefix", R"("t")"},
                       {"libvirt_rebuild_guest_prefix", R"("b")"},
                       {"libvirt_runner_guest_prefix", R"("r")"}};
  for (const auto& change : changes) {
    const auto result = reload_with({change});
    CHECK_MESSAGE(result.need_restart == Names{change.first}, change.first);
    CHECK_MESSAGE(result.applied.empty(), change.first);
  }
  const auto all = reload_with(changes);
  CHECK(all.need_restart.size() == changes.size());
  const auto running = settings_with({});
  for (const auto* key : all_setting_keys())
    CHECK_MESSAGE(key->show(all.settings) == key->show(running), key->name);
}

TEST_CASE("each change of a profile is named") {
  const auto result =
      reload_texts(profile("linux"), profile("linux", {{"target_count", "2"}, {"tokenless", R"("none")"}}) +
                                         "[profiles.linux.image]\nsize = \"1G\"\n");
  CHECK(result.applied ==
        Names{"profiles.linux.target_count", "profiles.linux.tokenless", "profiles.linux.image.size"});
  CHECK(result.settings.policy.profiles.at("linux").target_count == 2);
}

TEST_CASE("profiles come and go without a restart") {
  const auto result = reload_texts(profile("linux"), profile("\"linux.new\""));
  CHECK(result.applied == Names{"profiles.\"linux.new\"", "profiles.linux"});
  CHECK(result.settings.policy.profiles.count("linux") == 0);
  CHECK(result.settings.policy.profiles.count("linux.new") == 1);
}

TEST_CASE("a changed boot script counts as a change of its profile") {
  const Values before{{"template", R"("t")"}, {"boot_script", R"("a")"}};
  const Values after{{"template", R"("t")"}, {"boot_script", R"("b")"}};
  CHECK(reload_texts(profile("linux", before), profile("linux", after)).applied ==
        Names{"profiles.linux.boot_script"});
  CHECK(!reload_texts(profile("linux", before), profile("linux", before)).anything_changed());
}

TEST_CASE("paths of the environment need a restart") {
  auto environment = secrets();
  environment["SERVO_CI_MONITOR_DATA_PATH"] = "/srv/data";
  environment["IMAGE_DEPS_DIR"] = "/srv/deps";
  environment["LIBVIRT_DEFAULT_URI"] = "qemu:///session";
  const auto result = reload(settings_with({}), settings_of(top() + profile("linux"), environment));
  CHECK(result.need_restart == Names{"libvirt_uri", "SERVO_CI_MONITOR_DATA_PATH", "IMAGE_DEPS_DIR"});
  CHECK(result.settings.data_path == "./data");
}

TEST_CASE("what follows from a path that waits for a restart waits with it") {
  auto environment = secrets();
  environment["IMAGE_DEPS_DIR"] = "/srv/deps";
  const auto running = settings_of(top({{"main_repo_path", R"("/srv/repo")"}}) + profile("linux"), environment);
  environment["IMAGE_DEPS_DIR"] = "/srv/other-deps";
  const Values other_repo{{"main_repo_path", R"("/srv/other-repo")"}};
  const auto result = reload(running, settings_of(top(other_repo) + profile("linux"), environment));
  CHECK(result.need_restart == Names{"main_repo_path", "IMAGE_DEPS_DIR"});
  CHECK(result.settings.policy.repo_to_update == "/srv/repo");
  CHECK(result.settings.policy.image_deps_path == "/srv/deps");
  auto left_alone = other_repo;
  left_alone["dont_update_cached_servo_repo"] = "true";
  CHECK(reload(running, settings_of(top(left_alone) + profile("linux"))).settings.policy.repo_to_update == "");
}

TEST_CASE("profiles are read where they were read at the start, whatever path waits for a restart") {
  const auto reader = [](const std::string& path) -> std::optional<std::string> {
    if (!path.ends_with("/linux/boot-script"))
      return std::nullopt;
    return path;
  };
  const auto text = [](const char* path) {
    return top({{"profiles_path", path}}) + profile("linux", {{"template", R"("t")"}});
  };
  const auto running = settings_of(text(R"("/old")"), secrets(), reader);
  const auto fresh = load({text(R"("/new")"), "monitor.toml", secrets(), reader, running.profiles_path});
  REQUIRE(fresh.loaded);
  const auto result = reload(running, fresh.loaded->settings);
  CHECK(result.need_restart == Names{"profiles_path"});
  CHECK(result.applied.empty());
  CHECK(result.settings.profiles_path == "/old");
  CHECK(*result.settings.policy.profiles.at("linux").boot_script == "/old/linux/boot-script");
}

TEST_CASE("what fits only with values that wait for a restart is refused, and nothing changes") {
  // Fits the new, shorter suffix; the running one is too long for it.
  const auto running =
      settings_of(top({{"github_api_suffix", '"' + std::string(30, 's') + '"'}}) + profile("linux"));
  const auto fresh = settings_of(top({{"github_api_suffix", R"("s")"}}) + profile(std::string(30, 'p')));
  const auto result = reload(running, fresh);
  REQUIRE(result.complaints.size() == 1);
  CHECK(contains(to_string(result.complaints), "expected a registration name of at most 64"));
  CHECK(result.applied.empty());
  CHECK(result.settings.policy.profiles.count("linux") == 1);
  CHECK(result.settings.policy.prefixes.registration_suffix == std::string(30, 's'));
}
