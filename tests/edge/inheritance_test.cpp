#include "actors/edge/inheritance.hpp"

#include "actors/edge/data_folder.hpp"
#include "tests/support/temp_folder.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace ci;
using test::TempFolder;
using test::write_file;
namespace fs = std::filesystem;

namespace {

const std::string config =
    R"({"runner": {"id": 9000000007, "name": "ci-runner-linux.7@ci0"}, "encoded_jit_config": "eyJ"})";

/// A data folder and an images folder as an older monitor leaves them.
struct Left {
  TempFolder folder;
  fs::path data = folder.path() / "data", images = folder.path() / "images";
  Left() {
    for (auto& made : {data / "runners", images})
      fs::create_directories(made);
  }
  void file(const fs::path& path, const std::string& text = "") {
    fs::create_directories(path.parent_path());
    write_file(path, text);
  }
  void touch(const fs::path& path, std::int64_t seconds) {
    file(path);
    const timespec times[] = {{seconds, 0}, {seconds, 250'000'000}};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
  }
  domain::Inheritance read() const { return edge::read_inheritance(data, images); }
};

domain::Time at(std::int64_t ms) { return domain::Time(domain::Duration(ms)); }

} // namespace

TEST_CASE("a host that nothing was left on has nothing to take over") {
  TempFolder folder;
  auto left = edge::read_inheritance(folder.path() / "data", folder.path() / "images");
  CHECK(left.runners.empty());
  CHECK(left.current_snapshots.empty());
  CHECK(left.disks.empty());
  CHECK(left.image_files.empty());
}

