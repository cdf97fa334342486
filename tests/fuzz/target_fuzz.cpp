/// Request targets and the parameters in them, as any client may send them.

#include "actors/domain/names.hpp"
#include "http/parameters.hpp"
#include "http/target.hpp"
#include "tests/fuzz/promise.hpp"

#include <chrono>

using namespace ci::http;

namespace {

bool is_clean(const std::string& text) {
  for (unsigned char c : text)
    if (c < 0x20 || c == 0x7f)
      return false;
  return is_utf8(text);
}

void read_a_take(const Request& request) {
  ParameterReader reader(request);
  auto count = request.target.segments.back();
  auto take = read_take(reader, "linux", &count, 16);
  if (!reader.errors().empty())
    return;
  reached("a take");
  promise(ci::domain::is_uuid_v4(take.unique_id), "a taken unique_id is a UUID");
  promise(ci::domain::is_qualified_repo(take.qualified_repo), "a taken repository is one");
  promise(take.count >= 1 && take.count <= 16, "a taken count is within its bounds");
}

void read_a_select(const Request& request) {
  ParameterReader reader(request);
  auto select = read_select(reader, request);
  if (!reader.errors().empty())
    return;
  reached("a select");
  promise(ci::domain::is_uuid_v4(select.unique_id), "a selecting unique_id is a UUID");
  promise(ci::domain::is_qualified_repo(select.qualified_repo), "a selecting repository is one");
  promise(select.run_id >= 1, "a run's id is positive");
  promise(select.key_sha256.size() == 64, "of a key the digest is kept");
}

void read_an_override(const Request& request) {
  ParameterReader reader(request);
  const auto counts = read_override(reader, request);
  if (!reader.errors().empty())
    return;
  for (auto& [profile, count] : counts) {
    reached("an override");
    promise(count >= 0 && count <= 10'000, "an override's count is within its bounds");
  }
}

void read_a_history(const Request& request) {
  ParameterReader reader(request);
  auto query = read_history(reader);
  if (!reader.errors().empty())
    return;
  reached("a history");
  promise(query.limit >= 1 && query.limit <= ci::domain::max_history_limit, "a page is within its bounds");
  promise(query.before.value_or(1) >= 1 && query.runner.value_or(1) >= 1, "numbers are positive");
}

void read_a_window(const Request& request) {
  constexpr ci::domain::Time now{std::chrono::hours(24 * 365 * 56)};
  ParameterReader reader(request);
  auto window = read_window(reader, now);
  if (!reader.errors().empty())
    return;
  reached("a window");
  promise(window.since < window.until && window.until <= now, "a window is a span of the past");
}

void read_an_id(Request& request) {
  request.path_parameters.emplace_back("unique_id", request.target.segments.back());
  ParameterReader reader(request);
  auto id = read_unique_id(reader, request);
  if (!reader.errors().empty())
    return;
  reached("an id");
  promise(ci::domain::is_uuid_v4(id), "an id in a path is a UUID");
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
  request.headers.emplace_back("X-Reservation-Key", text);
  read_a_take(request);
  read_a_select(request);
  read_an_override(request);
  read_a_history(request);
  read_a_window(request);
  read_an_id(request);
  return 0;
}
