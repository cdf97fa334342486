/// The files of an image, and the ISO that configures its guest: real files.
#include "actors/edge/image_files.hpp"
#include "actors/edge/iso.hpp"

#include "tests/support/temp_folder.hpp"

#include <doctest/doctest.h>

#include <map>

#include <archive.h>
#include <archive_entry.h>

namespace fs = std::filesystem;
using namespace ci;
using ci::test::read_file;
using ci::test::write_file;

namespace {

const std::string snapshot = "2026-01-02T03:04:05.000000000Z";

/// Regular files of an ISO, by name, as another program would read them.
std::map<std::string, std::string> read_iso(const std::string& path) {
  std::map<std::string, std::string> files;
  auto* iso = archive_read_new();
  archive_read_support_format_iso9660(iso);
  REQUIRE(archive_read_open_filename(iso, path.c_str(), 10240) == ARCHIVE_OK);
  archive_entry* entry = nullptr;
  while (archive_read_next_header(iso, &entry) == ARCHIVE_OK)
    if (archive_entry_filetype(entry) == AE_IFREG) {
      std::string text(static_cast<std::size_t>(archive_entry_size(entry)), '\0');
      archive_read_data(iso, text.data(), text.size());
      files[archive_entry_pathname(entry)] = text;
    }
  archive_read_free(iso);
  return files;
}

} // namespace

TEST_CASE("an ISO holds its files under their names and bears its label") {
  test::TempFolder folder;
  auto path = (folder.path() / "config.iso").string();
  write_file(path, "an older one");
  REQUIRE(edge::write_iso({path, "CIDATA", {{"user-data", "#cloud-config\n"}, {"meta-data", ""}}}) == "");
  CHECK(read_iso(path) ==
        std::map<std::string, std::string>{{"user-data", "#cloud-config\n"}, {"meta-data", ""}});
  // The primary volume descriptor is at 32 KiB, the label at its 40th byte.
  CHECK(read_file(path).substr(32768 + 40, 7) == "CIDATA ");
  CHECK((fs::status(path).permissions() & fs::perms::mask) ==
        (fs::perms::owner_read | fs::perms::owner_write));
  CHECK_FALSE(fs::exists(folder.path() / ".config.iso.part"));
  CHECK(edge::write_iso({(folder.path() / "no" / "x.iso").string(), "X", {}}).find("x.iso") !=
        std::string::npos);
}

TEST_CASE("a disk begins blank or as a copy, and grows to its size") {
  test::TempFolder folder;
  auto images = (folder.path() / "base" / "linux").string();
  REQUIRE(edge::make_image_folder(images) == "");
  REQUIRE(edge::make_image_disk({images + "/blank", "", 1 << 20}) == "");
  CHECK(fs::file_size(images + "/blank") == 1 << 20);
  write_file(folder.path() / "source", "contents");
  auto source = (folder.path() / "source").string();
  REQUIRE(edge::make_image_disk({images + "/copy", source, 4096}) == "");
  CHECK(fs::file_size(images + "/copy") == 4096);
  CHECK(read_file(images + "/copy").substr(0, 8) == "contents");
  REQUIRE(edge::make_image_disk({images + "/same", source, 0}) == "");
  CHECK(read_file(images + "/same") == "contents");
  CHECK(edge::make_image_disk({images + "/none", source + "-missing", 0}) != "");
}

TEST_CASE("an image's disk can be read by all, whatever it was: QEMU's user owns it once a runner started") {
  test::TempFolder folder;
  const auto source = (folder.path() / "source").string(), copy = (folder.path() / "copy").string(),
             blank = (folder.path() / "blank").string();
  const auto mode_of = [](const std::string& path) {
    return static_cast<unsigned>(fs::status(path).permissions() & fs::perms::mask);
  };
  write_file(source, "contents");
  fs::permissions(source, fs::perms::owner_read);
  for (int i = 0; i < 2; ++i) {
    REQUIRE(edge::make_image_disk({copy, source, 0}) == "");
    REQUIRE(edge::make_image_disk({blank, "", 4096}) == "");
    CHECK(mode_of(copy) == 0644);
    CHECK(mode_of(blank) == 0644);
    fs::permissions(copy, fs::perms::owner_read); // the order is given again after a crash before the mode was set
  }
}

TEST_CASE("G5: only the files of that very image are deleted") {
  test::TempFolder folder;
  auto other = "2026-01-02T03:04:06.000000000Z";
  for (std::string name : {"base.img@", "config.iso@", "nvram.fd@", "notes@"})
    for (auto& which : {snapshot, std::string(other)})
      write_file(folder.path() / (name + which), "x");
  write_file(folder.path() / (".base.img@" + snapshot + ".part"), "x");
  REQUIRE(edge::erase_image_files(folder.path().string(), snapshot) == "");
  std::size_t left = 0;
  for (auto& entry : fs::directory_iterator(folder.path()))
    left += entry.is_regular_file();
  CHECK(left == 5);
  CHECK(fs::exists(folder.path() / ("notes@" + snapshot)));
  CHECK(edge::erase_image_files(folder.path().string(), snapshot) == ""); // again is fine
  CHECK(edge::erase_image_files((folder.path() / "missing").string(), snapshot) == "");
  CHECK(edge::erase_image_files(folder.path().string(), "../../etc") != "");
  CHECK(edge::erase_image_files(folder.path().string(), "") != "");
}
