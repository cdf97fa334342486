#include "actors/edge/image_files.hpp"

#include "actors/domain/names.hpp"
#include "actors/edge/descriptor.hpp"
#include "actors/edge/disk.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ci::edge {
namespace {

namespace fs = std::filesystem;

std::string because(const std::string& what) { return what + ": " + std::strerror(errno); }

std::string make_one_folder(const std::string& folder) {
  errno = make_passable_folder(folder);
  return errno == 0 || errno == EEXIST ? "" : because("making " + folder);
}

/// A file that holds nothing: the growing follows.
std::string make_blank(const std::string& path) {
  int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0)
    return because("making " + path);
  ::close(file);
  return {};
}

/// Runners' overlays read it for as long as it is there, whoever owns it: libvirt gives it to QEMU's user when the first
/// of them starts, and does not take it back.
constexpr mode_t image_mode = 0644;

std::string grow_and_open_up(const std::string& path, std::int64_t size) {
  struct stat now {};
  if (::lstat(path.c_str(), &now) < 0)
    return because("looking at " + path);
  if (!S_ISREG(now.st_mode))
    return path + " is no regular file";
  if (size > now.st_size && ::truncate(path.c_str(), size) < 0)
    return because("growing " + path);
  if ((now.st_mode & 07777) != image_mode && ::chmod(path.c_str(), image_mode) < 0)
    return because("setting the mode of " + path);
  return {};
}

} // namespace

std::string make_image_folder(const std::string& folder) {
  if (auto error = make_one_folder(fs::path(folder).parent_path()); !error.empty())
    return error;
  return make_one_folder(folder);
}

std::string make_image_disk(const domain::DiskOrder& order, const std::atomic<bool>* stop) {
  if (order.from.empty()) {
    if (auto error = make_blank(order.path); !error.empty())
      return error;
  } else if (auto result = clone_file(order.from, order.path, stop); !result)
    return result.error;
  return grow_and_open_up(order.path, order.size_bytes);
}

std::string erase_image_files(const std::string& folder, const std::string& snapshot) {
  if (!domain::snapshot_time(snapshot) || snapshot.find('/') != std::string::npos)
    return "refused to delete files of the snapshot '" + snapshot + "'";
  Descriptor open(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!open)
    return errno == ENOENT ? "" : because("opening " + folder);
  std::string error;
  for (auto name : {"base.img@" + snapshot, "config.iso@" + snapshot, "nvram.fd@" + snapshot})
    for (auto& file : {name, "." + name + ".part"})
      if (::unlinkat(open.get(), file.c_str(), 0) < 0 && errno != ENOENT)
        error = because("deleting " + folder + "/" + file);
  // See erase_files().
  if (error.empty() && ::fsync(open.get()) < 0)
    error = because("syncing " + folder);
  return error;
}

} // namespace ci::edge
