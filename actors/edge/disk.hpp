#pragma once
/// Files of disks: cloned, and deleted. Blocking.

#include "actors/domain/guest.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>
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
  /// Only blocks were to be shared, and the file system can't.
  bool unshared = false;
  explicit operator bool() const { return error.empty(); }
};

/// Clones a regular file. It is written as `.<name>.part` beside the target (one that a crash left is
/// replaced), mode 0600, brought to disk, and renamed. The target's folder is made (mode 0711) where it is
/// missing; its parent is not. Gives up soon after `stop` became true.
CloneResult clone_file(const std::filesystem::path& from, const std::filesystem::path& to,
                       const std::atomic<bool>* stop = nullptr);

/// What clone_disk() made.
struct DiskResult {
  enum class Way { shared, overlaid, copied, kept };
  Way way = Way::kept;
  domain::ClonedDisk disk;
  /// Why it is no overlay although it may be one; empty where that was not tried, or done.
  std::string no_overlay;
  std::string error;
  explicit operator bool() const { return error.empty(); }
};

/// Makes a runner's disk as clone_file() does, but lays a qcow2 overlay over the source, named `<to>.qcow2`,
/// where the order allows that and the file system can't share blocks. So a file's name tells its format, and
/// nobody has to look into one. Without qemu-img, or where that fails, it is a copy.
DiskResult clone_disk(const domain::CloneOrder&, const std::atomic<bool>* stop = nullptr);

/// Whether files in that folder, which must exist, can share their blocks.
bool shares_blocks(const std::filesystem::path& folder);

/// Makes one of the folders that hold disks: mode 0711, whatever the umask. Returns 0, or an error number: EEXIST where
/// something of that name is there, which is left as it is.
int make_passable_folder(const std::filesystem::path& folder);

/// Deletes the folder's files whose names begin with the prefix, and those unfinished clones that would have
/// been such, durably. The prefix is `<digits>-`; anything else is refused. A link is deleted, never what it leads to;
/// a folder is left alone, and an error. A missing folder is fine. Returns an error or an empty text.
std::string erase_files(const std::filesystem::path& folder, const std::string& prefix);

/// Why there is too little space where the file `path` would be made: empty where at least `least` bytes are
/// free.
std::string lack_of_space(const std::string& path, std::int64_t least);

} // namespace ci::edge
