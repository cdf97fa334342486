#pragma once
/// The folder of images and runners' disks: who may use it.

#include "actors/edge/descriptor.hpp"

#include <filesystem>
#include <functional>
#include <string>

namespace ci::edge {

/// Keeps every other monitor out of a folder of images, from construction to destruction or the process's end: with data
/// of its own that one would spend the same budget, and delete the disks of ours as nobody's. The lock is on the folder
/// itself, and the kernel drops it with the process. Any thread.
class ImagesFolder {
 public:
  /// Makes the folder (mode 0711) and those above it where they are missing. Throws StoreError: in use, or it can't be
  /// made or opened. `warn` is told where the file system knows no such locks: nobody is kept out then.
  ImagesFolder(const std::filesystem::path& path, const std::function<void(const std::string&)>& warn);

 private:
  Descriptor folder_;
};

} // namespace ci::edge
