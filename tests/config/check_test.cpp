/// Whether settings fit together.
#include "tests/config/support.hpp"

#include "config/check.hpp"

using namespace ci::config;
using namespace ci::config::tests;

namespace {
std::string with_target(const std::string& key, int target, int pages,
                        const std::string& memory = R"("1G")") {
  return profile(key, {{"target_count", std::to_string(target)},
                       {"requires_1g_hugepages", std::to_string(pages)},
                       {"requires_normal_memory", memory}});
}
} // namespace

TEST_CASE("targets that just fit the host are taken") {
  const auto others =
      with_target("linux", 2, 24) + with_target("windows", 1, 24) + with_target("macos", 1, 24);
  CHECK(complaints_of(top() + others + with_target("wpt", 0, 12)) == "");
}

TEST_CASE("targets that do not fit by themselves are refused with a message that adds them up") {
  const auto others =
      with_target("linux", 2, 24) + with_target("windows", 1, 24) + with_target("macos", 1, 24);
  CHECK(complaints_of(top() + others + with_target("wpt", 1, 12)) ==
        "monitor.toml:2: available_1g_hugepages: the targets do not fit: linux 2 x 24 + macos 1 x 24 + "
        "windows 1 x 24 + wpt 1 x 12 = 108 huge pages of 1G, the host has 96\n");
}

TEST_CASE("normal memory is added up on its own") {
  CHECK(complaints_of(top() + with_target("linux", 64, 0)) == "");
  CHECK(complaints_of(top() + with_target("linux", 64, 0) + with_target("windows", 1, 0, R"("1B")")) ==
        "monitor.toml:3: available_normal_memory: the targets do not fit: linux 64 x 1G + windows 1 x 1B = "
        "68719476737B normal memory, the host has 64G\n");
}

TEST_CASE("both kinds of memory are complained of together") {
  const auto complaints = complaints_of(top() + with_target("linux", 97, 1));
  CHECK(contains(complaints, "linux 97 x 1 = 97 huge pages"));
  CHECK(contains(complaints, "linux 97 x 1G = 97G normal memory"));
}

