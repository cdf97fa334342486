#include "http/target.hpp"

#include <algorithm>
#include <cstdint>

namespace ci::http {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

bool starts_with_caseless(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() &&
         std::equal(lower.begin(), lower.end(), text.begin(),
                    [](char l, char c) { return l == (c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); });
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::vector<QueryParameter> parse_query(std::string_view text) {
  std::vector<QueryParameter> result;
  while (!text.empty()) {
    const auto piece = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(piece.size() + 1, text.size()));
    const auto equals = piece.find('=');
    auto name = percent_decode(piece.substr(0, equals));
    if (piece.empty() || !name)
      continue;
    auto value = percent_decode(equals == std::string_view::npos ? "" : piece.substr(equals + 1));
    const bool well_formed = value.has_value();
    result.push_back({std::move(*name), std::move(value).value_or(""), well_formed});
  }
  return result;
}

/// `http://host:1/a?b` to `/a?b`.
std::string_view without_authority(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (starts_with_caseless(target, scheme)) {
      const auto end = target.find_first_of("/?", scheme.size());
      return end == std::string_view::npos ? "/" : target.substr(end);
    }
  return target;
}

} // namespace

std::optional<std::string> percent_decode(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    const bool complete = text.size() - i > 2;
    const int high = complete ? hex_digit(text[i + 1]) : -1;
    const int low = complete ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0)
      return std::nullopt;
    result += static_cast<char>(high << 4 | low);
    i += 2;
  }
  if (std::any_of(result.begin(), result.end(), is_control) || !is_utf8(result))
    return std::nullopt;
  return result;
}

std::string_view raw_path(std::string_view target) {
  const auto rest = without_authority(target);
  return rest.substr(0, rest.find_first_of("?#"));
}

std::optional<Target> parse_target(std::string_view text) {
  const auto rest = without_authority(text);
  if (rest.find('#') != std::string_view::npos)
    return std::nullopt;
  Target target;
  target.path = raw_path(text);
  if (target.path.empty() && rest.data() != text.data())
    target.path = "/"; // http://host?a=b
  if (target.path.empty() || target.path.front() != '/')
    return std::nullopt;
  auto path = std::string_view(target.path);
  do {
    path.remove_prefix(1);
    const auto segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    auto decoded = percent_decode(segment);
    if (!decoded)
      return std::nullopt;
    target.segments.push_back(std::move(*decoded));
  } while (!path.empty());
  if (const auto mark = rest.find('?'); mark != std::string_view::npos)
    target.query = parse_query(rest.substr(mark + 1));
  return target;
}

} // namespace ci::http
