#include "actors/edge/images_folder.hpp"

#include "actors/edge/data_folder.hpp"
#include "tests/support/temp_folder.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <optional>

namespace fs = std::filesystem;
using ci::edge::ImagesFolder;

namespace {

void no_warning(const std::string& text) { FAIL_CHECK(text); }

/// Why it can't be had; empty: it can.
std::string complaint_of(const fs::path& path) {
  try {
    ImagesFolder folder(path, no_warning);
  } catch (const ci::edge::StoreError& error) {
    return error.what();
  }
  return {};
}

} // namespace

TEST_CASE("an images folder is for one at a time, by whatever path") {
  ci::test::TempFolder folder;
  fs::create_directory_symlink(folder.path(), folder.path() / "link");
  std::optional<ImagesFolder> first;
  first.emplace(folder.path(), no_warning);
  for (const auto& path : {folder.path(), folder.path() / "link"}) {
    const auto said = complaint_of(path);
    CHECK(said.find("the images folder " + path.string() + " is in use") == 0);
    CHECK(said.find("images_path") != std::string::npos);
  }
  first.reset();
  CHECK(complaint_of(folder.path()) == "");
}

TEST_CASE("a program that outlives the monitor does not hold the images folder") {
  ci::test::TempFolder folder;
  const ImagesFolder first(folder.path(), no_warning);
  // It lists its descriptors, of which none is to be the folder.
  const auto lists = "! ls -l /proc/self/fd | grep -q -- '" + fs::canonical(folder.path()).string() + "$'";
  CHECK(std::system(lists.c_str()) == 0);
}

TEST_CASE("an images folder that is missing is made for QEMU to pass through") {
  ci::test::TempFolder folder;
  const auto path = folder.path() / "deep" / "images";
  CHECK(complaint_of(path) == "");
  CHECK((fs::status(path).permissions() & fs::perms::mask) == fs::perms(0711));
}

TEST_CASE("what is no folder can't hold images") {
  ci::test::TempFolder folder;
  ci::test::write_file(folder.path() / "file", "x");
  CHECK(complaint_of(folder.path() / "file").find("can't make the images folder") == 0);
}
