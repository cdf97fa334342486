#pragma once
/// The folders of an older monitor: read for `--adopt`, cleaned up afterwards, and what it needs to take over
/// again.

#include "actors/domain/inheritance.hpp"

#include <filesystem>
#include <string>

namespace ci::edge {

/// What is to be found under `<data>/runners`, `<data>/profiles`, `<images>/runner` and `<images>/base`.
/// Folders that are not there hold nothing; a file that is not as it should be tells nothing. Throws
/// StoreError where a folder can't be read: what was overlooked would be nobody's.
domain::Inheritance read_inheritance(const std::filesystem::path& data, const std::filesystem::path& images);

struct Forgotten {
  /// Nothing is left to delete.
  bool all = false;
  /// What could not be deleted, and why; for people.
  std::string error;
};
/// Deletes an older monitor's files in `<data>/runners/<id>/`, of so many runners at once that nobody waits
/// long. Links are deleted, not followed.
Forgotten forget_inherited(const std::filesystem::path& data, const domain::InheritedFiles&);

/// Points `<data>/profiles/<profile>/snapshot` at the snapshot, atomically. Returns why that failed; else
/// empty.
std::string link_snapshot(const std::filesystem::path& data, const std::string& profile,
                          const std::string& snapshot);

} // namespace ci::edge
