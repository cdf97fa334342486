#pragma once
/// Serving a file: opened by the files actor, sent as the client takes it in.

#include "actors/messages.hpp"
#include "http/context.hpp"

#include <string>

namespace ci::http {

struct FileRequest {
  domain::ServedFolder folder;
  /// Names separated by `/`, as decoded.
  std::string path;
  const char* content_type;
  /// Whether a client may keep it, to ask again each time; else nobody may keep it.
  bool may_be_kept = true;
};

/// 404 where there is no such file; 503 where it is not opened and its first piece read within `Waits::file`, or
/// too many wait to be opened; of the request its conditions_of() alone count. Any thread.
void serve_file(Context&, const Request&, const ResponderPtr&, FileRequest);

} // namespace ci::http