TEST_CASE("a sum that no number holds is still too much") {
  CHECK(contains(complaints_of(top() + with_target("linux", 10'000, 0, R"("8191P")")),
                 "the targets do not fit"));
}

TEST_CASE("a budget that can't be read is not compared with") {
  const auto complaints =
      complaints_of(top({{"available_1g_hugepages", "\"many\""}}) + with_target("linux", 9, 24));
  CHECK(contains(complaints, "available_1g_hugepages: expected an integer"));
  CHECK(!contains(complaints, "do not fit"));
}

TEST_CASE("a profile without a target that the host can never hold is a warning") {
  CHECK(contains(warnings_of(top() + with_target("wpt", 0, 97)),
                 "profiles.wpt.requires_1g_hugepages: more than the host has (96)"));
  CHECK(warnings_of(top() + with_target("wpt", 0, 96)) == "");
}

TEST_CASE("a registration's name has at most 64 characters, its id counted as seven digits") {
  // ci-runner- + key + .9999999@ci0
  const std::string longest(64 - 10 - 12, 'p');
  CHECK(complaints_of(top() + profile(longest)) == "");
  const auto complaints = complaints_of(top() + profile(longest + "p"));
  CHECK(contains(complaints, "monitor.toml:7: profiles." + longest +
                                 "p: expected a registration name of at most 64 "
                                 "characters; with an id of 7 digits, "));
  CHECK(contains(complaints, " has 65: shorten"));
}

TEST_CASE("a profile's name makes guests, files and paths of the API, so it is a name") {
  CHECK(complaints_of(top() + profile("\"servo-ubuntu2204.new_1\"")) == "");
  for (const auto* key : {"\"a/b\"", "\"..\"", "\"-x\"", "\"a@b\"", "\"a b\"", "\"\"", "\"ü\""})
    CHECK_MESSAGE(contains(complaints_of(top() + profile(key)), "expected a name of letters, digits"), key);
}

TEST_CASE("profile_name equals the key of its table") {
  CHECK(profile_complaints_with({{"profile_name", R"("linux")"}}) == "");
  CHECK(profile_complaints_with({{"profile_name", R"("Linux")"}}) ==
        "monitor.toml:9: profiles.linux.profile_name: expected the key of its table, \"linux\"\n");
}

TEST_CASE("prefixes must differ") {
  CHECK(complaints_with({{"libvirt_runner_guest_prefix", R"("ci-template")"}}) ==
        "monitor.toml: libvirt_template_guest_prefix: expected a prefix that libvirt_runner_guest_prefix "
        "(ci-template) "
        "does not begin with: \"ci-template-...\" would name both kinds of guest\n");
}

TEST_CASE("a prefix that goes on as another one is refused, one that only begins alike is not") {
  CHECK(contains(complaints_with({{"libvirt_runner_guest_prefix", R"("ci")"}}),
                 "libvirt_runner_guest_prefix: expected"));
  CHECK(contains(complaints_with({{"libvirt_rebuild_guest_prefix", R"("ci-runner-build")"}}),
                 "libvirt_runner_guest_prefix: expected"));
  CHECK(complaints_with({{"libvirt_rebuild_guest_prefix", R"("ci-runnerbuild")"}}) == "");
  CHECK(complaints_with({{"libvirt_runner_guest_prefix", R"("c")"}}) == "");
}

TEST_CASE("no guest is a trusted proxy") {
  CHECK(complaints_with({{"trusted_proxies", R"(["127.0.0.1", "192.168.101.0/24", "::/0"])"}}) == "");
  for (const auto* proxies : {R"(["192.168.100.7"])", R"(["192.168.0.0/16"])", R"(["192.168.100.128/25"])"})
    CHECK_MESSAGE(
        contains(complaints_with({{"trusted_proxies", proxies}}), "trusted_proxies: expected no address of"),
        proxies);
}

TEST_CASE("the host's own address in the guests' network may be a trusted proxy") {
  CHECK(complaints_with(
            {{"listen_on", R"(["192.168.100.1"])"}, {"trusted_proxies", R"(["192.168.100.1"])"}}) == "");
  CHECK(complaints_with({{"listen_on", R"(["127.0.0.1"])"}, {"trusted_proxies", R"(["192.168.100.1"])"}}) !=
        "");
}

TEST_CASE("the address of all interfaces stands alone in its family") {
  CHECK(complaints_with({{"listen_on", R"(["0.0.0.0", "::1"])"}}) == "");
  CHECK(contains(complaints_with({{"listen_on", R"(["0.0.0.0", "127.0.0.1"])"}}),
                 "listen_on: expected 127.0.0.1 not to stand beside 0.0.0.0"));
  CHECK(
      contains(complaints_with({{"listen_on", R"(["::1", "::"])"}}), "listen_on: expected ::1 not to stand"));
}

TEST_CASE("guests must be able to reach an address that is listened on") {
  const auto warnings = [](const std::string& listen_on, const std::string& guests = "192.168.100.0/24") {
    return warnings_of(top({{"listen_on", listen_on}, {"guest_network", '"' + guests + '"'}}) +
                       profile("linux"));
  };
  for (const auto* reached : {R"(["127.0.0.1", "192.168.100.1"])", R"(["0.0.0.0"])", R"(["::1", "0.0.0.0"])"})
    CHECK_MESSAGE(warnings(reached) == "", reached);
  for (const auto* missed : {R"(["127.0.0.1", "::1"])", R"(["192.168.101.1"])", R"(["::"])"})
    CHECK_MESSAGE(
        warnings(missed) ==
            "monitor.toml:8: listen_on: no address in guest_network (192.168.100.0/24): guests reach none of "
            "these unless they are routed to it; add the one that `ip address show to 192.168.100.0/24` "
            "shows\n",
        missed);
  // A guest network on loopback is a simulation's.
  CHECK(warnings(R"(["127.0.0.1"])", "127.64.0.0/10") == "");
}

TEST_CASE("a reservation is not given up before its time") {
  CHECK(complaints_with({{"monitor_reserve_timeout", "600"}}) == "");
  CHECK(contains(complaints_with({{"monitor_reserve_timeout", "601"}}), "monitor_reserve_timeout: expected"));
  CHECK(contains(complaints_with({{"reserve_timeout_max", "59"}}), "reserve_timeout_max: expected"));
  CHECK(complaints_with({{"reserve_timeout_max", "60"}}) == "");
}

TEST_CASE("guests without a filter and a token without encryption are warnings") {
  CHECK(warnings_of(top() + profile("linux")) == "");
  CHECK(
      contains(warnings_of(top({{"guest_filter", R"("")"}}) + profile("linux")), "guest_filter: no filter"));
  const auto warnings = [](const std::string& url) {
    return warnings_of(top({{"github_api_url", '"' + url + '"'}}) + profile("linux"));
  };
  CHECK(contains(warnings("http://ghe.example.org/api/v3"), "github_api_url: not https"));
  CHECK(contains(warnings("http://192.168.100.1:9000"), "github_api_url: not https"));
  CHECK(warnings("http://127.0.0.1:9000/") == "");
  CHECK(warnings("http://localhost:9000") == "");
  CHECK(warnings("https://ghe.example.org") == "");
}

TEST_CASE("a template made by hand does not bear the name of a guest that is made and destroyed here") {
  CHECK(profile_complaints_with({{"template", R"("ci-template-linux")"}}) == "");
  CHECK(profile_complaints_with({{"template", R"("ci-runners")"}}) == "");
  CHECK(contains(profile_complaints_with({{"template", R"("ci-runner-linux.7")"}}),
                 "profiles.linux.template: expected"));
  CHECK(contains(profile_complaints_with({{"template", R"("ci-rebuild-linux@x")"}}),
                 "profiles.linux.template: expected"));
}

TEST_CASE("a CD-ROM does not take the place of the image's disk") {
  const auto image = [](const std::string& device) {
    return to_string(load_text(top() + profile("linux", {{"target_count", "0"}}) +
                               "[profiles.linux.image]\ntarget_device = \"sda\"\ncdroms = { " + device +
                               " = \"x.iso\" }\n")
                         .complaints);
  };
  CHECK(image("sdb") == "");
  CHECK(
      contains(image("sda"), "profiles.linux.image.cdroms: expected devices other than target_device (sda)"));
}

TEST_CASE("a blank disk needs a size") {
  const auto image = [](const std::string& size) {
    return complaints_of(top() + profile("linux") + "[profiles.linux.image]\nbegins_with = \"blank\"\n" +
                         size);
  };
  CHECK(image("size = \"1B\"\n") == "");
  CHECK(contains(image("size = \"0B\"\n"), "profiles.linux.image.size: expected the size"));
  CHECK(contains(image(""), "profiles.linux.image.size: expected the size"));
}

TEST_CASE("files that images are made of need their folder") {
  const auto image = [](const std::string& line, const std::string& folder) {
    auto environment = secrets();
    environment["IMAGE_DEPS_DIR"] = folder;
    return to_string(
        load_text(top() + profile("linux") + "[profiles.linux.image]\n" + line + "\n", environment)
            .complaints);
  };
  for (const auto* line : {R"(begins_with = { file = "jammy.img" })", R"(cdroms = { sdb = "x.iso" })"}) {
    CHECK(image(line, "/srv/deps") == "");
    CHECK(contains(image(line, ""), "expected the variable IMAGE_DEPS_DIR"));
  }
  CHECK(image(R"(begins_with = { guest = "by-hand" })", "") == "");
}

TEST_CASE("a GitHub App takes all three keys, and no token") {
  const Values whole{{"github_app_id", R"("Iv23liABC")"},
                     {"github_app_installation_id", "5000000001"},
                     {"github_app_private_key_file", R"("/etc/app.pem")"}};
  const auto without_token = Environment{{"SERVO_CI_MONITOR_API_TOKEN", "0123456789abcdef"}};
  const auto text = top(whole) + profile("linux");
  const auto settings = settings_of(text, without_token);
  CHECK(settings.github_app());
  CHECK(settings.github_app_installation_id == 5'000'000'001);
  CHECK(contains(warnings_of(text), "github_app_id: GITHUB_TOKEN is not used beside a GitHub App"));
  for (const auto& part : whole) {
    const auto& key = part.first; // a structured binding can't be captured
    auto less = whole;
    less[key] = "";
    CHECK_MESSAGE(contains(complaints_of(top(less) + profile("linux")),
                           key + ": expected a value: a GitHub App needs its id, installation and private key"),
                  key);
  }
  CHECK(contains(complaints_with({{"github_app_private_key_file", R"("app.pem")"}}), "expected an absolute path"));
}
