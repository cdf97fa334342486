/// Artifacts of any repository that a client may name.

#include "actors/edge/zip_text.hpp"
#include "tests/fuzz/promise.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t most = 4096;
  const std::string_view archive(reinterpret_cast<const char*>(data), size);
  auto result = ci::edge::text_in_zip(archive, most);
  if (auto* text = std::get_if<std::string>(&result)) {
    promise(text->size() <= most, "no more is unpacked than is allowed");
    for (unsigned char c : *text)
      promise(c >= 0x20 || c == '\n' || c == '\r' || c == '\t', "a text holds no control characters");
  } else {
    promise(!std::get<ci::edge::ZipFault>(result).trouble.empty(), "a fault says what it is");
  }
  return 0;
}
