#include "tests/config/support.hpp"

#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace ci::config;
using namespace ci::config::tests;

namespace {

using Files = std::map<std::string, std::string>;

FileReader reader_of(Files files) {
  return [files = std::move(files)](const std::string& path) {
    const auto found = files.find(path);
    return found == files.end() ? std::nullopt : std::optional{found->second};
  };
}

const Files whole_folder{
    {"./profiles/linux/guest.xml", "<domain/>"},
    {"./profiles/linux/boot-script", "#!/bin/sh\r\necho \xff\n"},
    {"./profiles/linux/image.toml",
     "target_device = \"vda\"\nbegins_with = { guest = \"by-hand\" }\nsize = \"10G\"\n"}};

Files without(const std::string& path) {
  auto files = whole_folder;
  files.erase(path);
  return files;
}
Files with_image(const std::string& text) {
  auto files = whole_folder;
  files["./profiles/linux/image.toml"] = text;
  return files;
}

LoadResult load_with(const Files& files, const Values& changes = {}, const std::string& more = {}) {
  return load_text(top() + profile("linux", changes) + more, secrets(), reader_of(files));
}
std::string complaints_with_files(const Files& files, const Values& changes = {},
                                  const std::string& more = {}) {
  return to_string(load_with(files, changes, more).complaints);
}

} // namespace

TEST_CASE("a profile's boot script is taken byte for byte from its folder") {
  const auto result = load_with(whole_folder);
  REQUIRE(result.loaded);
  CHECK(*result.loaded->settings.policy.profiles.at("linux").boot_script == "#!/bin/sh\r\necho \xff\n");
}

TEST_CASE("a profile with a target lacks neither boot script nor guest definition") {
  CHECK(complaints_with_files(whole_folder) == "");
  CHECK(
      complaints_with_files(without("./profiles/linux/boot-script")) ==
      "monitor.toml:7: profiles.linux: expected the file ./profiles/linux/boot-script (or, with a hand-made "
      "template guest: template = \"<its name>\")\n");
  CHECK(contains(complaints_with_files(without("./profiles/linux/guest.xml")),
                 "expected the file ./profiles/linux/guest.xml"));
}

TEST_CASE("a profile with a target says what its image's disk is and begins with") {
  const auto complaints = complaints_with_files(without("./profiles/linux/image.toml"));
  CHECK(contains(complaints, "profiles.linux.image.target_device: expected the device"));
  CHECK(contains(complaints, "profiles.linux.image.begins_with: expected what the image's disk begins with"));
  CHECK(complaints_with_files(
            without("./profiles/linux/image.toml"), {},
            "[profiles.linux.image]\ntarget_device = \"vda\"\nbegins_with = { guest = \"g\" }\n") == "");
}

TEST_CASE("a profile without a target may have an empty folder") {
  CHECK(complaints_with_files({}, {{"target_count", "0"}}) == "");
  CHECK(complaints_with_files({}) != "");
}

TEST_CASE("a hand-made template makes the folder needless") {
  const auto result = load_with({}, {{"template", R"("by-hand")"}});
  REQUIRE(result.loaded);
  CHECK(!result.loaded->settings.policy.profiles.at("linux").boot_script);
  CHECK(contains(to_string(result.warnings), "profiles.linux: no boot script"));
}

TEST_CASE("beside a template the boot script may stand in the settings, and wins over the file") {
  const auto result =
      load_with(whole_folder, {{"template", R"("by-hand")"}, {"boot_script", R"("echo hi\n")"}});
  REQUIRE(result.loaded);
  CHECK(result.warnings.empty());
  CHECK(*result.loaded->settings.policy.profiles.at("linux").boot_script == "echo hi\n");
  const auto from_file = load_with(whole_folder, {{"template", R"("by-hand")"}});
  REQUIRE(from_file.loaded);
  CHECK(from_file.loaded->settings.policy.profiles.at("linux").boot_script);
}

TEST_CASE("without a template the boot script does not stand in the settings") {
  CHECK(contains(complaints_with_files(whole_folder, {{"boot_script", R"("echo hi")"}}),
                 "profiles.linux.boot_script: expected only beside template"));
}

