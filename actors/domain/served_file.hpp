#pragma once
/// Files that are served, as values.

#include "actors/domain/types.hpp"

#include <cstdint>
#include <string>

namespace ci::domain {

/// Folders of which files are served, each with its own rules.
enum class ServedFolder {
  image_deps, ///< the operator's files for guests; links are followed
  repository, ///< the checkout that guests clone from; no link leads out of it
  pictures,   ///< the last pictures of guests, in the data folder
};

/// One version of a file.
struct FileVersion {
  std::int64_t size = 0; ///< bytes
  Time modified_at{};
  /// A strong validator, with its quotes: another version has another one.
  std::string etag;
};

} // namespace ci::domain
