#include "actors/edge/disk.hpp"

#include "actors/edge/command.hpp"
#include "actors/edge/descriptor.hpp"

#include <filesystem>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ci::edge {
namespace {

constexpr std::size_t piece = std::size_t{1} << 20;
constexpr mode_t disk_mode = 0600;
constexpr std::chrono::seconds overlay_patience{60}; ///< it takes some 20 ms

std::string trouble(const std::string& what) { return what + ": " + std::strerror(errno); }

/// Copies [begin, end) of the source to the same place.
std::string copy_range(int from, int to, off_t begin, off_t end, std::vector<char>& buffer,
                       const std::atomic<bool>* stop) {
  while (begin < end) {
    if (stop && *stop)
      return "copying was interrupted";
    auto got = ::pread(from, buffer.data(), std::min<std::size_t>(buffer.size(), end - begin), begin);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return trouble("reading");
    if (got == 0)
      return "reading: the source shrank while it was copied";
    for (ssize_t done = 0; done < got;) {
      auto put = ::pwrite(to, buffer.data() + done, got - done, begin + done);
      if (put < 0 && errno != EINTR)
        return trouble("writing");
      done += std::max<ssize_t>(put, 0);
    }
    begin += got;
  }
  return {};
}

/// Copies what is data; holes stay holes.
std::string copy_sparse(int from, int to, off_t size, const std::atomic<bool>* stop) {
  if (::ftruncate(to, size) < 0)
    return trouble("sizing");
  std::vector<char> buffer(piece);
  for (off_t end = 0; end < size;) {
    auto begin = ::lseek(from, end, SEEK_DATA);
    if (begin < 0 && errno == ENXIO)
      break; // only a hole is left
    if (begin < 0)
      return trouble("seeking data");
    end = ::lseek(from, begin, SEEK_HOLE);
    if (end < 0)
      return trouble("seeking a hole");
    if (auto error = copy_range(from, to, begin, end, buffer, stop); !error.empty())
      return error;
  }
  return {};
}

/// What to do where the file system can't share blocks.
enum class Unshared { copy, refuse };

/// Fills the new file and brings it to disk.
CloneResult fill(int from, int to, Unshared unshared, const std::atomic<bool>* stop) {
  CloneResult result;
  struct stat source {};
  if (::fstat(from, &source) < 0)
    result.error = trouble("looking at the source");
  else if (!S_ISREG(source.st_mode))
    result.error = "the source is no regular file";
  else if (::fchmod(to, disk_mode) < 0)
    result.error = trouble("setting the mode");
  else if (::ioctl(to, FICLONE, from) == 0)
    result.way = CloneResult::Way::shared;
  else if (unshared == Unshared::refuse) {
    result.error = trouble("sharing blocks");
    result.unshared = true;
  } else {
    result.way = CloneResult::Way::copied;
    result.error = copy_sparse(from, to, source.st_size, stop);
  }
  if (result && ::fsync(to) < 0)
    result.error = trouble("syncing");
  return result;
}

std::string ensure_folder(const std::filesystem::path& folder) {
  errno = make_passable_folder(folder);
  return errno == 0 || errno == EEXIST ? "" : trouble("making the folder");
}

std::string part_of(const std::string& name) { return "." + name + ".part"; }

CloneResult clone_into(int folder, int from, const std::string& name, Unshared unshared,
                       const std::atomic<bool>* stop) {
  auto part = part_of(name);
  ::unlinkat(folder, part.c_str(), 0);
  Descriptor to(
      ::openat(folder, part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, disk_mode));
  if (!to)
    return {CloneResult::Way::copied, trouble("creating the file")};
  auto result = fill(from, to.get(), unshared, stop);
  if (result && ::renameat(folder, part.c_str(), folder, name.c_str()) < 0)
    result.error = trouble("renaming");
  if (!result)
    ::unlinkat(folder, part.c_str(), 0);
  else if (::fsync(folder) < 0)
    result.error = trouble("syncing the folder");
  return result;
}

CloneResult clone_checked(const std::filesystem::path& from, const std::filesystem::path& to,
                          Unshared unshared, const std::atomic<bool>* stop) {
  auto name = to.filename().string();
  if (name.empty() || name == "." || name == ".." || !to.has_parent_path())
    return {CloneResult::Way::kept, "no name for a file"};
  if (auto error = ensure_folder(to.parent_path()); !error.empty())
    return {CloneResult::Way::kept, error};
  Descriptor folder(::open(to.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder)
    return {CloneResult::Way::kept, trouble("opening the folder")};
  struct stat present {};
  if (::fstatat(folder.get(), name.c_str(), &present, AT_SYMLINK_NOFOLLOW) == 0)
    return {CloneResult::Way::kept,
            S_ISREG(present.st_mode) ? "" : "something that is no file is in the way"};
  // Not to be held up by a FIFO of that name.
  Descriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!source)
    return {CloneResult::Way::kept, trouble("opening the source")};
  return clone_into(folder.get(), source.get(), name, unshared, stop);
}

DiskResult::Way way_of(const CloneResult& cloned) {
  switch (cloned.way) {
  case CloneResult::Way::shared:
    return DiskResult::Way::shared;
  case CloneResult::Way::copied:
    return DiskResult::Way::copied;
  case CloneResult::Way::kept:
    break;
  }
  return DiskResult::Way::kept;
}

/// Makes an empty overlay under that name; its folder is there. Returns why there is none, or an empty text.
std::string lay_over(const domain::CloneOrder& order, const std::filesystem::path& overlay,
                     const std::atomic<bool>* stop) {
  auto part = overlay.parent_path() / part_of(overlay.filename().string());
  ::unlink(part.c_str());
  // Made here for its mode: qemu-img writes into what is there.
  Descriptor file(::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, disk_mode));
  if (!file)
    return trouble("creating " + part.string());
  auto error = run_command(
      {"qemu-img", "create", "-q", "-f", "qcow2", "-F", order.format, "-b", order.from, part.string()},
      overlay_patience, stop, true);
  if (error.empty() && ::fsync(file.get()) < 0)
    error = trouble("syncing " + part.string());
  if (error.empty() && ::rename(part.c_str(), overlay.c_str()) < 0)
    error = trouble("renaming " + part.string());
  if (!error.empty()) {
    ::unlink(part.c_str());
    return error;
  }
  Descriptor folder(::open(overlay.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return folder && ::fsync(folder.get()) == 0 ? "" : trouble("syncing the folder");
}

bool is_id_prefix(std::string_view prefix) {
  return prefix.size() >= 2 && prefix.size() <= 20 && prefix.back() == '-' &&
         std::all_of(prefix.begin(), prefix.end() - 1, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_of(std::string_view name, std::string_view prefix) {
  constexpr std::string_view unfinished = ".part";
  return name.starts_with(prefix) ||
         (name.starts_with('.') && name.substr(1).starts_with(prefix) && name.ends_with(unfinished));
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

} // namespace

CloneResult clone_file(const std::filesystem::path& from, const std::filesystem::path& to,
                       const std::atomic<bool>* stop) {
  auto result = clone_checked(from, to, Unshared::copy, stop);
  if (!result)
    result.error = "cloning " + from.string() + " to " + to.string() + ": " + result.error;
  return result;
}

DiskResult clone_disk(const domain::CloneOrder& order, const std::atomic<bool>* stop) {
  const std::filesystem::path overlay = order.to + ".qcow2";
  DiskResult result;
  auto whole = [&](const CloneResult& cloned) {
    result.way = way_of(cloned);
    result.error = cloned ? "" : "cloning " + order.from + " to " + order.to + ": " + cloned.error;
    result.disk = {order.to, order.format, "", ""};
  };
  auto overlaid = [&](DiskResult::Way way) {
    result.way = way;
    result.disk = {overlay.string(), "qcow2", order.from, order.format};
  };
  if (std::filesystem::is_regular_file(std::filesystem::symlink_status(overlay))) {
    overlaid(DiskResult::Way::kept);
    return result;
  }
  if (!order.may_overlay) {
    whole(clone_checked(order.from, order.to, Unshared::copy, stop));
    return result;
  }
  auto shared = clone_checked(order.from, order.to, Unshared::refuse, stop);
  if (!shared.unshared) {
    whole(shared);
    return result;
  }
  result.no_overlay = lay_over(order, overlay, stop);
  if (result.no_overlay.empty())
    overlaid(DiskResult::Way::overlaid);
  else
    whole(clone_checked(order.from, order.to, Unshared::copy, stop));
  return result;
}

bool shares_blocks(const std::filesystem::path& folder) {
  Descriptor one(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, disk_mode));
  Descriptor two(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, disk_mode));
  return one && two && ::ftruncate(one.get(), 4096) == 0 && ::ioctl(two.get(), FICLONE, one.get()) == 0;
}

int make_passable_folder(const std::filesystem::path& folder) {
  constexpr mode_t mode = 0711; // QEMU has to pass through, nobody needs to look in
  const bool made = ::mkdir(folder.c_str(), mode) == 0 && ::chmod(folder.c_str(), mode) == 0; // whatever the umask
  return made ? 0 : errno;
}

std::string erase_files(const std::filesystem::path& folder, const std::string& prefix) {
  if (!is_id_prefix(prefix))
    return "refused to delete files by the prefix '" + prefix + "'";
  std::unique_ptr<DIR, CloseFolder> open(::opendir(folder.c_str()));
  if (!open)
    return errno == ENOENT ? "" : trouble("opening " + folder.string());
  std::vector<std::string> names; // reading a folder while deleting from it may skip entries
  while (auto entry = ::readdir(open.get()))
    if (is_of(entry->d_name, prefix))
      names.emplace_back(entry->d_name);
  std::string error;
  for (auto& name : names)
    if (::unlinkat(::dirfd(open.get()), name.c_str(), 0) < 0 && errno != ENOENT)
      error = trouble("deleting " + (folder / name).string());
  // What is told to be gone stays gone: who hears of it forgets the runner. Also what an earlier try deleted.
  if (error.empty() && ::fsync(::dirfd(open.get())) < 0)
    error = trouble("syncing " + folder.string());
  return error;
}

std::string lack_of_space(const std::string& path, std::int64_t least) {
  // The folder may have to be made yet: then its nearest one upwards tells.
  auto folder = std::filesystem::path(path).parent_path();
  std::error_code error;
  while (!std::filesystem::exists(folder, error) && folder.has_relative_path())
    folder = folder.parent_path();
  auto space = std::filesystem::space(folder, error);
  if (error)
    return "free space of " + folder.string() + ": " + error.message();
  if (space.available >= static_cast<std::uintmax_t>(least))
    return {};
  return "only " + std::to_string(space.available >> 20) + " MiB are free in " + folder.string() +
         ", min_free_disk asks for " + std::to_string(least >> 20);
}

} // namespace ci::edge
