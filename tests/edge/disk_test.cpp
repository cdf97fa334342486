#include "actors/edge/disk.hpp"

#include "tests/support/temp_folder.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fs = std::filesystem;
using namespace ci::edge;
using ci::test::read_file;
using ci::test::write_file;

namespace {

struct stat stat_of(const fs::path& path) {
  struct stat result {};
  REQUIRE(::lstat(path.c_str(), &result) == 0);
  return result;
}

/// A folder with a source disk, and where its clone goes.
struct Disks {
  ci::test::TempFolder folder;
  fs::path source = folder.path() / "base.img", runner = folder.path() / "runner",
           clone = runner / "7-base.img";
};

} // namespace

TEST_CASE("a clone has the source's bytes and mode 0600, in a folder that nobody can list") {
  Disks disks;
  write_file(disks.source, "a disk");
  ::chmod(disks.source.c_str(), 0666);
  auto result = clone_file(disks.source, disks.clone);
  CHECK(result.error == "");
  CHECK(result.way != CloneResult::Way::kept);
  CHECK(read_file(disks.clone) == "a disk");
  CHECK((stat_of(disks.clone).st_mode & 07777) == 0600);
  CHECK((stat_of(disks.runner).st_mode & 07777) == 0711);
  CHECK(std::distance(fs::directory_iterator(disks.runner), fs::directory_iterator()) == 1);
}

TEST_CASE("holes stay holes") {
  Disks disks;
  constexpr off_t size = off_t{64} << 20;
  int file = ::open(disks.source.c_str(), O_WRONLY | O_CREAT, 0600);
  REQUIRE(::ftruncate(file, size) == 0);
  REQUIRE(::pwrite(file, "begin", 5, 0) == 5);
  REQUIRE(::pwrite(file, "middle", 6, size / 2 + 4093) == 6);
  ::close(file);
  CHECK(clone_file(disks.source, disks.clone));
  CHECK(stat_of(disks.clone).st_size == size);
  CHECK(stat_of(disks.clone).st_blocks * 512 < 1 << 20);
  CHECK(read_file(disks.clone) == read_file(disks.source));
}

TEST_CASE("an empty disk can be cloned") {
  Disks disks;
  write_file(disks.source, "");
  CHECK(clone_file(disks.source, disks.clone));
  CHECK(stat_of(disks.clone).st_size == 0);
}

TEST_CASE("a disk larger than the buffer is cloned whole") {
  Disks disks;
  std::string bytes;
  for (int i = 0; bytes.size() < (5U << 20) + 123; ++i)
    bytes += std::to_string(i);
  write_file(disks.source, bytes);
  CHECK(clone_file(disks.source, disks.clone));
  CHECK(read_file(disks.clone) == bytes);
}

TEST_CASE("a clone that is there already is kept") {
  Disks disks;
  write_file(disks.source, "new");
  fs::create_directory(disks.runner);
  write_file(disks.clone, "in use");
  auto result = clone_file(disks.source, disks.clone);
  CHECK(result);
  CHECK(result.way == CloneResult::Way::kept);
  CHECK(read_file(disks.clone) == "in use");
}

TEST_CASE("a part that a crash left is replaced") {
  Disks disks;
  write_file(disks.source, "whole");
  fs::create_directory(disks.runner);
  write_file(disks.runner / ".7-base.img.part", "a longer half of it");
  CHECK(clone_file(disks.source, disks.clone));
  CHECK(read_file(disks.clone) == "whole");
  CHECK_FALSE(fs::exists(disks.runner / ".7-base.img.part"));
}

TEST_CASE("a part that is a link is not written through") {
  Disks disks;
  write_file(disks.source, "whole");
  fs::create_directory(disks.runner);
  write_file(disks.folder.path() / "outside", "untouched");
  fs::create_symlink(disks.folder.path() / "outside", disks.runner / ".7-base.img.part");
  CHECK(clone_file(disks.source, disks.clone));
  CHECK(read_file(disks.folder.path() / "outside") == "untouched");
}

