#include "http/openapi.hpp"

#include "http/response.hpp"

#include <algorithm>
#include <cctype>

namespace ci::http {

namespace {

using Spec = nlohmann::ordered_json;

Spec reference(const std::string& what) { return {{"$ref", "#/components/" + what}}; }

Spec problem_content() { return {{"application/problem+json", {{"schema", reference("schemas/Problem")}}}}; }

/// The headers that an answer bears beyond those of its own.
void add_common_headers(Spec& headers, int status, bool cacheable) {
  headers["X-Request-Id"] = reference("headers/RequestId");
  headers["Cache-Control"] = reference("headers/CacheControl");
  if (status == 401)
    headers["WWW-Authenticate"] = reference("headers/Authenticate");
  if (status == 429 || status == 503)
    headers["Retry-After"] = reference("headers/RetryAfter");
  if (cacheable && (status == 200 || status == 304))
    headers["ETag"] = reference("headers/ETag");
}

Spec response_of(const Spec& given, int status, bool cacheable) {
  Spec response =
      given.is_string() ? Spec{{"description", given}, {"content", problem_content()}} : Spec(given);
  auto& headers = response["headers"];
  if (headers.is_null())
    headers = Spec::object();
  add_common_headers(headers, status, cacheable);
  return response;
}

/// Says \p why where the route itself has said nothing of that status, and adds it where it has.
void also(Spec& responses, const char* status, const std::string& why) {
  auto& response = responses[status];
  if (response.is_null())
    response = why;
  else if (response.is_string())
    response = response.get<std::string>() + ' ' + why;
}

/// What may happen to any request of the route before its handler, or instead of it.
void add_common_responses(Spec& responses, const Route& route) {
  also(responses, "400", "Not exactly one Host header, or a parameter that is not well formed.");
  if (route.proof != Proof::none) {
    also(responses, "401", "The request does not show a Bearer token.");
    also(responses, "403", "The token is not the monitor API token.");
  }
  if (route.audience == Audience::guests)
    also(responses, "404",
         "The client is no guest: this path exists only for direct peers in the guest network.");
  else if (route.audience == Audience::others)
    also(responses, "404",
         "The client is a guest: this path does not exist for direct peers in the guest network.");
  also(responses, "413", "The body is too large.");
  also(responses, "414", "The URL is too long.");
  also(responses, "429", "Too many connections are open from this address.");
  also(responses, "431", "The headers are too large.");
  also(responses, "503", "The service is stopping.");
}

std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  for (auto at = path.find('{'); at != std::string::npos; at = path.find('{', at)) {
    const auto end = path.find('}', at);
    names.push_back(path.substr(at + 1, end - at - 1));
    at = end;
  }
  return names;
}

/// `{path...}` is OpenAPI's `{path}`, which has no word for a parameter of several segments.
std::string path_of(const Route& route) {
  std::string path = route.pattern;
  const auto dots = path.find("...}");
  return dots == std::string::npos ? path : path.erase(dots, 3);
}

void complete_parameters(Spec& operation, const Route& route, bool cacheable) {
  const auto path = path_of(route);
  const bool open_ended = path != route.pattern;
  auto given = operation.value("parameters", Spec::array());
  auto parameters = Spec::array();
  const auto names = names_in(path);
  for (const auto& name : names) {
    const auto own =
        std::find_if(given.begin(), given.end(), [&](const Spec& p) { return p.value("name", "") == name; });
    auto parameter = reference("parameters/" + name);
    if (own != given.end()) {
      parameter = {{"name", name}, {"in", "path"}, {"required", true}};
      parameter.update(*own);
    }
    if (open_ended && name == names.back())
      parameter["x-several-segments"] = true;
    parameters.push_back(std::move(parameter));
  }
  for (const auto& parameter : given)
    if (std::find(names.begin(), names.end(), parameter.value("name", "")) == names.end())
      parameters.push_back(parameter);
  if (cacheable)
    parameters.push_back(reference("parameters/IfNoneMatch"));
  if (!parameters.empty())
    operation["parameters"] = std::move(parameters);
}

Spec security_of(Proof proof) {
  const Spec token{{"token", Spec::array()}};
  switch (proof) {
  case Proof::none:
    break;
  case Proof::token:
    return Spec::array({token});
  case Proof::token_or_loopback:
  case Proof::token_for_pictures:
    return Spec::array({token, Spec::object()});
  }
  return Spec::array();
}

Spec complete(Spec operation, const Route& route) {
  const bool cacheable = operation.value("cacheable", false);
  operation.erase("cacheable");
  const bool by_lease = operation.value("by-lease", false);
  operation.erase("by-lease");
  complete_parameters(operation, route, cacheable);
  auto given = operation["responses"];
  if (by_lease)
    also(given, "503", "No guest is known by this address yet.");
  add_common_responses(given, route);
  if (cacheable)
    given["304"] = {{"description", "The client has it already."}};
  Spec responses;
  std::vector<std::string> statuses;
  for (const auto& [status, response] : given.items())
    statuses.push_back(status);
  std::sort(statuses.begin(), statuses.end());
  for (const auto& status : statuses)
    responses[status] = response_of(given[status], std::stoi(status), cacheable);
  operation["responses"] = std::move(responses);
  operation["security"] = security_of(route.proof);
  return operation;
}

Spec header_object(const char* description, Spec schema) {
  return {{"description", description}, {"required", true}, {"schema", std::move(schema)}};
}

Spec components() {
  const Spec text{{"type", "string"}};
  auto parsed = Spec::parse(openapi_schemas);
  return {{"securitySchemes",
           {{"token", {{"type", "http"}, {"scheme", "bearer"}, {"description", "The monitor API token."}}}}},
          {"parameters", parsed["parameters"]},
          {"headers",
           {{"RequestId", header_object("The client's own, if it gave one; it leads to the log.",
                                        {{"type", "string"}, {"pattern", "^[A-Za-z0-9._-]{1,64}$"}})},
            {"CacheControl", header_object("Whether the answer may be kept.", text)},
            {"ETag", header_object("For If-None-Match.", text)},
            {"RetryAfter",
             header_object("Seconds after which to ask again.", {{"type", "integer"}, {"minimum", 0}})},
            {"LastModified", header_object("When the picture was taken.", text)},
            {"Location", header_object("Where to go on.", text)},
            {"Authenticate", header_object("Which proof is wanted.", {{"const", "Bearer"}})}}},
          {"schemas", parsed["schemas"]}};
}

Spec tags() {
  const auto tag = [](const char* name, const char* description) {
    return Spec{{"name", name}, {"description", description}};
  };
  return Spec::array({tag("reserve", "Reserving runners."),
                      tag("guest", "What guests ask, known by their address."),
                      tag("dashboard", "The dashboard and its pictures."),
                      tag("policy", "What is wanted for a while, instead of what is configured."),
                      tag("operator", "For those who run the service.")});
}

} // namespace

