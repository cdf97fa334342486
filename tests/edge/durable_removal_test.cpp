/// Files that are gone stay gone after a power cut: their folder is brought to disk before anybody is told.
#include "actors/edge/disk.hpp"
#include "actors/edge/image_files.hpp"
#include "tests/support/temp_folder.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <functional>
#include <mutex>

#include <dlfcn.h>
#include <sys/stat.h>

namespace fs = std::filesystem;
using namespace ci;
using ci::test::write_file;

namespace {

/// A folder whose syncs are seen, and fail where they are to.
struct Watched {
  fs::path path;
  bool fails = false;
  std::ptrdiff_t files_left = -1; ///< when it was synced; -1: it was not

  bool is(int file) const {
    struct stat mine {}, its {};
    return ::stat(path.c_str(), &mine) == 0 && ::fstat(file, &its) == 0 && mine.st_ino == its.st_ino &&
           mine.st_dev == its.st_dev;
  }
};
std::mutex mutex; ///< other threads sync other files
Watched* watched = nullptr;

std::string while_watched(Watched& folder, const std::function<std::string()>& remove) {
  {
    std::lock_guard lock(mutex);
    watched = &folder;
  }
  auto said = remove();
  std::lock_guard lock(mutex);
  watched = nullptr;
  return said;
}

} // namespace

/// What this program calls instead of the C library's.
extern "C" int fsync(int file) {
  static const auto real = reinterpret_cast<int (*)(int)>(::dlsym(RTLD_NEXT, "fsync"));
  {
    std::lock_guard lock(mutex);
    if (watched && watched->is(file)) {
      watched->files_left = std::distance(fs::directory_iterator(watched->path), fs::directory_iterator());
      if (watched->fails) {
        errno = EIO;
        return -1;
      }
    }
  }
  return real(file);
}

TEST_CASE("a runner's disk and an image's files are gone for good when that is told") {
  const std::string snapshot = "2026-01-02T03:04:05.000000000Z";
  test::TempFolder folder;
  std::function<std::string()> remove;
  SUBCASE("a runner's disk") {
    write_file(folder.path() / "7-base.img", "x");
    remove = [&] { return edge::erase_files(folder.path(), "7-"); };
  }
  SUBCASE("an image's files") {
    write_file(folder.path() / ("base.img@" + snapshot), "x");
    remove = [&] { return edge::erase_image_files(folder.path().string(), snapshot); };
  }
  Watched failing{folder.path(), true};
  CHECK(while_watched(failing, remove) == "syncing " + folder.path().string() + ": Input/output error");
  CHECK(failing.files_left == 0);
  Watched again{folder.path()}; // nothing is left to delete, but what was deleted may come back
  CHECK(while_watched(again, remove) == "");
  CHECK(again.files_left == 0);
}