TEST_CASE("the image table goes before image.toml, key by key") {
  const auto result = load_with(whole_folder, {}, "[profiles.linux.image]\nsize = \"20G\"\n");
  REQUIRE(result.loaded);
  const auto& linux_ = result.loaded->settings.policy.profiles.at("linux");
  CHECK(linux_.image.size_bytes == std::int64_t{20} << 30);
  CHECK(linux_.disk_target == "vda");
}

TEST_CASE("complaints about image.toml name that file and its lines") {
  CHECK(complaints_with_files(with_image("target_device = \"vda\"\nbegins_with = 7\nsise = \"1G\"\n")) ==
        "./profiles/linux/image.toml:2: begins_with: expected \"blank\", { file = \"<path below "
        "IMAGE_DEPS_DIR>\" } or "
        "{ guest = \"<name of a libvirt guest>\" }\n");
  CHECK(contains(complaints_with_files(with_image("size =\n")),
                 "./profiles/linux/image.toml:1: expected TOML"));
  CHECK(contains(
      to_string(load_with(with_image("target_device = \"vda\"\nbegins_with = { guest = \"g\" }\nsise = 1\n"))
                    .warnings),
      "./profiles/linux/image.toml:3: sise: unknown key, ignored; the nearest known one is size"));
}

TEST_CASE("a check that fails because of image.toml names that file") {
  CHECK(contains(
      complaints_with_files(with_image("target_device = \"vda\"\nbegins_with = \"blank\"\nsize = \"0B\"\n")),
      "./profiles/linux/image.toml:3: profiles.linux.image.size: expected the size"));
}

TEST_CASE("the folder is looked for below profiles_path") {
  Files files;
  for (const auto& [path, text] : whole_folder)
    files["/etc/ci" + path.substr(1)] = text;
  const auto text = top({{"profiles_path", R"("/etc/ci/profiles")"}}) + profile("linux");
  CHECK(load_text(text, secrets(), reader_of(files)).loaded);
}

TEST_CASE("a name that is no profile's reaches no file") {
  bool asked = false;
  const FileReader reader = [&](const std::string&) -> std::optional<std::string> {
    asked = true;
    return std::nullopt;
  };
  load_text(top() + profile("\"../../etc\""), secrets(), reader);
  CHECK(!asked);
}

TEST_CASE("the reader of disks gives a file's bytes, and nothing for what is no file") {
  const auto folder = std::filesystem::temp_directory_path() / ("config-test-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream{folder / "file", std::ios::binary} << std::string{"a\0\r\n\xff", 5};
  std::ofstream{folder / "empty"};
  const auto read = disk_reader();
  CHECK(read((folder / "file").string()) == std::string{"a\0\r\n\xff", 5});
  CHECK(read((folder / "empty").string()) == "");
  CHECK(!read((folder / "none").string()));
  CHECK(!read(folder.string()));
  std::filesystem::remove_all(folder);
}

TEST_CASE("a guest that asks for more than its profile's part of the budget is a warning") {
  const auto warnings = [](const std::string& guest, const Values& changes) {
    auto files = whole_folder;
    files["./profiles/linux/guest.xml"] = "<domain>" + guest + "</domain>";
    const auto result = load_with(files, changes);
    CHECK(result.loaded);
    return to_string(result.warnings);
  };
  const std::string memory = "<memory unit='GiB'>8</memory>";
  const std::string pages =
      memory + "<memoryBacking><hugepages><page size='1' unit='GiB'/></hugepages></memoryBacking>";
  CHECK(warnings(memory, {{"requires_normal_memory", R"("8G")"}}) == "");
  CHECK(warnings(memory, {{"requires_normal_memory", R"("4G")"}}) ==
        "monitor.toml:10: profiles.linux.requires_normal_memory: less than guest.xml asks for: 8G normal "
        "memory; with that, guests may take more than the host's budget\n");
  CHECK(warnings(pages, {{"requires_1g_hugepages", "8"}}) == "");
  CHECK(warnings(pages, {{"requires_1g_hugepages", "7"}}) ==
        "monitor.toml:9: profiles.linux.requires_1g_hugepages: less than guest.xml asks for: 8 huge pages of "
        "1G; with that, guests may take more than the host's budget\n");
  // Nothing is known of it.
  CHECK(warnings("", {}) == "");
}
