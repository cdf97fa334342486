#pragma once
/// What the fuzz targets share.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string_view>

/// Ends the program, so that the fuzzer keeps the input, unless `kept`.
inline void promise(bool kept, const char* what) {
  if (kept)
    return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

/// Says, the first time, that an input got so far. What is judged only where something was accepted is judged of
/// nothing when nothing is: so each place that a target names must be reached by one of its seeds (see run).
inline void reached(const char* place) {
  static std::set<std::string_view> places;
  if (places.insert(place).second)
    std::fprintf(stderr, "reached: %s\n", place);
}

namespace ci::fuzz {

/// Takes bytes from the front of an input.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : left_(reinterpret_cast<const char*>(data), size) {}

  /// 0 where nothing is left.
  unsigned char byte() {
    if (left_.empty())
      return 0;
    auto first = static_cast<unsigned char>(left_.front());
    left_.remove_prefix(1);
    return first;
  }
  std::string_view rest() const { return left_; }

 private:
  std::string_view left_;
};

} // namespace ci::fuzz
