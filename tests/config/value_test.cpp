/// Each type of value: good ones, bad ones and those at the limits.
#include "tests/config/support.hpp"

using namespace ci::config;
using namespace ci::config::tests;
using ci::domain::Duration;

namespace {

/// Each good text is taken and each bad one is refused in the name of the key.
void check_values(const std::string& key, const std::vector<std::string>& good,
                  const std::vector<std::string>& bad) {
  for (const auto& text : good)
    CHECK_MESSAGE(complaints_with({{key, text}}) == "", key << " = " << text);
  for (const auto& text : bad)
    CHECK_MESSAGE(contains(complaints_with({{key, text}}), ": " + key + ": expected "), key << " = " << text);
}
void check_profile_values(const std::string& key, const std::vector<std::string>& good,
                          const std::vector<std::string>& bad) {
  for (const auto& text : good)
    CHECK_MESSAGE(profile_complaints_with({{key, text}}) == "", key << " = " << text);
  for (const auto& text : bad)
    CHECK_MESSAGE(contains(profile_complaints_with({{key, text}}), ": profiles.linux." + key + ": expected "),
                  key << " = " << text);
}
void check_image_values(const std::string& key, const std::vector<std::string>& good,
                        const std::vector<std::string>& bad) {
  const auto complaints = [&](const std::string& text) {
    auto environment = secrets();
    environment["IMAGE_DEPS_DIR"] = "/srv/deps";
    return to_string(load_text(top() + profile("linux") + "[profiles.linux.image]\nsize = \"1G\"\n" + key +
                                   " = " + text + "\n",
                               environment)
                         .complaints);
  };
  for (const auto& text : good)
    CHECK_MESSAGE(complaints(text) == "", key << " = " << text);
  for (const auto& text : bad)
    CHECK_MESSAGE(contains(complaints(text), ": profiles.linux.image." + key + ": expected "),
                  key << " = " << text);
}

} // namespace

