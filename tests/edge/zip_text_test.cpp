#include "actors/edge/zip_text.hpp"
#include "tests/edge/zip_support.hpp"

#include <doctest/doctest.h>

using ci::edge::text_in_zip;
using ci::edge::ZipFault;
using zip_test::Entries;
using zip_test::make_zip;

namespace {

constexpr std::size_t limit = 1000;

std::string text_of(const std::string& archive) {
  const auto result = text_in_zip(archive, limit);
  const auto* text = std::get_if<std::string>(&result);
  return text ? *text : "fault: " + std::get<ZipFault>(result).trouble;
}
std::string fault_of(const std::string& archive) {
  const auto result = text_in_zip(archive, limit);
  const auto* fault = std::get_if<ZipFault>(&result);
  return fault ? fault->trouble : "none";
}

} // namespace

TEST_CASE("the text of the one file comes out as it went in") {
  const std::string text = "a=b\r\n\tc=\xc3\xa4\n";
  CHECK(text_of(make_zip({{"info", text}})) == text);
  CHECK(text_of(make_zip({{"info", text}}, 0100644u << 16)) == text);
  CHECK(text_of(make_zip({{"empty", ""}})) == "");
}

TEST_CASE("folders don't count, nor does the one that the file lies in") {
  CHECK(text_of(make_zip({{"a/", ""}, {"a/b/", ""}, {"a/b/info", "x=1"}, {"c/", ""}})) == "x=1");
}

TEST_CASE("there is exactly one file") {
  CHECK(fault_of(make_zip({{"a/", ""}})) == "it holds no file");
  CHECK(fault_of(make_zip({{"a", "x"}, {"b", "y"}})) == "it holds more than one file");
  Entries many;
  for (int i = 0; i < 500; ++i)
    many.emplace_back("d" + std::to_string(i) + "/", "");
  CHECK(fault_of(make_zip(many)) == "it has too many entries");
}

TEST_CASE("what is no zip archive is none") {
  CHECK(fault_of("") == "it holds no file");
  CHECK(fault_of("unique_id=a") == "it is no zip archive");
  const auto whole = make_zip({{"info", "x=1"}});
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK(fault_of(whole.substr(0, size)) != "none");
}

TEST_CASE("a name that leads elsewhere spoils the archive") {
  for (const auto* name :
       {"../info", "a/../../info", "/etc/passwd", "C:\\info", "a\\..\\info", "./info", "..", "../"})
    CHECK_MESSAGE(fault_of(make_zip({{name, "x=1"}})) == "a name in it leads elsewhere", name);
  CHECK(text_of(make_zip({{"..info", "x=1"}})) == "x=1");
}

TEST_CASE("a link is no file") {
  CHECK(fault_of(make_zip({{"info", "/etc/passwd"}}, 0120777u << 16)) == "its file is no regular file");
}

TEST_CASE("a bomb is seen before it is unpacked, and may be just as large as allowed") {
  CHECK(text_of(make_zip({{"info", std::string(limit, 'x')}})) == std::string(limit, 'x'));
  const auto result = text_in_zip(make_zip({{"info", std::string(10'000'000, 'x')}}), limit);
  REQUIRE(std::holds_alternative<ZipFault>(result));
  CHECK(std::get<ZipFault>(result).too_large);
}

TEST_CASE("a size that the archive lies about is found out") {
  auto archive = make_zip({{"info", std::string(900, 'x')}});
  // The size when unpacked, 900, stands in both headers in little endian.
  const std::string told("\x84\x03\x00\x00", 4), lie("\x05\x00\x00\x00", 4);
  for (auto at = archive.find(told); at != std::string::npos; at = archive.find(told, at + 1))
    archive.replace(at, 4, lie);
  CHECK(fault_of(archive) == "its file is damaged");
}

TEST_CASE("a file whose checksum is wrong is damaged") {
  auto archive = make_zip({{"info", "abc"}});
  archive.replace(archive.find("abc"), 3, "abd");
  CHECK(fault_of(archive) == "its file is damaged");
}

TEST_CASE("an encrypted file is none that can be read") {
  CHECK(fault_of(make_zip({{"info", "x=1"}}, 0, "secret")) == "its file is encrypted");
}

TEST_CASE("what is no text is refused") {
  for (const std::string& bytes : {std::string("a\0b", 3),
                                   std::string("\xff\xfe"
                                               "a\0",
                                               4),
                                   std::string("a\x1b[31m")})
    CHECK(fault_of(make_zip({{"info", bytes}})) == "its file is no text");
}
