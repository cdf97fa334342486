/// Request targets and the parameters in them, as any client may send them.

#include "actors/domain/names.hpp"
#include "http/parameters.hpp"
#include "http/target.hpp"
#include "tests/fuzz/promise.hpp"

using namespace ci::http;

namespace {

bool is_clean(const std::string& text) {
  for (unsigned char c : text)
    if (c < 0x20 || c == 0x7f)
      return false;
  return is_utf8(text);
}

void read_parameters(const Request& request) {
  {
    ParameterReader reader(request);
    auto count = request.target.segments.back();
    auto take = read_take(reader, "linux", &count, 16);
    if (reader.errors().empty()) {
      promise(ci::domain::is_uuid_v4(take.unique_id), "a taken unique_id is a UUID");
      promise(ci::domain::is_qualified_repo(take.qualified_repo), "a taken repository is one");
      promise(take.count >= 1 && take.count <= 16, "a taken count is within its bounds");
    }
  }
  ParameterReader reader(request);
  for (auto& [profile, count] : read_override(reader, request))
    promise(!reader.errors().empty() || (count >= 0 && count <= 10'000),
            "an override's count is within its bounds");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  promise(text.find(raw_path(text)) != text.npos, "the raw path is a part of the target");
  if (auto decoded = percent_decode(text))
    promise(is_clean(*decoded) && decoded->size() <= size, "what is decoded is clean text");
  auto target = parse_target(text);
  if (!target)
    return 0;
  promise(!target->segments.empty(), "a path has a segment");
  for (auto& segment : target->segments)
    promise(is_clean(segment), "a segment is clean text");
  for (auto& parameter : target->query)
    promise(is_clean(parameter.name) && (!parameter.well_formed || is_clean(parameter.value)),
            "a parameter is clean text");
  Request request;
  request.method = "POST";
  request.target = std::move(*target);
  read_parameters(request);
  return 0;
}
