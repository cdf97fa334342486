#include "actors/edge/disk.hpp"

#include "tests/support/temp_folder.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

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
  constexpr off_t size = off_t{8} << 20;
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

namespace {

/// An order for the source; without reflinks it may be an overlay.
ci::domain::CloneOrder an_order(const Disks& disks, const char* format = "raw") {
  return {disks.source.string(), disks.clone.string(), format, true};
}

/// Programs are looked for in that folder alone while it lives.
class Path {
 public:
  explicit Path(const fs::path& folder) { ::setenv("PATH", folder.c_str(), 1); }
  Path(const Path&) = delete;
  ~Path() { ::setenv("PATH", before_.c_str(), 1); }

 private:
  std::string before_ = std::getenv("PATH");
};

/// A program of that name, which is this shell script.
void write_program(const fs::path& path, const std::string& script) {
  write_file(path, "#!/bin/sh\n" + script);
  ::chmod(path.c_str(), 0755);
}

std::uint64_t big_endian(const std::string& bytes, std::size_t at, int size) {
  std::uint64_t value = 0;
  for (int i = 0; i < size; ++i)
    value = value << 8 | static_cast<unsigned char>(bytes.at(at + i));
  return value;
}

} // namespace

TEST_CASE("where blocks can't be shared, a disk that may be is an overlay whose header states its backing file") {
  Disks disks;
  // A raw disk that a guest made look like something else: nobody is to fall for it.
  write_file(disks.source, std::string("QFI\xfb\0\0\0\3", 8) + std::string((1 << 20) - 8, 'x'));
  if (shares_blocks(disks.folder.path())) {
    MESSAGE("this file system shares blocks");
    CHECK(clone_disk(an_order(disks)).way == DiskResult::Way::shared);
    return;
  }
  auto made = clone_disk(an_order(disks));
  CHECK(made.error == "");
  CHECK(made.no_overlay == "");
  CHECK(made.way == DiskResult::Way::overlaid);
  CHECK(made.disk.file == disks.clone.string() + ".qcow2");
  CHECK(made.disk.format == "qcow2");
  CHECK(made.disk.backing_file == disks.source.string());
  CHECK(made.disk.backing_format == "raw");
  CHECK((stat_of(made.disk.file).st_mode & 07777) == 0600);
  CHECK((stat_of(disks.runner).st_mode & 07777) == 0711);
  CHECK(std::distance(fs::directory_iterator(disks.runner), fs::directory_iterator()) == 1);
  // See QEMU's docs/interop/qcow2.txt.
  auto header = read_file(made.disk.file);
  CHECK(header.substr(0, 4) == "QFI\xfb");
  CHECK(header.substr(big_endian(header, 8, 8), big_endian(header, 16, 4)) == disks.source.string());
  CHECK(big_endian(header, 24, 8) == 1 << 20);
  CHECK(header.find(std::string("\xe2\x79\x2a\xca\0\0\0\3raw", 11)) != std::string::npos);

  auto again = clone_disk(an_order(disks));
  CHECK(again.way == DiskResult::Way::kept);
  CHECK(again.disk.format == "qcow2");
  CHECK(again.disk.backing_file == disks.source.string());
  CHECK(erase_files(disks.runner, "7-") == "");
  CHECK(fs::is_empty(disks.runner));
  CHECK(fs::exists(disks.source));
}

TEST_CASE("a disk that may be no overlay is a copy, and one that is there stays what it is") {
  Disks disks;
  write_file(disks.source, "a disk");
  auto order = an_order(disks);
  order.may_overlay = false;
  auto made = clone_disk(order);
  CHECK(made.error == "");
  CHECK(made.disk.file == disks.clone.string());
  CHECK(made.disk.format == "raw");
  CHECK(made.disk.backing_file == "");
  order.may_overlay = true;
  made = clone_disk(order);
  CHECK(made.way == DiskResult::Way::kept);
  CHECK(made.disk.file == disks.clone.string());
  CHECK(read_file(disks.clone) == "a disk");
}

TEST_CASE("without qemu-img, or where it fails, a disk is copied, and the reason told") {
  Disks disks;
  write_file(disks.source, "a disk");
  auto programs = disks.folder.path() / "programs";
  fs::create_directory(programs);
  if (shares_blocks(disks.folder.path()))
    return;
  Path path(programs);
  auto made = clone_disk(an_order(disks));
  CHECK(made.error == "");
  CHECK(made.no_overlay.find("No such file") != std::string::npos);
  CHECK(made.way == DiskResult::Way::copied);
  CHECK(read_file(disks.clone) == "a disk");
  fs::remove(disks.clone);
  write_program(programs / "qemu-img", "echo \"no space\nor so\" >&2; exit 3");
  made = clone_disk(an_order(disks));
  CHECK(made.no_overlay == "qemu-img create: ended with 3 (no space or so)");
  CHECK(made.way == DiskResult::Way::copied);
  CHECK(std::distance(fs::directory_iterator(disks.runner), fs::directory_iterator()) == 1);
}

TEST_CASE("qemu-img gets the format, the backing file and a file to write, each as one argument") {
  Disks disks;
  disks.source = disks.folder.path() / "a disk: $(x),y.img";
  write_file(disks.source, "a disk");
  if (shares_blocks(disks.folder.path()))
    return;
  auto programs = disks.folder.path() / "programs", told = disks.folder.path() / "told";
  fs::create_directory(programs);
  write_program(programs / "qemu-img", "for one; do echo \"$one\"; done >" + told.string() + "; exit 1");
  Path path(programs);
  clone_disk(an_order(disks, "qcow2"));
  CHECK(read_file(told) == "create\n-q\n-f\nqcow2\n-F\nqcow2\n-b\n" + disks.source.string() + "\n" +
                               (disks.runner / ".7-base.img.qcow2.part").string() + "\n");
}

TEST_CASE("a part of an overlay that a crash left is replaced, and goes with its id") {
  Disks disks;
  write_file(disks.source, std::string(4096, 'x'));
  fs::create_directory(disks.runner);
  write_file(disks.runner / ".7-base.img.qcow2.part", std::string(1 << 20, 'y'));
  CHECK(clone_disk(an_order(disks)).error == "");
  if (!shares_blocks(disks.folder.path()))
    CHECK_FALSE(fs::exists(disks.runner / ".7-base.img.qcow2.part"));
  write_file(disks.runner / ".7-base.img.qcow2.part", "y");
  CHECK(erase_files(disks.runner, "7-") == "");
  CHECK(fs::is_empty(disks.runner));
}

TEST_CASE("a source that is not there is an error, whatever the disk may be") {
  Disks disks;
  CHECK(clone_disk(an_order(disks)).error.find("No such file") != std::string::npos);
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
