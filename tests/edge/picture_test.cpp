#include "actors/edge/picture.hpp"
#include "tests/support/temp_folder.hpp"

#include <doctest/doctest.h>
#include <png.h>

#include <sys/stat.h>
#include <unistd.h>

namespace fs = std::filesystem;
using namespace ci::edge;
using ci::domain::RawPicture;
using ci::test::read_file;
using ci::test::TempFolder;
using ci::test::write_file;

namespace {

RawPicture raw(std::string bytes) { return {std::move(bytes), "image/x"}; }

/// The pixels of a PNG, three bytes each, as libpng reads them.
std::string pixels_of(const std::string& png) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_memory(&image, png.data(), png.size()))
    return "(no PNG)";
  image.format = PNG_FORMAT_RGB;
  std::string pixels(PNG_IMAGE_SIZE(image), '\0');
  return png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr) ? pixels : "(broken)";
}

std::string big_endian(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}
std::string png_head(std::uint32_t width, std::uint32_t height, char depth = 8, char colour = 2) {
  return std::string("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", 16) + big_endian(width) + big_endian(height) + depth +
         colour + std::string(3 + 4, '\0');
}

} // namespace

TEST_CASE("a PPM becomes a PNG of the same pixels, whatever its header looks like") {
  const std::string pixels = "abcdefghijklmnopqr"; // 3 by 2
  for (const std::string head : {"P6\n3 2\n255\n", "P6 3 2 255 ", "P6\n# by QEMU\n3\t2\r\n#x\n255\n"}) {
    const auto made = to_png(raw(head + pixels));
    REQUIRE_MESSAGE(made, made.error);
    CHECK(pixels_of(made.png) == pixels);
  }
  CHECK(pixels_of(to_png(raw("P6 3 2 255 " + pixels + "and more")).png) == pixels);
}

TEST_CASE("a PNG stays as it is") {
  const auto png = to_png(raw("P6 1 1 255 abc")).png;
  CHECK(to_png(raw(png)).png == png);
}

TEST_CASE("what is neither, broken or too large counts as not taken") {
  for (const std::string bytes :
       {"", "P6", "P6 ", "P6 3 2", "P6 3 2 255", "P6 3 2 255 abc", "P6 0 2 255 abc", "P6 2 0 255 abc",
        "P5 1 1 255 a", "P6 1 1 65535 abcdef", "P6 1 1 254 abc", "P6 -1 1 255 abc",
        "P6 99999999999 1 255 abc", "GIF89a", "\x89PNG", "P6 x", "P6 #"})
    CHECK_MESSAGE(!to_png(raw(bytes)), bytes);
  CHECK(!to_png(raw(png_head(0, 1))));
  CHECK(!to_png(raw(png_head(1, 1, 17))));
  // 64 MiB decoded are allowed, and nothing above; both sides of the product may be as large as can be.
  CHECK(to_png(raw(png_head(1 << 13, 1 << 13, 8, 0))));
  CHECK(!to_png(raw(png_head((1 << 13) + 1, 1 << 13, 8, 0))));
  CHECK(!to_png(raw(png_head(0xffffffff, 0xffffffff, 16, 6))));
  CHECK(!to_png(raw("P6 4294967295 4294967295 255 abc")));
  CHECK(!to_png(raw("P6 22369622 1 255 abc")));
}

TEST_CASE("a picture is written as a whole, into a folder that only its owner may read") {
  TempFolder data;
  const auto path = data.path() / "runners" / "7" / "screenshot.png";
  CHECK(write_picture(path, "one").empty());
  CHECK(write_picture(path, "two").empty());
  CHECK(read_file(path) == "two");
  struct stat status {};
  REQUIRE(::stat(path.parent_path().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
  CHECK(std::distance(fs::directory_iterator(path.parent_path()), {}) == 1);
}

TEST_CASE("one that can't be written leaves the old one, and says why") {
  TempFolder data;
  const auto folder = data.path() / "runners" / "7";
  CHECK(write_picture(folder / "screenshot.png", "old").empty());
  fs::create_directory(folder / ".screenshot.png.part"); // in the way
  CHECK(!write_picture(folder / "screenshot.png", "new").empty());
  CHECK(read_file(folder / "screenshot.png") == "old");
  CHECK(!write_picture(data.path() / "missing" / "a" / "b" / "screenshot.png", "x").empty());
}

TEST_CASE("pictures of runners that are no more are deleted, and nothing else") {
  TempFolder data;
  const auto runners = data.path() / "runners";
  CHECK(forget_pictures(data.path(), {}).empty()); // no folder yet
  for (const auto* id : {"1", "2", "3", "007", "x"})
    CHECK(write_picture(runners / id / "screenshot.png", "p").empty());
  write_file(runners / "1" / ".screenshot.png.part", "half");
  write_file(runners / "2" / "runner.toml", "of an older monitor");
  fs::create_directories(runners / "5");
  CHECK(forget_pictures(data.path(), {3}).empty());
  CHECK(!fs::exists(runners / "1"));
  CHECK(!fs::exists(runners / "2" / "screenshot.png"));
  CHECK(fs::exists(runners / "2" / "runner.toml"));
  CHECK(fs::exists(runners / "3" / "screenshot.png"));
  CHECK(fs::exists(runners / "007" / "screenshot.png"));
  CHECK(fs::exists(runners / "x" / "screenshot.png"));
  CHECK(fs::exists(runners / "5"));
}
