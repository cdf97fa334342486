#pragma once
/// An answer, independent of the server library. Content-Length, Date and X-Request-Id are added when it is
/// sent.

#include "http/body_source.hpp"
#include "http/request.hpp"

#include <memory>
#include <string>

namespace ci::http {

struct Response {
  int status = 200;
  Headers headers;
  /// Null: no body. Shared, so that a page goes to many clients without a copy.
  std::shared_ptr<const std::string> body;
  /// In place of `body`: one that is fetched while it is sent.
  std::shared_ptr<BodySource> source;
  /// Close the connection afterwards.
  bool close = false;
};

/// An answer that nobody may keep.
Response make_response(std::string content_type, std::string body);
Response make_json(std::string body);
/// An answer that may be kept and must be asked for again each time: 304 where the client has it already.
/// \p etag with its quotes.
Response make_cacheable(const Request&, std::string content_type, std::shared_ptr<const std::string> body,
                        const std::string& etag);
/// Whether one of the `If-None-Match` fields names the entity, by weak comparison.
bool none_match_names(const Request&, std::string_view etag);
/// A strong validator: equal bodies have equal ones, over restarts too.
std::string etag_of(std::string_view body);
/// "Not Found" for 404; "Unknown" for what HTTP does not name.
const char* reason_phrase(int status);

} // namespace ci::http
