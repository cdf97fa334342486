#include "actors/edge/disk.hpp"

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
constexpr mode_t folder_mode = 0711; ///< QEMU has to pass through, nobody needs to look in
constexpr mode_t disk_mode = 0600;

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

/// Fills the new file and brings it to disk.
CloneResult fill(int from, int to, const std::atomic<bool>* stop) {
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
  else {
    result.way = CloneResult::Way::copied;
    result.error = copy_sparse(from, to, source.st_size, stop);
  }
  if (result && ::fsync(to) < 0)
    result.error = trouble("syncing");
  return result;
}

std::string ensure_folder(const std::filesystem::path& folder) {
  if (::mkdir(folder.c_str(), folder_mode) == 0)
    return ::chmod(folder.c_str(), folder_mode) == 0 ? "" : trouble("setting the mode"); // whatever the umask
  return errno == EEXIST ? "" : trouble("making the folder");
}

CloneResult clone_into(int folder, int from, const std::string& name, const std::atomic<bool>* stop) {
  auto part = "." + name + ".part";
  ::unlinkat(folder, part.c_str(), 0);
  Descriptor to(
      ::openat(folder, part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, disk_mode));
  if (!to)
    return {CloneResult::Way::copied, trouble("creating the file")};
  auto result = fill(from, to.get(), stop);
  if (result && ::renameat(folder, part.c_str(), folder, name.c_str()) < 0)
    result.error = trouble("renaming");
  if (!result)
    ::unlinkat(folder, part.c_str(), 0);
  else if (::fsync(folder) < 0)
    result.error = trouble("syncing the folder");
  return result;
}

CloneResult clone_checked(const std::filesystem::path& from, const std::filesystem::path& to,
                          const std::atomic<bool>* stop) {
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
  return clone_into(folder.get(), source.get(), name, stop);
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
  auto result = clone_checked(from, to, stop);
  if (!result)
    result.error = "cloning " + from.string() + " to " + to.string() + ": " + result.error;
  return result;
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
