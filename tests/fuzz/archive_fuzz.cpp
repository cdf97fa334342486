/// Artifacts of any repository that a client may name: the archive, and the text within. The first byte says
/// which of the two the rest is.

#include "actors/domain/artifact.hpp"
#include "actors/edge/zip_text.hpp"
#include "tests/fuzz/promise.hpp"

namespace {

void check_text(std::string_view text) {
  auto read = ci::domain::parse_artifact(text);
  if (auto* contents = std::get_if<ci::domain::ArtifactContents>(&read)) {
    reached("what a workflow asks for");
    promise(contents->count >= 1, "a count is positive");
    promise(!contents->key_sha256 || contents->key_sha256->size() == 64, "a digest is whole");
  } else {
    reached("a text that asks for nothing");
    promise(!std::get<std::string>(read).empty(), "what is wrong has words");
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t most = 4096;
  ci::fuzz::Input input(data, size);
  if (input.byte() & 1) {
    check_text(input.rest());
    return 0;
  }
  auto result = ci::edge::text_in_zip(input.rest(), most);
  if (auto* text = std::get_if<std::string>(&result)) {
    reached("a text in an archive");
    promise(text->size() <= most, "no more is unpacked than is allowed");
    for (unsigned char c : *text)
      promise(c >= 0x20 || c == '\n' || c == '\r' || c == '\t', "a text holds no control characters");
    check_text(*text);
  } else {
    reached("no archive");
    promise(!std::get<ci::edge::ZipFault>(result).trouble.empty(), "a fault says what it is");
  }
  return 0;
}
