#include "actors/domain/artifact.hpp"

#include "actors/domain/names.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace ci::domain {
namespace {

using Fields = std::map<std::string, std::string, std::less<>>;

constexpr std::size_t digest_digits = 64;

/// Decimal digits without a leading zero, from 1 on.
std::optional<std::int64_t> positive_number(std::string_view text) {
  std::int64_t number = 0;
  if (text.empty() || text.front() < '1' || text.front() > '9')
    return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return number;
}

bool is_hex_digest(std::string_view text) {
  return text.size() == digest_digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::variant<Fields, std::string> fields_of(std::string_view text) {
  Fields fields;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r'))
      line.remove_suffix(1);
    if (line.empty())
      continue;
    const auto equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0)
      return std::string{"a line of it is no key=value"};
    if (!fields.emplace(line.substr(0, equals), line.substr(equals + 1)).second)
      return std::string{"a key of it is repeated"};
  }
  return fields;
}

} // namespace

std::variant<ArtifactContents, std::string> parse_artifact(std::string_view text) {
  auto read = fields_of(text);
  if (auto* wrong = std::get_if<std::string>(&read))
    return std::move(*wrong);
  auto& fields = std::get<Fields>(read);
  for (const auto* key : {"unique_id", "qualified_repo", "run_id"})
    if (!fields.contains(key))
      return std::string{key} + " is missing in it";
  ArtifactContents contents;
  contents.unique_id = std::move(fields["unique_id"]);
  contents.qualified_repo = std::move(fields["qualified_repo"]);
  const auto run = positive_number(fields["run_id"]);
  if (!run)
    return std::string{"run_id in it is no positive number"};
  contents.run_id = *run;
  if (const auto it = fields.find("self_hosted_image_name"); it != fields.end())
    contents.profile = std::move(it->second);
  if (const auto it = fields.find("self_hosted_runner_count"); it != fields.end()) {
    const auto count = positive_number(it->second);
    if (!count)
      return std::string{"self_hosted_runner_count in it is no positive number"};
    contents.count = *count;
  }
  if (const auto it = fields.find("key_sha256"); it != fields.end()) {
    contents.key_sha256 = to_lower(it->second);
    if (!is_hex_digest(*contents.key_sha256))
      return std::string{"key_sha256 in it has not 64 hexadecimal digits"};
  }
  return contents;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<unsigned char>(a[i]) ^
                  (b.empty() ? 0U : static_cast<unsigned>(static_cast<unsigned char>(b[i % b.size()])));
  return difference == 0;
}

} // namespace ci::domain
