#pragma once
/// Files of disks: cloned, and deleted. Blocking.

#include <atomic>
#include <filesystem>
#include <cstdint>
#include <string>

namespace ci::edge {

struct CloneResult {
  enum class Way {
    shared, ///< a reflink: both files share their blocks until one is written
    copied, ///< the data was copied; holes stayed holes
    kept,   ///< the target was there already: it is complete, since it appears under its name at once
  };
  Way way = Way::kept;
  /// Empty: done. Else one line for people, and no file was left.
  std::string error;
  explicit operator bool() const { return error.empty(); }
};

/// Clones a regular file. It is written as `.<name>.part` beside the target (one that a crash left is
/// replaced), mode 0600, brought to disk, and renamed. The target's folder is made (mode 0711) where it is
/// missing; its parent is not. Gives up soon after `stop` became true.
CloneResult clone_file(const std::filesystem::path& from, const std::filesystem::path& to,
                       const std::atomic<bool>* stop = nullptr);

/// Deletes the folder's files whose names begin with the prefix, and those unfinished clones that would have
/// been such. The prefix is `<digits>-`; anything else is refused. A link is deleted, never what it leads to;
/// a folder is left alone, and an error. A missing folder is fine. Returns an error or an empty text.
std::string erase_files(const std::filesystem::path& folder, const std::string& prefix);

/// Why there is too little space where the file `path` would be made: empty where at least `least` bytes are free.
std::string lack_of_space(const std::string& path, std::int64_t least);

} // namespace ci::edge