TEST_CASE("seconds are integers or floats, more than nothing and at most a year") {
  check_values(
      "monitor_poll_interval", {"5", "0.25", "0.001", "31_536_000"},
      {"0", "0.0", "-1", "-0.5", "0.0004", "nan", "inf", "-inf", "31536001", "\"5\"", "true", "[5]"});
  CHECK(settings_with({{"monitor_poll_interval", "0.25"}}).policy.timings.poll_interval == Duration{250});
  CHECK(settings_with({{"monitor_poll_interval", "31536000"}}).policy.timings.poll_interval ==
        Duration{31'536'000'000});
}

TEST_CASE("sizes are texts with a unit") {
  check_values("min_free_disk", {R"("10G")", R"("0B")", R"("1 T")"},
               {"10", R"("10")", R"("ten")", R"("-1G")", R"("8192P")"});
  check_values("max_artifact_size", {R"("1K")", R"("64M")"}, {R"("1023B")", R"("65M")"});
}

TEST_CASE("numbers stay within their ranges") {
  check_values("port", {"0", "65535"}, {"-1", "65536", "80.0", "\"80\"", "true"});
  check_values("github_max_in_flight", {"1", "100"}, {"0", "101"});
  check_values("github_runner_group_id", {"1", "2147483647"}, {"0", "2147483648"});
  check_values("max_parallel_creates", {"1", "256"}, {"0", "257"});
  check_values("max_deciding_takes", {"1", "100000"}, {"0", "100001"});
  check_values("max_take_count", {"1", "1000"}, {"0", "1001"});
  check_values("max_tokenless_count", {"1", "1000"}, {"0", "1001"});
  check_values("max_runners_per_run", {"1", "10000"}, {"0", "10001"});
  check_values("max_connections_per_source", {"1", "100000"}, {"0", "100001"});
  check_values("tokenless_selects_per_minute", {"0", "100000"}, {"-1", "100001"});
  check_values("screenshots_now_per_minute", {"0", "100000"}, {"-1", "100001"});
  check_values("tokenless_github_calls_per_minute", {"1", "5000"}, {"0", "5001"});
  check_profile_values("target_count", {"0", "64"}, {"-1", "10001", "1.0"});
  check_profile_values("requires_1g_hugepages", {"0", "96"}, {"-1", "1000001"});
}

TEST_CASE("switches are true or false") {
  check_values("queue_member", {"true", "false"}, {"1", "\"true\"", "[]"});
}

TEST_CASE("addresses to listen on are a list of at least one, each once") {
  check_values(
      "listen_on", {R"(["127.0.0.1"])", R"(["::1", "192.168.100.1"])", R"(["::", "0.0.0.0"])"},
      {R"("127.0.0.1")", "[]", R"(["localhost"])", R"(["127.0.0.1:80"])", R"(["::1", "0:0::1"])", "[1]"});
  const auto settings = settings_with({{"listen_on", R"(["::1", "192.168.100.1"])"}});
  REQUIRE(settings.listen_on.size() == 2);
  CHECK(to_string(settings.listen_on[1]) == "192.168.100.1");
}

TEST_CASE("trusted proxies are addresses or networks of either family") {
  check_values("trusted_proxies", {"[]", R"(["127.0.0.1", "::1"])", R"(["10.0.0.0/8", "2001:db8::/32"])"},
               {R"("127.0.0.1")", R"(["10.0.0.0/33"])", R"(["proxy"])", "[10]"});
}

TEST_CASE("the guests' network is an IPv4 network") {
  check_values("guest_network", {R"("192.168.100.0/24")", R"("127.64.0.0/10")", R"("10.0.0.7")"},
               {R"("2001:db8::/32")", R"("192.168.100.0/33")", R"("0.0.0.0/0")", R"("guests")", "[]"});
}

TEST_CASE("the external base URL ends in a slash") {
  check_values("external_base_url", {R"("http://[::1]:8000/")", R"("https://ci0.example.org/monitor/")"},
               {R"("https://ci0.example.org")", R"("ci0.example.org/")", R"("ftp://ci0.example.org/")",
                R"("http:///")", R"("https://user@example.org/")", R"("https://example.org/?a/")",
                R"("https://example.org/a b/")", R"("")", "8"});
}

TEST_CASE("GitHub's API is a URL, kept without slashes at its end") {
  check_values("github_api_url", {R"("https://api.github.com")", R"("http://127.0.0.1:9000/")"},
               {R"("api.github.com")", R"("")", R"("https://")", R"("///")"});
  CHECK(settings_with({{"github_api_url", R"("https://ghe.example.org/api/v3//")"}}).github_api_url ==
        "https://ghe.example.org/api/v3");
}

TEST_CASE("the scope is a repository or an organization") {
  check_values("github_api_scope", {R"("/repos/octo-org/octo.repo_1")", R"("/orgs/octo-org")"},
               {R"("/repos/octo-org")", R"("/repos/octo-org/")", R"("/repos/octo-org/a/b")", R"("repos/o/r")",
                R"("/orgs/")", R"("/orgs/o/r")", R"("/orgs/-o")", R"("/users/o")", R"("/repos/o/..")",
                R"("/repos/o/r?")"});
  const auto repository = settings_with({}).github_api_scope;
  CHECK(repository.owner == "octo-org");
  CHECK(repository.repository == "octo-repo");
  CHECK(repository.path() == "/repos/octo-org/octo-repo");
  const auto organization = settings_with({{"github_api_scope", R"("/orgs/octo-org")"}}).github_api_scope;
  CHECK(!organization.repository);
  CHECK(organization.path() == "/orgs/octo-org");
}

TEST_CASE("the allowed prefix names a whole owner") {
  check_values("allowed_qualified_repo_prefix", {R"("octo-org/")", R"("octo-org/octo-")"},
               {R"("octo-org")", R"("/")", R"("")", R"("octo-org/a/b")", R"("-octo/")", R"("octo--org/")"});
}

TEST_CASE("a request waits at most ten minutes for either: HTTP's own time-out is longer than both") {
  for (const auto* key : {"monitor_thread_send_timeout", "monitor_thread_recv_timeout"}) {
    CHECK(complaints_with({{key, "600"}}) == "");
    CHECK(contains(complaints_with({{key, "600.1"}}), "at most 600"));
  }
}

TEST_CASE("an owner has at most 39 characters and a repository's beginning at most 100") {
  const std::string owner(39, 'o'), repository(100, 'r');
  check_values("allowed_qualified_repo_prefix", {'"' + owner + "/\"", "\"o/" + repository + '"'},
               {'"' + owner + "o/\"", "\"o/" + repository + "r\""});
}

TEST_CASE("prefixes and the suffix are names") {
  check_values("github_api_suffix", {R"("ci0")", R"("ci-0.example_org")"},
               {R"("")", R"("ci@0")", R"("-ci")", R"("a b")"});
  check_values("libvirt_runner_guest_prefix", {R"("ci-runner")", R"("x")"},
               {R"("")", R"("a/b")", R"(".ci")"});
  check_values("artifact_name_prefix", {R"("servo-ci-runners_")"},
               {R"("")", R"("a/b")", '"' + std::string(101, 'a') + '"'});
}

TEST_CASE("the guests' filter is a name or nothing") {
  check_values("guest_filter", {R"("clean-traffic")", R"("")"}, {R"("a'b")", "false"});
}

TEST_CASE("the level of the log is one of five words") {
  check_values("log_level", {R"("trace")", R"("error")"}, {R"("verbose")", R"("INFO")", R"("")"});
}

TEST_CASE("the libvirt URI has a scheme, and paths of images are absolute") {
  check_values("libvirt_uri", {R"("test:///default")", R"("qemu+unix:///system?socket=/run/x")"},
               {R"("")", R"("qemu")"});
  check_values("images_path", {R"("/srv/images")"}, {R"("images")", R"("")"});
  check_values("profiles_path", {R"("profiles")"}, {R"("")", "7"});
}

TEST_CASE("a build window is two different times of day, or nothing") {
  check_values("build_window", {R"("")", R"("22:00-06:00")", R"("00:00-23:59")"},
               {R"("22:00")", R"("24:00-06:00")", R"("22:60-23:00")", R"("06:00-06:00")", R"("6:00-7:00")",
                R"("22.00-06.00")", R"("-1:00-06:00")"});
  CHECK(!settings_with({}).policy.build_window);
  const auto window = settings_with({{"build_window", R"("22:00-06:00")"}}).policy.build_window;
  REQUIRE(window);
  CHECK(window->contains(22 * 60));
  CHECK(window->contains(0));
  CHECK(window->contains(6 * 60 - 1));
  CHECK(!window->contains(6 * 60));
  CHECK(!window->contains(22 * 60 - 1));
}

TEST_CASE("a label is what GitHub takes and is no reservation's") {
  check_profile_values("github_runner_label",
                       {R"("linux")", '"' + std::string(256, 'x') + '"', R"("reserved")"},
                       {R"("")", '"' + std::string(257, 'x') + '"', R"("a,b")", R"(" a")",
                        R"("reserved-for:1")", R"("Reserved-By:x")", R"("reserved-since:")", R"("a\nb")"});
}

TEST_CASE("who may select without a token is one of three words") {
  check_profile_values("tokenless", {R"("all")", R"("same-repo")", R"("none")"}, {R"("some")", "true"});
}

TEST_CASE("an image begins with nothing, a file or a guest") {
  check_image_values(
      "begins_with", {R"("blank")", R"({ file = "jammy.img" })", R"({ guest = "by-hand" })", R"("")"},
      {R"("file")", R"({ file = "../jammy.img" })", R"({ file = "/jammy.img" })", R"({ guest = "" })",
       R"({ file = "a", guest = "b" })", "{}", R"({ url = "x" })", "{ file = 1 }"});
}

TEST_CASE("CD-ROM images are files below a folder, by device") {
  check_image_values("cdroms",
                     {"{}", R"({ sdb = "virtio-win.iso" })", R"({ sdb = "a/b.iso", sdc = "c.iso" })"},
                     {R"({ sdb = "../x.iso" })", R"({ sdb = "a//b.iso" })", R"({ sdb = "./x.iso" })",
                      R"({ sdb = 1 })", R"({ "s/b" = "x.iso" })", R"(["x.iso"])"});
}

TEST_CASE("the rest of an image's keys are checked, too") {
  check_image_values("target_device", {R"("vda")", R"("")"}, {R"("v'a")", "1"});
  check_image_values("work_folder", {R"("_work")", R"('C:\a')"}, {R"("")", "1"});
  check_image_values("build_timeout", {"3600"}, {"0"});
  check_image_values("allow_overlay", {"true"}, {"\"yes\""});
}

TEST_CASE("no text holds a line break or another control character") {
  check_values("main_repo_path", {R"("/srv/servo")", R"("")"},
               {R"("/srv\nX")", R"("/srv\u0000")", R"("\u007f")"});
}
