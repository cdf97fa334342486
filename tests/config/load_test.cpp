#include "tests/config/support.hpp"

using namespace ci::config;
using namespace ci::config::tests;
using ci::domain::Duration;

TEST_CASE("the shortest file gives the defaults of the specification") {
  const auto settings = settings_of(top() + profile("linux"));
  const auto& times = settings.policy.timings;
  CHECK(times.poll_interval == Duration{5'000});
  CHECK(times.api_cache_timeout == Duration{30'000});
  CHECK(settings.tokenless_select_artifact_max_age == Duration{300'000});
  CHECK(times.start_timeout == Duration{120'000});
  CHECK(times.reserve_timeout == Duration{60'000});
  CHECK(times.reserve_timeout_max == Duration{600'000});
  CHECK(times.lost_timeout == Duration{1'800'000});
  CHECK(times.idle_confirmation == Duration{60'000});
  CHECK(times.reserved_confirmation == Duration{90'000});
  CHECK(times.take_deadline == Duration{2'500});
  CHECK(times.base_image_max_age == Duration{86'400'000});
  CHECK(times.policy_override_max_age == Duration{6 * 3'600'000});
  CHECK(settings.monitor_thread_send_timeout == Duration{10'000});
  CHECK(settings.monitor_thread_recv_timeout == Duration{10'000});
  CHECK(settings.port == 8000);
  CHECK(to_string(settings.guest_network) == "192.168.100.0/24");
  CHECK(settings.trusted_proxies.empty());
  CHECK(settings.github_api_url == "https://api.github.com");
  CHECK(settings.github_max_in_flight == 32);
  CHECK(settings.policy.images_path == "/var/lib/libvirt/images");
  CHECK(settings.policy.min_free_disk == std::int64_t{10} << 30);
  CHECK(settings.policy.prefixes.template_guest == "ci-template");
  CHECK(settings.policy.prefixes.rebuild_guest == "ci-rebuild");
  CHECK(settings.policy.prefixes.runner_guest == "ci-runner");
  CHECK(settings.policy.guest_filter == "clean-traffic");
  CHECK(settings.policy.runner_group_id == 1);
  CHECK(settings.policy.max_parallel_creates == 4);
  CHECK(settings.policy.max_deciding_takes == 256);
  CHECK(settings.policy.max_take_count == 20);
  CHECK(settings.policy.max_runners_per_run == 40);
  CHECK(settings.max_tokenless_count == 20);
  CHECK(settings.max_artifact_size == 64 * 1024);
  CHECK(settings.artifact_name_prefix == "servo-ci-runners_");
  CHECK(settings.tokenless_github_calls_per_minute == 60);
  CHECK(settings.tokenless_selects_per_minute == 10);
  CHECK(settings.screenshots_now_per_minute == 60);
  CHECK(settings.public_screenshots);
  CHECK(!settings.trust_guest_agent);
  CHECK(!settings.policy.exclusive_reservations);
  CHECK(settings.libvirt_uri == "qemu:///system");
  CHECK(settings.data_path == "./data");
}

TEST_CASE("a profile is read with what it needs of the host") {
  const auto settings = settings_of(top() + profile("linux", {{"target_count", "2"},
                                                              {"requires_1g_hugepages", "24"},
                                                              {"requires_normal_memory", R"("1 G")"},
                                                              {"tokenless", R"("same-repo")"}}));
  const auto& linux_ = settings.policy.profiles.at("linux");
  CHECK(linux_.key == "linux");
  CHECK(linux_.github_runner_label == "self-hosted-image:linux");
  CHECK(linux_.target_count == 2);
  CHECK(linux_.requires_ == ci::domain::Resources{24, 1 << 30});
  CHECK(linux_.tokenless == ci::domain::Tokenless::same_repo);
  CHECK(linux_.work_folder == "_work");
}

TEST_CASE("the image table of a profile is read") {
  auto environment = secrets();
  environment["IMAGE_DEPS_DIR"] = "/srv/deps";
  const auto settings = settings_of(top() + profile("linux") + R"([profiles.linux.image]
target_device = "vda"
size = "90G"
begins_with = { guest = "win10-by-hand" }
cdroms = { sdb = "virtio-win.iso", sdc = "iso/tools.iso" }
work_folder = '..\a'
build_timeout = 3600
allow_overlay = false
)",
                                    environment);
  const auto& linux_ = settings.policy.profiles.at("linux");
  CHECK(linux_.disk_target == "vda");
  CHECK(linux_.work_folder == "..\\a");
  CHECK(linux_.image.size_bytes == std::int64_t{90} << 30);
  CHECK(linux_.image.begins_with.kind == ci::domain::ImageBase::Kind::guest);
  CHECK(linux_.image.begins_with.name == "win10-by-hand");
  CHECK(linux_.image.cdroms ==
        std::map<std::string, std::string>{{"sdb", "virtio-win.iso"}, {"sdc", "iso/tools.iso"}});
  CHECK(linux_.image.build_timeout == Duration{3'600'000});
  CHECK(!linux_.image.allow_overlay);
}

TEST_CASE("everything that is wrong is said at once, with its line, in order") {
  const auto result = load_text("port = 70000\n"
                                "monitor_poll_interval = \"5\"\n"
                                "external_base_url = \"http://ci0.example.org\"\n"
                                "available_1g_hugepages = -1\n"
                                "available_normal_memory = 16\n"
                                "github_api_suffix = \"ci0\"\n"
                                "[profiles.linux]\n"
                                "target_count = 1.5\n"
                                "requires_1g_hugepages = 1\n"
                                "requires_normal_memory = \"1G\"\n",
                                {});
  CHECK(!result.loaded);
  CHECK(
      to_string(result.complaints) ==
      "environment: GITHUB_TOKEN: expected a value: it is not set, neither in the environment nor in .env\n"
      "environment: SERVO_CI_MONITOR_API_TOKEN: expected a value: it is not set, neither in the environment "
      "nor in "
      ".env\n"
      "monitor.toml: github_api_scope: missing; expected \"/repos/<owner>/<repository>\" or "
      "\"/orgs/<organization>\"\n"
      "monitor.toml: allowed_qualified_repo_prefix: missing; expected \"<owner>/\", or \"<owner>/\" and the "
      "beginning of a repository's name\n"
      "monitor.toml:1: port: expected an integer from 0 to 65535\n"
      "monitor.toml:2: monitor_poll_interval: expected seconds, as an integer or a float: more than 0, at "
      "most "
      "31536000\n"
      "monitor.toml:3: external_base_url: expected a URL that begins with http:// or https:// and ends in "
      "\"/\"\n"
      "monitor.toml:4: available_1g_hugepages: expected an integer from 0 to 1000000\n"
      "monitor.toml:5: available_normal_memory: expected a size in quotes, <n>B, K, M, G, T or P (binary "
      "units)\n"
      "monitor.toml:7: profiles.linux.github_runner_label: missing; expected a label: 1 to 256 characters, "
      "no "
      "comma, no blank at its ends, not beginning with reserved-for:, reserved-since: or reserved-by:\n"
      "monitor.toml:8: profiles.linux.target_count: expected an integer from 0 to 10000\n");
}

TEST_CASE("what is no TOML is refused with its line, and the secrets are still looked at") {
  const auto result = load_text("port = 8000\nport = 8001\n", {});
  CHECK(!result.loaded);
  CHECK(contains(to_string(result.complaints), "monitor.toml:2: expected TOML: "));
  CHECK(contains(to_string(result.complaints), "SERVO_CI_MONITOR_API_TOKEN"));
  CHECK(!contains(to_string(result.complaints), "GITHUB_TOKEN"));
}

TEST_CASE("each key without a default is missed") {
  for (const auto* key :
       {"external_base_url", "github_api_scope", "github_api_suffix", "allowed_qualified_repo_prefix",
        "available_1g_hugepages", "available_normal_memory"})
    CHECK(contains(complaints_with({{key, ""}}), std::string{key} + ": missing; expected "));
  for (const auto* key :
       {"github_runner_label", "target_count", "requires_1g_hugepages", "requires_normal_memory"})
    CHECK(
        contains(profile_complaints_with({{key, ""}}), "profiles.linux." + std::string{key} + ": missing; "));
}

TEST_CASE("at least one profile is needed") {
  CHECK(contains(complaints_of(top()), "profiles: expected at least one profile"));
  CHECK(contains(complaints_of(top() + "[profiles]\n"),
                 "monitor.toml:7: profiles: expected at least one profile"));
  CHECK(complaints_of(top() + profile("linux", {{"target_count", "0"}})).empty());
}

TEST_CASE("tables that are no tables are refused") {
  CHECK(complaints_of("profiles = 1\n" + top()) == "monitor.toml:1: profiles: expected a table\n");
  CHECK(complaints_of(top() + "[profiles]\nlinux = 2\n") ==
        "monitor.toml:8: profiles.linux: expected a table\n");
  CHECK(contains(complaints_of(top() + profile("linux") + "image = 3\n"),
                 "profiles.linux.image: expected a table"));
  CHECK(contains(complaints_of("queue = 1\n" + top() + profile("linux")), "queue: expected a table"));
}

TEST_CASE("an unknown key is a warning that names the nearest known one") {
  const auto result =
      load_text("monitor_pol_interval = 5\n" + top() + profile("linux", {{"target_cuont", "3"}}) +
                "[profiles.linux.image]\nsise = \"1G\"\n");
  CHECK(result.loaded);
  CHECK(to_string(result.warnings) ==
        "monitor.toml:1: monitor_pol_interval: unknown key, ignored; the nearest known one is "
        "monitor_poll_interval\n"
        "monitor.toml:13: profiles.linux.target_cuont: unknown key, ignored; the nearest known one is "
        "target_count\n"
        "monitor.toml:15: profiles.linux.image.sise: unknown key, ignored; the nearest known one is size\n");
}

TEST_CASE("a known key in the wrong table is a warning that says where it belongs") {
  CHECK(contains(
      warnings_of(top() + profile("linux", {{"port", "80"}})),
      "profiles.linux.port: not known here, ignored: it belongs above the first [table] of monitor.toml"));
  CHECK(
      contains(warnings_of("target_count = 1\n" + top() + profile("linux")), "belongs in [profiles.<key>]"));
  CHECK(contains(warnings_of(top() + profile("linux", {{"build_timeout", "1"}})),
                 "belongs in [profiles.<key>.image]"));
}

TEST_CASE("a profile with a dot in its name but no quotes is pointed out") {
  CHECK(contains(warnings_of(top() + profile("linux") + profile("linux.new")), "needs quotes"));
  const auto settings = settings_of(top() + profile("linux") + profile("\"linux.new\""));
  CHECK(settings.policy.profiles.count("linux.new") == 1);
}

TEST_CASE("obsolete keys are read and ignored with a notice") {
  const auto text = top() + profile("linux", {{"image_type", R"("Rust")"}}) +
                    "[queue]\nservers = [\"http://[::1]:8000\"]\nserver = 1\n";
  const auto result = load_text(text);
  CHECK(result.loaded);
  const auto warnings = to_string(result.warnings);
  CHECK(contains(warnings, "profiles.linux.image_type: obsolete, ignored"));
  CHECK(contains(warnings, "queue.servers: obsolete, ignored"));
  CHECK(contains(warnings, "queue.server: unknown key, ignored; the nearest known one is servers"));
}

TEST_CASE("destroying all non-busy runners implies making none, unless that is set itself") {
  CHECK(!settings_with({}).policy.dont_create_runners);
  CHECK(settings_with({{"destroy_all_non_busy_runners", "true"}}).policy.dont_create_runners);
  CHECK(!settings_with({{"destroy_all_non_busy_runners", "true"}, {"dont_create_runners", "false"}})
             .policy.dont_create_runners);
  CHECK(settings_with({{"dont_create_runners", "true"}}).policy.dont_create_runners);
}

TEST_CASE("pictures are taken at each poll unless their interval is set") {
  CHECK(settings_with({{"monitor_poll_interval", "7"}}).screenshot_interval == Duration{7'000});
  CHECK(settings_with({{"monitor_poll_interval", "7"}, {"screenshot_interval", "5"}}).screenshot_interval ==
        Duration{5'000});
}

TEST_CASE("the hypervisor is that of the file, else of the environment, else the system's") {
  auto environment = secrets();
  environment["LIBVIRT_DEFAULT_URI"] = "qemu:///session";
  CHECK(settings_of(top() + profile("linux"), environment).libvirt_uri == "qemu:///session");
  const auto text = top({{"libvirt_uri", R"("test:///default")"}}) + profile("linux");
  CHECK(settings_of(text, environment).libvirt_uri == "test:///default");
  environment["LIBVIRT_DEFAULT_URI"] = "";
  CHECK(settings_of(top() + profile("linux"), environment).libvirt_uri == "qemu:///system");
}

TEST_CASE("paths come from the environment") {
  auto environment = secrets();
  environment["SERVO_CI_MONITOR_DATA_PATH"] = "/srv/data";
  environment["IMAGE_DEPS_DIR"] = "/srv/deps";
  environment["LIB_MONITOR_DIR"] = "/usr/lib/monitor";
  const auto settings = settings_of(top() + profile("linux"), environment);
  CHECK(settings.data_path == "/srv/data");
  CHECK(settings.image_deps_dir == "/srv/deps");
  CHECK(settings.profiles_path == "/usr/lib/monitor/profiles");
  const auto text = top({{"profiles_path", R"("/etc/profiles")"}}) + profile("linux");
  CHECK(settings_of(text, environment).profiles_path == "/etc/profiles");
}

TEST_CASE("the GitHub token may be missing where runners are not registered, and only there") {
  const Environment api_token_alone{{"SERVO_CI_MONITOR_API_TOKEN", "0123456789abcdef"}};
  CHECK(!load_text(top() + profile("linux"), api_token_alone).loaded);
  CHECK(load_text(top({{"dont_register_runners", "true"}}) + profile("linux"), api_token_alone).loaded);
}

TEST_CASE("a wrong file of one kind does not hide the other kinds' complaints") {
  const auto complaints =
      complaints_of(top({{"github_api_scope", "7"}}) + profile("linux", {{"requires_1g_hugepages", "97"}}) +
                    "[profiles.linux.image]\ncdroms = 7\n");
  CHECK(contains(complaints, "github_api_scope: expected"));
  CHECK(contains(complaints, "the targets do not fit"));
  CHECK(contains(complaints, "profiles.linux.image.cdroms: expected"));
}
