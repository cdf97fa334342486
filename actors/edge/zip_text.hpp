#pragma once
/// The one text file in a zip archive, for archives that anyone may have made. Pure; any thread.

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

namespace ci::edge {

/// Why there is no text.
struct ZipFault {
  bool too_large = false; ///< the file is larger than allowed, once unpacked
  std::string trouble;    ///< in a few words that repeat nothing of the archive
};

/// Unpacks the archive in memory: folders aside it must hold exactly one file, of UTF-8 text without control
/// characters but line ends and tabs, not encrypted, whole by its checksum, at most `max_bytes` long, under a
/// name that leads nowhere else. Nothing is written anywhere, and no more than `max_bytes` are unpacked.
std::variant<std::string, ZipFault> text_in_zip(std::string_view archive, std::size_t max_bytes);

} // namespace ci::edge
