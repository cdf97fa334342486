#pragma once
/// Text of requests and answers: encodings, queries, identifiers.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ci::github_simulator {

std::string lower(std::string_view);
/// At least one part; an empty text is one empty part.
std::vector<std::string_view> split(std::string_view, char separator);
/// Decodes `%41`; what is no escape stays as it is.
std::string percent_decoded(std::string_view);
/// Encodes all but the unreserved characters of RFC 3986.
std::string percent_encoded(std::string_view);
std::string base64(std::string_view bytes);
/// The inverse of base64(); nothing where the text is no base64.
std::optional<std::string> base64_decoded(std::string_view);
std::string sha256_hex(std::string_view bytes);
std::string hmac_sha256_hex(std::string_view key, std::string_view bytes);
/// 32 hexadecimal digits which nobody can guess.
std::string random_token();
/// A positive decimal number, with nothing around it.
std::optional<std::int64_t> parse_id(std::string_view);

/// A query's parameters in their order, decoded; `+` is a space.
using Query = std::vector<std::pair<std::string, std::string>>;
Query parse_query(std::string_view);
/// The last value that was given for a name.
std::optional<std::string> value_of(const Query&, std::string_view name);

} // namespace ci::github_simulator