TEST_CASE("a failed clone leaves nothing and says why") {
  Disks disks;
  auto missing = clone_file(disks.source, disks.clone);
  CHECK(missing.error.find("No such file") != std::string::npos);
  CHECK(missing.error.find(disks.source.string()) != std::string::npos);
  CHECK_FALSE(clone_file(disks.folder.path(), disks.clone));
  REQUIRE(::mkfifo((disks.folder.path() / "fifo").c_str(), 0600) == 0);
  CHECK_FALSE(clone_file(disks.folder.path() / "fifo", disks.clone));
  CHECK_FALSE(clone_file("/dev/null", disks.clone));
  CHECK_FALSE(clone_file(disks.source, disks.folder.path() / "no" / "such" / "folder"));
  CHECK_FALSE(clone_file(disks.source, disks.runner / ""));
  CHECK(fs::is_empty(disks.runner));
}

TEST_CASE("something that is no file is not taken for a clone") {
  Disks disks;
  write_file(disks.source, "x");
  fs::create_directory(disks.runner);
  fs::create_symlink("/dev/null", disks.clone);
  CHECK_FALSE(clone_file(disks.source, disks.clone));
}

TEST_CASE("an interrupted clone leaves nothing") {
  Disks disks;
  write_file(disks.source, "x");
  std::atomic<bool> stop{true};
  auto result = clone_file(disks.source, disks.clone, &stop);
  if (result) {
    MESSAGE("this file system shares blocks: nothing is copied that could be interrupted");
    return;
  }
  CHECK(result.error.find("interrupted") != std::string::npos);
  CHECK(fs::is_empty(disks.runner));
}

TEST_CASE("files of one id are deleted, and no others") {
  Disks disks;
  fs::create_directory(disks.runner);
  for (auto name : {"7-base.img", "7-more", ".7-base.img.part", "77-base.img", ".77-x.part", "17-base.img",
                    "7", "x7-base", ".7-hidden"})
    write_file(disks.runner / name, "x");
  CHECK(erase_files(disks.runner, "7-") == "");
  for (auto gone : {"7-base.img", "7-more", ".7-base.img.part"})
    CHECK_FALSE(fs::exists(disks.runner / gone));
  for (auto kept : {"77-base.img", ".77-x.part", "17-base.img", "7", "x7-base", ".7-hidden"})
    CHECK(fs::exists(disks.runner / kept));
  CHECK(erase_files(disks.runner, "7-") == "");
}

TEST_CASE("a link is deleted, never what it leads to") {
  Disks disks;
  fs::create_directory(disks.runner);
  fs::create_directory(disks.folder.path() / "outside");
  write_file(disks.folder.path() / "outside" / "7-precious", "x");
  write_file(disks.source, "x");
  fs::create_symlink(disks.source, disks.runner / "7-link");
  fs::create_directory_symlink(disks.folder.path() / "outside", disks.runner / "7-folder");
  CHECK(erase_files(disks.runner, "7-") == "");
  CHECK(fs::is_empty(disks.runner));
  CHECK(fs::exists(disks.source));
  CHECK(fs::exists(disks.folder.path() / "outside" / "7-precious"));
}

TEST_CASE("a folder is left alone, and told of") {
  Disks disks;
  fs::create_directories(disks.runner / "7-folder");
  write_file(disks.runner / "7-file", "x");
  CHECK(erase_files(disks.runner, "7-").find("7-folder") != std::string::npos);
  CHECK(fs::exists(disks.runner / "7-folder"));
  CHECK_FALSE(fs::exists(disks.runner / "7-file"));
}

TEST_CASE("only a prefix of digits and a dash deletes anything") {
  Disks disks;
  fs::create_directory(disks.runner);
  write_file(disks.runner / "7-x", "x");
  for (auto prefix :
       {"", "-", "7", "a-", "7-x", "7--", "*-", "../7-", "7/-", "+7-", " 7-", "123456789012345678901-"}) {
    CAPTURE(prefix);
    CHECK_FALSE(erase_files(disks.runner, prefix).empty());
  }
  CHECK(fs::exists(disks.runner / "7-x"));
}

TEST_CASE("there is nothing to delete in a folder that is not there") {
  Disks disks;
  CHECK(erase_files(disks.runner, "7-") == "");
}

TEST_CASE("too little space is said, with both figures") {
  CHECK(ci::edge::lack_of_space("/tmp/no/such/folder/file", 0).empty());
  auto lack = ci::edge::lack_of_space("/tmp/file", std::int64_t{1} << 60);
  CHECK(lack.find("min_free_disk asks for 1099511627776") != std::string::npos);
}
