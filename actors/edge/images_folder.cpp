#include "actors/edge/images_folder.hpp"

#include "actors/edge/data_folder.hpp"
#include "actors/edge/disk.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

namespace ci::edge {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& what, const fs::path& path, int error) {
  throw StoreError("can't " + what + " the images folder " + path.string() + ": " + std::strerror(error) +
                   "; the monitor runs as user id " + std::to_string(geteuid()) +
                   " and must be able to read and write there");
}

void make_folder(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error))
    return;
  fs::create_directories(path.parent_path(), error);
  if (error)
    fail("make", path, error.value());
  if (const int made = make_passable_folder(path); made != 0)
    fail("make", path, made);
}

int open_folder(const fs::path& path) {
  make_folder(path);
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0)
    fail("open", path, errno);
  return folder;
}

} // namespace

ImagesFolder::ImagesFolder(const fs::path& path, const std::function<void(const std::string&)>& warn)
    : folder_(open_folder(path)) {
  if (::flock(folder_.get(), LOCK_EX | LOCK_NB) == 0)
    return;
  const int error = errno;
  if (error == EWOULDBLOCK)
    throw StoreError("the images folder " + path.string() +
                     " is in use by another process: stop that monitor first, or set another images_path");
  warn("the images folder " + path.string() + " can't be locked, so no second monitor is kept out of it: " +
       std::strerror(error));
}

} // namespace ci::edge
