#include "config/keys.hpp"
#include "config/text.hpp"

namespace ci::config {

using domain::Policy;
using domain::Prefixes;
using domain::Resources;
using domain::Timings;

KeyGroup<Settings> policy_keys() {
  using S = Settings;
  return {
      "Keeping the pool",
      {
          make_key<S>("monitor_poll_interval", in_timings(&Timings::poll_interval), seconds(),
                      "The longest that the monitor sleeps when nothing happens."),
          make_key<S>("monitor_start_timeout", in_timings(&Timings::start_timeout), seconds(),
                      "A runner that was never seen online is destroyed when it is older."),
          make_key<S>(
              "monitor_lost_timeout", in_timings(&Timings::lost_timeout), seconds(),
              "A runner that was seen online is destroyed after it was offline for so long. GitHub calls "
              "working runners offline, so leave it long."),
          make_key<S>("max_parallel_creates", in_policy(&Policy::max_parallel_creates), integer<int>(1, 256),
                      "Runners being made at once.")
              .at_restart(), // there are as many workers for them
          make_key<S>("destroy_all_non_busy_runners", in_policy(&Policy::destroy_all_non_busy_runners),
                      boolean(),
                      "Empty the host: destroy every runner that is neither busy nor reserved. Implies "
                      "dont_create_runners unless that is set itself."),
          make_key<S>("dont_register_runners", in_policy(&Policy::dont_register_runners), boolean(),
                      "Make guests without registering them at GitHub; GITHUB_TOKEN may then be missing."),
          make_key<S>("dont_create_runners", in_policy(&Policy::dont_create_runners), boolean(),
                      "Make no new runners."),
          make_key<S>("log_level", &S::log_level, word_of({"trace", "debug", "info", "warn", "error"}),
                      "The least that is logged."),
      }};
}

KeyGroup<Settings> host_keys() {
  using S = Settings;
  return {"Host budget",
          {
              make_key<S>("available_1g_hugepages", in_budget(&Resources::hugepages_1g),
                          integer<std::int64_t>(0, 1'000'000),
                          "Huge pages of 1 GiB that runners may take together.")
                  .required("0"),
              make_key<S>("available_normal_memory", in_budget(&Resources::memory_bytes), size(),
                          "Other memory that runners may take together.")
                  .required(R"("16G")"),
              make_key<S>("images_path", in_policy(&Policy::images_path), absolute_path(),
                          "Where the disks of images and runners are: below base/ and runner/ there.")
                  .at_restart(),
              make_key<S>("min_free_disk", in_policy(&Policy::min_free_disk), size(),
                          "Below so much free space under images_path nothing is created or built."),
          }};
}

KeyGroup<Settings> libvirt_keys() {
  using S = Settings;
  const auto prefix = [] {
    return text(is_name, "letters, digits, dots, dashes and underscores, a letter or digit first");
  };
  const auto filter = [](std::string_view value) { return value.empty() || is_name(value); };
  return {
      "libvirt",
      {
          make_key<S>("libvirt_uri", &S::libvirt_uri,
                      text([](std::string_view uri) { return uri.find(':') != uri.npos; }, "a libvirt URI"),
                      "The hypervisor. Without it, the variable LIBVIRT_DEFAULT_URI counts.")
              .at_restart(),
          make_key<S>("libvirt_template_guest_prefix", in_prefixes(&Prefixes::template_guest), prefix(),
                      "Templates are called <prefix>-<profile>@<time>. Must not be in use by anything else.")
              .at_restart(),
          make_key<S>("libvirt_rebuild_guest_prefix", in_prefixes(&Prefixes::rebuild_guest), prefix(),
                      "Guests that build images are called <prefix>-<profile>@<time>.")
              .at_restart(),
          make_key<S>("libvirt_runner_guest_prefix", in_prefixes(&Prefixes::runner_guest), prefix(),
                      "Runners are called <prefix>-<profile>.<id>.")
              .at_restart(),
          make_key<S>("guest_filter", in_policy(&Policy::guest_filter),
                      text(filter, "the name of a libvirt network filter, or \"\" for none"),
                      "Put on every interface of runners. Without one, a guest can take another's address."),
          make_key<S>(
              "screenshot_interval", &S::screenshot_interval, seconds(),
              "How often a picture of every guest is taken. Follows monitor_poll_interval where it is "
              "not set."),
          make_key<S>(
              "trust_guest_agent", &S::trust_guest_agent, boolean(),
              "Whether an address that only ARP or the guest agent reports may fetch a boot script and a "
              "JIT config. A guest can lie about it.")
              .at_restart(),
      }};
}

KeyGroup<Settings> image_policy_keys() {
  using S = Settings;
  return {"Images",
          {
              make_key<S>(
                  "base_image_max_age", in_timings(&Timings::base_image_max_age), seconds(10 * year_seconds),
                  "An image that is older is built again. GitHub refuses runners older than 30 days."),
              make_key<S>("build_window", in_policy(&Policy::build_window), daily_window(),
                          "When builds may start, each day. May pass midnight."),
              make_key<S>(
                  "profiles_path", &S::profiles_path,
                  text([](std::string_view path) { return !path.empty(); }, "a path"),
                  "The folder with one folder a profile: guest.xml, boot-script, image.toml and so on. "
                  "Where it is not set: profiles below the variable LIB_MONITOR_DIR (default: the working "
                  "folder).")
                  .at_restart(),
              make_key<S>("main_repo_path", &S::main_repo_path, any_text("a path"),
                          "A git checkout that guests clone from, served at /cache/servo/. Empty: none.")
                  .at_restart(),
              make_key<S>(
                  "dont_update_cached_servo_repo", &S::dont_update_cached_servo_repo, boolean(),
                  "Leave that checkout as it is; else it is brought to origin/main before images are built."),
          }};
}

} // namespace ci::config
