#pragma once
/// What the operator wants: profiles, targets, budget, times. Made by config/, published by the policy actor,
/// read by the decisions. Immutable once made.

#include "actors/domain/types.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ci::domain {

/// Who may take a runner of the profile without a token (spec: `tokenless`).
enum class Tokenless { all, same_repo, none };

/// What the disk of a new image begins with.
struct ImageBase {
  enum class Kind {
    unset, ///< nothing was said: the profile can't be built
    blank, ///< an empty disk of `ImageRecipe::size_bytes`
    file,  ///< a file under `IMAGE_DEPS_DIR`; `name` is its path there
    guest, ///< a hand-made libvirt guest, cloned with its disk file and NVRAM; `name` is its name
  };
  Kind kind = Kind::unset;
  std::string name;
  friend bool operator==(const ImageBase&, const ImageBase&) = default;
};

/// How an image of a profile is made (spec: `image.toml`, `[profiles.<key>.image]`). Says nothing for
/// profiles with a hand-made template.
struct ImageRecipe {
  /// Size of the image's disk; 0: that of what it begins with.
  std::int64_t size_bytes = 0;
  ImageBase begins_with;
  /// Further CD-ROM images: target device -> file under `IMAGE_DEPS_DIR`.
  std::map<std::string, std::string> cdroms;
  /// Target device of the CD-ROM that holds the configuration; empty: the first one of guest.xml that is not
  /// among `cdroms`.
  std::string config_cdrom;
  /// A build that has not shut itself down by then has failed.
  Duration build_timeout{7'200'000};
  /// Whether a runner's disk may be a qcow2 overlay where the file system has no reflinks.
  bool allow_overlay = true;
  friend bool operator==(const ImageRecipe&, const ImageRecipe&) = default;
};

/// The files of a profile's folder that an image is made from. A file that is missing is empty.
struct ImageSources {
  std::string guest_xml;
  /// cloud-init NoCloud.
  std::string user_data, meta_data;
  /// Windows.
  std::string autounattend;
};

/// A part of each day, in minutes after midnight UTC, `begin` within and `end` without. Wraps over midnight
/// where `end` is the smaller.
struct DailyWindow {
  int begin = 0;
  int end = 0;
  bool contains(int minute_of_day) const {
    return begin < end ? begin <= minute_of_day && minute_of_day < end
                       : begin <= minute_of_day || minute_of_day < end;
  }
  friend bool operator==(const DailyWindow&, const DailyWindow&) = default;
};

/// One kind of runner.
struct Profile {
  std::string key;
  /// The label that workflows ask for, beside `self-hosted` and `X64`.
  std::string github_runner_label;
  int target_count = 0;
  /// What one runner of this profile takes of the host.
  Resources requires_;
  /// A template guest named by hand; empty: the newest `<template prefix>-<key>@<snapshot>`.
  std::string template_guest;
  /// Target device of the one disk that is cloned for each runner; empty: the first disk of the template.
  std::string disk_target;
  /// GitHub's `work_folder` for the JIT registration.
  std::string work_folder = "_work";
  Tokenless tokenless = Tokenless::all;
  /// Contents served at /boot, byte for byte. Null where a profile with a hand-made template has none.
  std::shared_ptr<const std::string> boot_script;
  ImageRecipe image;
  /// Null where its folder was not read.
  std::shared_ptr<const ImageSources> image_sources;
  /// Changes whenever the folder's files or the image table do; empty where the folder was not read.
  std::string image_fingerprint;

  /// Whether images of it can be made here.
  bool builds_images() const {
    return template_guest.empty() && image.begins_with.kind != ImageBase::Kind::unset;
  }
};

/// Prefixes of libvirt guest names; see names.hpp.
struct Prefixes {
  std::string template_guest = "ci-template";
  std::string rebuild_guest = "ci-rebuild";
  std::string runner_guest = "ci-runner";
  /// What follows the `@` in a registration's name (setting `github_api_suffix`).
  std::string registration_suffix;
};

/// Times that decisions go by. Settings of the same names, in seconds there.
struct Timings {
  Duration poll_interval{5'000};
  Duration api_cache_timeout{30'000};
  Duration start_timeout{120'000};
  Duration lost_timeout{1'800'000};
  Duration reserve_timeout{60'000};
  Duration reserve_timeout_max{600'000};
  Duration idle_confirmation{60'000};
  Duration reserved_confirmation{90'000};
  Duration take_deadline{2'500};
  Duration base_image_max_age{86'400'000};
  Duration policy_override_max_age{21'600'000};
};

/// Everything the decisions need to know of the settings.
struct Policy {
  std::map<std::string, Profile> profiles;
  Prefixes prefixes;
  Timings timings;
  Resources budget;
  std::string images_path = "/var/lib/libvirt/images";
  /// Where recipes' files are looked for (`IMAGE_DEPS_DIR`).
  std::string image_deps_path;
  /// A checkout that is brought up to date before builds; empty: none is.
  std::string repo_to_update;
  /// `guest_filter`: libvirt network filter put on each interface; empty: none.
  std::string guest_filter = "clean-traffic";
  int runner_group_id = 1;
  /// Writes that GitHub is sent in a minute at most.
  int writes_per_minute = 80;
  int max_parallel_creates = 4;
  int max_deciding_takes = 256;
  int max_take_count = 20;
  /// How many live runners one workflow run may hold by selects without a token.
  int max_runners_per_run = 40;
  /// Below so many free bytes under `images_path` nothing is created or built.
  std::int64_t min_free_disk = std::int64_t{10} << 30;
  /// When builds may start; none: at any time.
  std::optional<DailyWindow> build_window;
  bool destroy_all_non_busy_runners = false;
  bool dont_register_runners = false;
  bool dont_create_runners = false;
  bool queue_member = false;
  /// Runners are registered with one unguessable label alone, get a reservation's when they are reserved, and the
  /// usual ones when its job has begun.
  bool exclusive_reservations = false;
};
using PolicyPtr = std::shared_ptr<const Policy>;

} // namespace ci::domain