TEST_CASE("a runner's folder tells of its JIT config and of when it was made") {
  Left left;
  left.file(left.data / "runners/7/github-api-registration", config);
  left.touch(left.data / "runners/7/runner.toml", 100);
  left.touch(left.data / "runners/7/created-time", 200);
  left.touch(left.data / "runners/8/runner.toml", 300);
  left.file(left.data / "runners/9/boot-script");
  left.file(left.data / "runners/abc/github-api-registration", config);
  left.file(left.data / "runners/-5/github-api-registration", config);
  auto runners = left.read().runners;
  REQUIRE(runners.size() == 3);
  CHECK(runners[7].jit_config == "eyJ");
  CHECK(runners[7].registration_id == 9000000007);
  CHECK(runners[7].registration_name == "ci-runner-linux.7@ci0");
  CHECK(runners[7].created_at == at(200'250));
  CHECK(runners[8].created_at == at(300'250));
  CHECK(runners[8].jit_config == "");
  CHECK_FALSE(runners[9].created_at);
}

TEST_CASE("a registration that is not as it should be tells nothing") {
  for (const std::string odd :
       {"", "eyJ", "[]", "{", "{}", R"({"encoded_jit_config": 5})", R"({"runner": {"id": 7}})"}) {
    Left left;
    left.file(left.data / "runners/7/github-api-registration", odd);
    CHECK(left.read().runners[7].jit_config == "");
    CHECK_FALSE(left.read().runners[7].registration_id);
  }
  Left large;
  large.file(large.data / "runners/7/github-api-registration", config + std::string(300'000, ' '));
  CHECK(large.read().runners[7].jit_config == "");
  Left partly;
  partly.file(partly.data / "runners/7/github-api-registration",
              R"({"encoded_jit_config": "e", "runner": {"id": "x", "name": 5}})");
  CHECK(partly.read().runners[7].jit_config == "e");
  CHECK(partly.read().runners[7].registration_name == "");
}

TEST_CASE("links name the current images, disks and base files are found by their names") {
  Left left;
  fs::create_directories(left.data / "profiles/linux");
  fs::create_symlink("2026-01-01T00:00:00Z", left.data / "profiles/linux/snapshot");
  left.file(left.data / "profiles/other/snapshot", "no link");
  for (const auto* name : {"7-base.img", "12-vars.fd", "x-base.img", "13", ".8-base.img.part"})
    left.file(left.images / "runner" / name);
  for (const auto* name : {"base.img@A", "config.iso@A", "nvram.fd@B", "other@C", "base.img"})
    left.file(left.images / "base/linux" / name);
  left.file(left.images / "base/file@D");
  auto found = left.read();
  CHECK(found.current_snapshots == std::map<std::string, std::string>{{"linux", "2026-01-01T00:00:00Z"}});
  CHECK(found.disks == std::set<domain::RunnerId>{7, 12});
  CHECK(found.image_files == std::map<std::string, std::set<std::string>>{{"linux", {"A", "B"}}});
}

TEST_CASE("a folder that can't be read stops it: what was overlooked would be nobody's") {
  Left left;
  write_file(left.images / "runner", "");
  CHECK_THROWS_AS(left.read(), edge::StoreError);
}

TEST_CASE("files whose contents were taken over go, and whole folders of runners that are no more") {
  Left left;
  for (const auto* id : {"7", "8", "9", "20"})
    for (const auto* name :
         {"github-api-registration", "created-time", "runner.toml", "screenshot.png", "what/ever"})
      left.file(left.data / "runners" / id / name);
  left.file(left.folder.path() / "script");
  fs::create_symlink(left.folder.path() / "script", left.data / "runners/7/boot-script");
  fs::create_directory_symlink(left.folder.path(), left.data / "runners/8/link");
  left.file(left.data / "runners/abc/github-api-registration");
  auto done = edge::forget_inherited(left.data, {10, {7}, {9}});
  CHECK(done.error == "");
  CHECK(done.all);
  std::set<std::string> names;
  for (auto& entry : fs::directory_iterator(left.data / "runners/7"))
    names.insert(entry.path().filename());
  CHECK(names == std::set<std::string>{"screenshot.png", "what"});
  CHECK_FALSE(fs::exists(left.data / "runners/8"));
  CHECK(fs::exists(left.data / "runners/9/github-api-registration"));  // somebody's that only looks ours
  CHECK(fs::exists(left.data / "runners/20/github-api-registration")); // made later
  CHECK(fs::exists(left.data / "runners/abc/github-api-registration"));
  CHECK(fs::exists(left.folder.path() / "script"));
  CHECK(edge::forget_inherited(left.data, {10, {7}, {9}}).all);
  CHECK(edge::forget_inherited(left.folder.path() / "nowhere", {10, {}, {}}).all);
}

TEST_CASE("thousands of folders go in parts") {
  Left left;
  for (int id = 1; id <= 750; ++id)
    fs::create_directories(left.data / "runners" / std::to_string(id));
  auto first = edge::forget_inherited(left.data, {1000, {}, {}});
  CHECK(first.error == "");
  CHECK_FALSE(first.all);
  CHECK(edge::forget_inherited(left.data, {1000, {}, {}}).all);
  CHECK(fs::is_empty(left.data / "runners"));
}

TEST_CASE("the link names the snapshot, whatever was there before") {
  TempFolder folder;
  auto link = folder.path() / "profiles/linux/snapshot";
  CHECK(edge::link_snapshot(folder.path(), "linux", "A") == "");
  CHECK(fs::read_symlink(link) == "A");
  CHECK((fs::status(folder.path() / "profiles").permissions() & fs::perms::others_all) == fs::perms::none);
  write_file(link.string() + ".new", "left by a crash");
  CHECK(edge::link_snapshot(folder.path(), "linux", "B") == "");
  CHECK(edge::link_snapshot(folder.path(), "linux", "B") == "");
  CHECK(fs::read_symlink(link) == "B");
  CHECK_FALSE(fs::exists(link.string() + ".new"));
  write_file(folder.path() / "profiles/file", "");
  CHECK(edge::link_snapshot(folder.path(), "file", "A").find("can't make the link") == 0);
}
