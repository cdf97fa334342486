#pragma once
/// A request as the handlers see it: independent of the server library.

#include "actors/domain/address.hpp"
#include "http/target.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ci::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// ASCII without case, as header names compare.
bool equal_caseless(std::string_view, std::string_view);
/// The values of all fields of that name, in the order they came.
std::vector<std::string_view> values_of(const Headers&, std::string_view name);

struct Request {
  std::string method;
  Target target;
  Headers headers;
  std::string body;
  /// Filled in by the router: `{name}` of the route's pattern, and what stood there.
  std::vector<std::pair<std::string, std::string>> path_parameters;
  /// Who holds the other end of the connection.
  domain::Address peer;
  /// Who asked: the peer, or whom a trusted proxy names.
  domain::Address source;
  /// The peer is a trusted proxy.
  bool by_proxy = false;
  /// Names the request in the answer and in every log line it causes.
  std::string id;

  /// Only for names that the route's pattern holds.
  const std::string& path_parameter(std::string_view name) const;
};

} // namespace ci::http
