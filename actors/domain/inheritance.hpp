#pragma once
/// What an older monitor left in the data folder and beside the images, as values. Read at start under
/// `--adopt`.

#include "actors/domain/types.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>

namespace ci::domain {

/// What the folder `runners/<id>/` tells of a runner.
struct InheritedRunner {
  /// Secret. Empty where the folder holds none.
  std::string jit_config;
  /// Of the registration that the config is for; none and empty where the file does not say.
  std::optional<RegistrationId> registration_id;
  std::string registration_name;
  std::optional<Time> created_at;
};

struct Inheritance {
  /// By the number that names the folder.
  std::map<RunnerId, InheritedRunner> runners;
  /// By profile: the snapshot that the link `profiles/<key>/snapshot` names.
  std::map<std::string, std::string> current_snapshots;
  /// Ids of the files `<images_path>/runner/<id>-<file>`.
  std::set<RunnerId> disks;
  /// By profile: snapshots of the files `<images_path>/base/<profile>/<file>@<snapshot>`.
  std::map<std::string, std::set<std::string>> image_files;
};

/// Which of an older monitor's files in `runners/<id>/` may go: what they told is durable.
struct InheritedFiles {
  /// Only folders of ids below this: what an older monitor makes later is left alone.
  RunnerId below = 0;
  /// Of these only the files whose contents were taken over; everything else goes with its folder.
  std::set<RunnerId> living;
  /// Of guests and registrations that only look ours: left alone.
  std::set<RunnerId> others;
};

} // namespace ci::domain
