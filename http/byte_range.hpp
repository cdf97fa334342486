#pragma once
/// Which part of a file a request asks for, and whether it has it already (RFC 9110, 13 and 14). Pure.

#include "actors/domain/served_file.hpp"
#include "http/request.hpp"

#include <cstdint>

namespace ci::http {

/// Bytes \p begin to \p end, the latter without.
struct ByteRange {
  std::int64_t begin = 0, end = 0;
  std::int64_t size() const { return end - begin; }
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

struct Selection {
  /// 200: all of it; 206: a part; 304: the client has it; 416: there is no such part.
  int status = 200;
  ByteRange range; ///< but for 206, all of it; nothing for 416
};

/// `If-None-Match` comes before `If-Modified-Since`, both before `Range`; that counts only where `If-Range`
/// (a strong validator, or exactly the time of the last change) fits, too. One range is served; of several,
/// of other units than bytes and of a malformed one nothing is taken in: the whole file answers.
Selection select_bytes(const Request&, const domain::FileVersion&);

/// All that select_bytes() reads of a request, for who must wait: a body may be large.
Request conditions_of(const Request&);

} // namespace ci::http
