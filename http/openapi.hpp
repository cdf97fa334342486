#pragma once
/// This API as OpenAPI 3.1, for `GET /openapi.json`. Pure.
///
/// What a route does stands in one of the texts below, under its line of the route table ("GET /boot"). What
/// all routes have in common (proof, limits, headers, error documents) is added from the table, so that a
/// text holds only what is particular. To add a route: a line in routes.cpp, a handler, an entry here.

#include "http/router.hpp"

#include <nlohmann/json.hpp>

#include <span>
#include <string>

namespace ci::http {

/// JSON objects: "METHOD /pattern" to an Operation Object of OpenAPI, with four liberties:
/// - a response that is a string is an error document (RFC 9457) which is sent for that reason;
/// - `"cacheable": true` says that 200 bears an ETag, and that If-None-Match leads to 304;
/// - `"by-lease": true` says that the answer is for the guest that has the peer's address;
/// - a path's parameters need not be declared `in` and `required`.
extern const char* const openapi_reserve;
extern const char* const openapi_guest;
extern const char* const openapi_dashboard;
extern const char* const openapi_policy;
extern const char* const openapi_operator;
/// `components/schemas`. Objects may have more keys in later versions.
extern const char* const openapi_schemas;

/// Whatever describes no route is left out. \throws nlohmann::json::exception where a text is not as said
/// above.
nlohmann::ordered_json openapi_document(std::span<const Route>, const std::string& external_base_url,
                                        const std::string& version);

/// The entries of all texts, by "METHOD /pattern".
nlohmann::ordered_json openapi_operations();

} // namespace ci::http
