#pragma once
/// An image: what the store keeps of it, and what is ordered of it.

#include "actors/domain/policy.hpp"
#include "actors/domain/types.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ci::domain {

/// Where an image stands between its durable order and its end.
enum class ImagePhase {
  building,   ///< its files and its rebuild guest are being made, or the guest runs
  sealing,    ///< built well; the rebuild guest is being renamed to the template
  trial,      ///< a template; the first runner made from it has to come online
  ready,      ///< switched to: new runners are made from the newest of these
  discarding, ///< to be deleted with its guest and its files, once nothing depends on it
};
const char* to_string(ImagePhase);

/// What the store keeps of one image. Committed before the things it names exist.
struct ImageRecord {
  std::string profile;
  /// When its build was ordered; also its name. See snapshot_name().
  std::string snapshot;
  std::string rebuild_guest;
  /// The name that the rebuild guest gets when it is sealed. Tells one image from every other one.
  std::string template_guest;
  std::string uuid;
  std::string mac;
  /// Target device of the disk that is the image's.
  std::string disk_target;
  /// Of the profile's folder and image table, as they were when it was ordered; empty: not known.
  std::string fingerprint;
  /// What it holds of the host, as noted when it was ordered; nothing once its trial runner holds that.
  Resources held;
  ImagePhase phase = ImagePhase::building;
  Time ordered_at{};
  /// The runner that has to come online; 0: there is none (yet).
  RunnerId trial_runner = 0;
  /// Why it is discarded; empty where it is not.
  std::string reason;

  friend bool operator==(const ImageRecord&, const ImageRecord&) = default;
};

/// Everything needed to make, seal or delete one image.
struct ImageSpec {
  std::string rebuild_guest;
  std::string template_guest;
  std::string uuid;
  std::string mac;
  std::string disk_target;
  /// `<images_path>/base/<profile>`; the files there are `{base.img,config.iso,nvram.fd}@<snapshot>`.
  std::string folder;
  std::string snapshot;
  /// libvirt network filter for each interface; empty: none.
  std::string filter;
  /// Where files of the recipe are looked for.
  std::string deps_folder;
  ImageRecipe recipe;
  /// Null where the profile's folder holds nothing; then nothing can be made, only sealed or deleted.
  std::shared_ptr<const ImageSources> sources;

  std::string disk_file() const { return folder + "/base.img@" + snapshot; }
  std::string nvram_file() const { return folder + "/nvram.fd@" + snapshot; }
  std::string config_file() const { return folder + "/config.iso@" + snapshot; }
};

/// How the file of an image's disk is made.
struct DiskOrder {
  std::string path;
  /// What it begins as a copy of; empty: blank.
  std::string from;
  /// Size of a raw disk; 0: that of `from`. Never smaller than that.
  std::int64_t size_bytes = 0;
};

/// A CD-ROM image that holds a few small files.
struct IsoOrder {
  std::string path;
  std::string label;
  std::vector<std::pair<std::string, std::string>> files; ///< name, contents
};

} // namespace ci::domain
