#pragma once
/// Request targets: where a request goes and with which parameters, percent-decoded. RESTinio's own parsers
/// throw on what clients may send, so these are used instead. Pure.

#include "actors/domain/utf8.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ci::http {

/// One `name=value` of a query. A value that cannot be decoded is kept as not well formed: whether that
/// matters is up to the endpoint, which ignores parameters it does not know.
struct QueryParameter {
  std::string name;
  std::string value;
  bool well_formed = true;
};

struct Target {
  /// As received, without the query: for logs and error documents.
  std::string path;
  /// Decoded one by one, so that an encoded slash stays within its segment. `/` is one empty segment.
  std::vector<std::string> segments;
  std::vector<QueryParameter> query;
};

/// Undoes `%xx`. None where an escape is broken, or where what comes out is not UTF-8 or holds a control
/// character (NUL among them). A `+` is a plus sign, as in any URI: forms are not used here.
std::optional<std::string> percent_decode(std::string_view);

/// Reads origin-form (`/a/b?c=d`) and absolute-form (`http://host/a/b?c=d`). None where it is neither, where
/// a segment of the path cannot be decoded, or where there is a fragment. A parameter whose name cannot be
/// decoded is left out.
std::optional<Target> parse_target(std::string_view);

/// The path of a target, whether or not it can be parsed.
std::string_view raw_path(std::string_view target);

using domain::is_utf8;

} // namespace ci::http
