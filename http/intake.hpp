#pragma once
/// What every request goes through before anyone looks at what it asks: limits, Host, id, percent-decoding.
/// Pure, so that each limit can be tested at the limit.

#include "http/options.hpp"
#include "http/problem.hpp"

#include <optional>

namespace ci::http {

/// A request as it came off the wire.
struct RawRequest {
  std::string method;
  std::string target;
  Headers headers;
  std::string body;
  domain::Address peer;
};

struct Intake {
  /// Its id is set in any case, the target only where there is no refusal.
  Request request;
  std::optional<Problem> refusal;
};

Intake take_in(RawRequest, const Limits&);

/// 1 to 64 of `[A-Za-z0-9._-]`.
bool is_request_id(std::string_view);

} // namespace ci::http