Spec openapi_operations() {
  Spec all;
  for (const auto* text :
       {openapi_reserve, openapi_guest, openapi_dashboard, openapi_policy, openapi_operator})
    all.update(Spec::parse(text));
  return all;
}

Spec openapi_document(std::span<const Route> routes, const std::string& external_base_url,
                      const std::string& version) {
  const auto operations = openapi_operations();
  Spec paths;
  for (const auto& route : routes) {
    const auto found = operations.find(std::string(route.method) + ' ' + route.pattern);
    if (found == operations.end())
      continue;
    std::string method = route.method;
    std::transform(method.begin(), method.end(), method.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    paths[path_of(route)][method] = complete(*found, route);
  }
  auto base = external_base_url;
  while (!base.empty() && base.back() == '/')
    base.pop_back();
  return {
      {"openapi", "3.1.0"},
      {"info",
       {{"title", "ci-monitor"},
        {"version", version},
        {"description",
         "A pool of ephemeral libvirt guests as self-hosted GitHub Actions runners. HEAD works wherever GET "
         "does; a method that a path does not allow is answered 405 with Allow, a path that does not "
         "exist 404. Unknown query parameters are ignored; keys may be added to any object."},
        {"license", {{"name", "Not published"}, {"identifier", "LicenseRef-None"}}}}},
      {"servers", Spec::array({{{"url", base.empty() ? "/" : base}}})},
      {"tags", tags()},
      {"paths", std::move(paths)},
      {"components", components()}};
}

} // namespace ci::http
