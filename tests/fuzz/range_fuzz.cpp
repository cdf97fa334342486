/// The headers by which a client asks for a part of a file, one a line.

#include "http/byte_range.hpp"
#include "tests/fuzz/promise.hpp"

#include <algorithm>

using namespace ci::http;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ci::fuzz::Input input(data, size);
  ci::domain::FileVersion file;
  file.size = input.byte() * 100;
  file.etag = "\"abc\"";
  Request request;
  request.method = "GET";
  auto rest = input.rest();
  for (auto name : {"Range", "If-Range", "If-None-Match", "If-Modified-Since", "Range"}) {
    auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (!line.empty())
      request.headers.emplace_back(name, std::string(line));
  }
  auto selected = select_bytes(request, file);
  auto [begin, end] = selected.range;
  if (selected.status == 200)
    reached("all of a file");
  if (selected.status == 206)
    reached("a part");
  if (selected.status == 304)
    reached("nothing new");
  if (selected.status == 416)
    reached("no such part");
  promise(begin >= 0 && begin <= end && end <= file.size, "a part lies within the file");
  promise(selected.status != 206 || begin < end, "a part is not empty");
  promise(selected.status != 200 || (begin == 0 && end == file.size), "all is all");
  return 0;
}
