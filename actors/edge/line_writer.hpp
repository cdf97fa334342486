#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace ci::edge {

/// Writes lines to a descriptor and never waits for who reads it, be it a pipe, a socket or a file: a log whose reader
/// stands still must not stop the service. What is not taken is kept, and goes out first as soon as something is; past
/// a bound lines are lost, and counted. One thread at a time.
class LineWriter {
 public:
  /// Says where lines are missing how many they are: a line, with its end.
  using Gap = std::function<std::string(std::uint64_t lost)>;
  static constexpr std::size_t usual_bound = std::size_t{1} << 20;

  /// \p descriptor stays the caller's. \p bound: bytes that are kept at most.
  LineWriter(int descriptor, Gap gap, std::size_t bound = usual_bound);

  /// \p line: with its end.
  void write(std::string_view line);
  /// Writes what was kept as far as it is taken.
  void flush();
  /// Waits \p patience at most until all is taken; whether it is.
  bool drain(std::chrono::milliseconds patience);

 private:
  ssize_t offer(std::string_view bytes) const;
  std::string_view put(std::string_view bytes) const;

  const int descriptor_;
  const Gap gap_;
  const std::size_t bound_;
  bool socket_ = false;
  std::string kept_;
  std::uint64_t lost_ = 0; ///< behind what is kept
};

} // namespace ci::edge
