#include "tests/simulators/github_simulator/routes.hpp"

#include "tests/simulators/github_simulator/text.hpp"

namespace ci::github_simulator {

namespace {

using Segments = std::vector<std::string>;

struct Route {
  const char* method;
  const char* pattern; ///< below the scope; `{id}` and `{label}` stand for one segment
  const char* operation;
};

constexpr Route routes[] = {
    {"GET", "actions/runners", "list"},
    {"POST", "actions/runners/generate-jitconfig", "register"},
    {"GET", "actions/runners/{id}", "get"},
    {"DELETE", "actions/runners/{id}", "delete"},
    {"GET", "actions/runners/{id}/labels", "labels"},
    {"POST", "actions/runners/{id}/labels", "label"},
    {"PUT", "actions/runners/{id}/labels", "set_labels"},
    {"DELETE", "actions/runners/{id}/labels", "clear_labels"},
    {"DELETE", "actions/runners/{id}/labels/{label}", "unlabel"},
    {"GET", "actions/runs/{id}", "runs"},
    {"GET", "actions/runs/{id}/jobs", "jobs"},
    {"POST", "actions/runs/{id}/cancel", "cancel"},
    {"GET", "actions/runs/{id}/artifacts", "artifacts"},
    {"GET", "actions/artifacts/{id}", "artifact"},
    {"DELETE", "actions/artifacts/{id}", "delete_artifact"},
    {"GET", "actions/artifacts/{id}/zip", "archive"},
};

/// Takes the scope off the segments; its path, or nothing.
std::string take_scope(Segments& segments, const Model& model) {
  const auto take = [&](std::size_t count, const std::string& path) {
    segments.erase(segments.begin(), segments.begin() + static_cast<std::ptrdiff_t>(count));
    return path;
  };
  if (segments.size() > 3 && segments[0] == "repos")
    return take(3, "repos/" + segments[1] + "/" + segments[2]);
  if (segments.size() > 2 && segments[0] == "orgs")
    return take(2, "orgs/" + segments[1]);
  const bool repository = segments.size() > 2 && segments[0] == "repositories";
  if (!repository && !(segments.size() > 2 && segments[0] == "organizations"))
    return {};
  const auto id = parse_id(segments[1]);
  const auto* scope = id ? model.scope_with_id(*id, repository) : nullptr;
  return scope ? take(2, scope->path) : std::string{};
}

bool matches(const Segments& segments, const char* pattern, Target& target) {
  const auto parts = split(pattern, '/');
  if (parts.size() != segments.size())
    return false;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] == "{label}") {
      target.label = segments[i];
    } else if (parts[i] == "{id}") {
      const auto id = parse_id(segments[i]);
      if (!id)
        return false;
      target.id = *id;
    } else if (parts[i] != segments[i]) {
      return false;
    }
  }
  return true;
}

} // namespace

std::vector<std::string> segments_of(const std::string& path) {
  Segments segments;
  if (path.size() < 2 || path.front() != '/' || path.back() == '/')
    return segments;
  for (const auto part : split(std::string_view{path}.substr(1), '/'))
    segments.push_back(percent_decoded(part));
  return segments;
}

std::optional<Target> find_target(const std::string& method, const std::string& path, Model& model,
                                  const KnownScopes& known) {
  Target target;
  auto segments = segments_of(path);
  if (segments.size() > 2 && segments[0] == "api" && segments[1] == "v3") {
    target.prefix = "/api/v3";
    segments.erase(segments.begin(), segments.begin() + 2);
  }
  if (method == "GET" && segments == Segments{"rate_limit"}) {
    target.operation = "rate_limit";
    return target;
  }
  const bool of_installation = segments.size() == 4 && segments[0] == "app" && segments[1] == "installations";
  if (method == "POST" && of_installation && segments[3] == "access_tokens") {
    const auto id = parse_id(segments[2]);
    target.operation = "access_token";
    target.id = id.value_or(0);
    return id ? std::optional{target} : std::nullopt;
  }
  const auto scope = take_scope(segments, model);
  if (scope.empty() || (!known.empty() && !known.contains(lower(scope))))
    return std::nullopt;
  for (const auto& route : routes) {
    if (method != route.method || !matches(segments, route.pattern, target))
      continue;
    const auto& found = model.scope(scope);
    const bool about_runners = std::string_view{route.pattern}.starts_with("actions/runners");
    if (!about_runners && !found.is_repository())
      return std::nullopt;
    target.scope = found.key;
    target.operation = route.operation;
    return target;
  }
  return std::nullopt;
}

} // namespace ci::github_simulator
