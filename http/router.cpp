#include "http/router.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

namespace ci::http {

namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

bool is_parameter(std::string_view part) {
  return part.size() > 2 && part.front() == '{' && part.back() == '}';
}
bool is_rest(std::string_view part) {
  return is_parameter(part) && part.size() > 5 && part.substr(part.size() - 4) == "...}";
}

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts;
  do {
    path.remove_prefix(1);
    parts.emplace_back(path.substr(0, path.find('/')));
    path.remove_prefix(parts.back().size());
  } while (!path.empty());
  return parts;
}

/// A slash within a segment was an encoded one: it must not become a separator further down.
bool may_stand_in_rest(const std::string& segment) { return segment.find('/') == std::string::npos; }

std::optional<Parameters> match(const std::vector<std::string>& pattern,
                                const std::vector<std::string>& segments) {
  Parameters parameters;
  const bool open_ended = is_rest(pattern.back());
  if (open_ended ? segments.size() < pattern.size() : segments.size() != pattern.size())
    return std::nullopt;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const auto& part = pattern[i];
    if (is_rest(part)) {
      const auto at = static_cast<std::ptrdiff_t>(i);
      if (!std::all_of(segments.begin() + at, segments.end(), may_stand_in_rest))
        return std::nullopt;
      break;
    }
    if (is_parameter(part) && !segments[i].empty())
      parameters.emplace_back(part.substr(1, part.size() - 2), segments[i]);
    else if (part != segments[i])
      return std::nullopt;
  }
  return parameters;
}

void allow(std::vector<std::string>& allowed, const std::string& method) {
  if (std::find(allowed.begin(), allowed.end(), method) == allowed.end())
    allowed.push_back(method);
}

} // namespace

void Router::add(Route route) { entries_.push_back({route, split(route.pattern)}); }

Router::Found Router::find(const std::string& method, const std::vector<std::string>& segments) const {
  Found found;
  for (const auto& entry : entries_) {
    auto parameters = match(entry.pattern, segments);
    if (!parameters)
      continue;
    if (found.allowed.empty())
      found.audience = entry.route.audience;
    const std::string offered = entry.route.method;
    allow(found.allowed, offered);
    if (offered == "GET")
      allow(found.allowed, "HEAD");
    if (!found.route && (offered == method || (offered == "GET" && method == "HEAD"))) {
      found.route = &entry.route;
      found.parameters = std::move(*parameters);
    }
  }
  return found;
}

} // namespace ci::http
