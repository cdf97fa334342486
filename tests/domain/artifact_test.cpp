#include "actors/domain/artifact.hpp"

#include <doctest/doctest.h>

using namespace ci::domain;

namespace {

const std::string head = "unique_id=0F0E\nqualified_repo=Octo/Repo\nrun_id=33714470481\n";
const std::string digest(64, 'a');

std::string fault_of(const std::string& text) {
  const auto parsed = parse_artifact(text);
  const auto* wrong = std::get_if<std::string>(&parsed);
  return wrong ? *wrong : "";
}
ArtifactContents contents_of(const std::string& text) {
  const auto parsed = parse_artifact(text);
  REQUIRE(std::holds_alternative<ArtifactContents>(parsed));
  return std::get<ArtifactContents>(parsed);
}

} // namespace

TEST_CASE("an artifact's file names a job and what it wants") {
  const auto read =
      contents_of(head + "self_hosted_image_name=linux\nself_hosted_runner_count=3\nkey_sha256=" + digest);
  CHECK(read == ArtifactContents{"0F0E", "Octo/Repo", 33'714'470'481, "linux", 3, digest});
}

TEST_CASE("one runner is wanted and no key where the file does not say") {
  const auto read = contents_of(head);
  CHECK(read.count == 1);
  CHECK(read.profile.empty());
  CHECK(!read.key_sha256);
}

TEST_CASE("lines may end as on Windows, be empty, and hold keys that nobody knows") {
  const auto read = contents_of("unique_id=a\r\n\r\nqualified_repo=o/r\r\nrun_id=1\r\n\nnew=a=b\nempty=\n");
  CHECK(read.unique_id == "a");
  CHECK(read.run_id == 1);
}

TEST_CASE("a digest's digits may be capital") {
  CHECK(contents_of(head + "key_sha256=" + std::string(64, 'A')).key_sha256 == digest);
}

TEST_CASE("what is no such file is refused in words of our own") {
  CHECK(fault_of("") != "");
  CHECK(fault_of("hello") == "a line of it is no key=value");
  CHECK(fault_of("=x\n" + head) == "a line of it is no key=value");
  CHECK(fault_of(head + "unique_id=0F0E\n") == "a key of it is repeated");
  CHECK(fault_of(head + "other=1\nother=1\n") == "a key of it is repeated");
  CHECK(fault_of("unique_id=a\nrun_id=1\n") == "qualified_repo is missing in it");
  for (const auto* run : {"", "0", "-1", "01", "1x", " 1", "9223372036854775808", "1.0"})
    CHECK(fault_of("unique_id=a\nqualified_repo=o/r\nrun_id=" + std::string(run)) != "");
  for (const auto* count : {"", "0", "-1", "two", "1 "})
    CHECK(fault_of(head + "self_hosted_runner_count=" + count) != "");
  for (const auto& key : {std::string{}, digest.substr(1), digest + "a", std::string(64, 'g')})
    CHECK(fault_of(head + "key_sha256=" + key) != "");
}

TEST_CASE("texts are compared to their end") {
  CHECK(equal_in_constant_time("abc", "abc"));
  CHECK(equal_in_constant_time("", ""));
  for (const auto* other : {"", "a", "ab", "abd", "bbc", "abca", "abcabc"})
    CHECK(!equal_in_constant_time("abc", other));
  CHECK(!equal_in_constant_time("", "abc"));
}
