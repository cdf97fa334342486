#include "http/openapi.hpp"
#include "http/routes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <set>

using namespace ci::http;
using Json = nlohmann::ordered_json;

namespace {

const Json& document() {
  static const Json built = openapi_document(routes(), "https://ci.example/monitor/", "1.2.3");
  return built;
}

std::string entry_of(const Route& route) { return std::string(route.method) + ' ' + route.pattern; }

void each_value(const Json& json, const std::function<void(const Json&)>& look) {
  look(json);
  if (json.is_structured())
    for (const auto& value : json)
      each_value(value, look);
}

template <class Look>
void each_operation(Look look) {
  for (const auto& [path, methods] : document()["paths"].items())
    for (const auto& [method, operation] : methods.items())
      look(method + ' ' + path, operation);
}

} // namespace

TEST_CASE("every route is described") {
  const auto described = openapi_operations();
  for (const auto& route : routes())
    CHECK_MESSAGE(described.contains(entry_of(route)),
                  "describe it in http/openapi_*.cpp: ", entry_of(route));
}

TEST_CASE("every description is of a route") {
  std::set<std::string> there;
  for (const auto& route : routes())
    there.insert(entry_of(route));
  const auto described = openapi_operations();
  for (auto entry = described.begin(); entry != described.end(); ++entry)
    CHECK_MESSAGE(there.contains(entry.key()), "no such route: ", entry.key());
}

TEST_CASE("every operation has an id of its own, a known tag, a summary and a good answer") {
  std::set<std::string> tags, ids;
  for (const auto& tag : document()["tags"])
    tags.insert(tag["name"]);
  each_operation([&](const std::string& name, const Json& operation) {
    CAPTURE(name);
    CHECK(ids.insert(operation.at("operationId")).second);
    CHECK(tags.contains(operation.at("tags").at(0)));
    CHECK(!operation.at("summary").get<std::string>().empty());
    const auto& answers = operation["responses"];
    const auto good = answers.contains("200") || answers.contains("202") || answers.contains("302");
    CHECK(good);
  });
}

TEST_CASE("every answer says what it is for, bears an id and forbids or allows to be kept") {
  each_operation([&](const std::string& name, const Json& operation) {
    for (const auto& [status, response] : operation["responses"].items()) {
      const auto which = name + ' ' + status;
      CAPTURE(which);
      CHECK(response.at("description").is_string());
      CHECK(response.at("headers").contains("X-Request-Id"));
      CHECK(response.at("headers").contains("Cache-Control"));
    }
  });
}

TEST_CASE("what is referred to is there") {
  each_value(document(), [](const Json& value) {
    if (value.is_object() && value.contains("$ref")) {
      const auto where = value["$ref"].get<std::string>();
      CHECK_MESSAGE(document().contains(Json::json_pointer(where.substr(1))), where);
    }
  });
}

TEST_CASE("what needs the token says so, with its refusals; what does not, does not") {
  const auto& paths = document()["paths"];
  const auto& take = paths["/profile/{profile_key}/take"]["post"];
  CHECK(take["security"] == Json::parse(R"([{"token":[]}])"));
  CHECK(take["responses"]["401"]["headers"].contains("WWW-Authenticate"));
  CHECK(take["responses"].contains("403"));
  CHECK(paths["/metrics"]["get"]["security"] == Json::parse(R"([{"token":[]},{}])"));
  CHECK(paths["/healthz"]["get"]["security"] == Json::array());
  CHECK(!paths["/healthz"]["get"]["responses"].contains("401"));
  CHECK(!paths["/healthz"]["get"]["responses"].contains("404"));
}

TEST_CASE("an answer that may be kept leads to 304, one that says to come again says when") {
  const auto& dashboard = document()["paths"]["/dashboard.json"]["get"];
  CHECK(dashboard["responses"]["304"]["headers"].contains("ETag"));
  CHECK(dashboard["responses"]["200"]["headers"].contains("ETag"));
  CHECK(!dashboard["responses"]["503"]["headers"].contains("ETag"));
  CHECK(dashboard["responses"]["503"]["headers"].contains("Retry-After"));
  CHECK(!dashboard.contains("cacheable"));
}

TEST_CASE("the server is where clients reach it") {
  CHECK(document()["openapi"] == "3.1.0");
  CHECK(document()["info"]["version"] == "1.2.3");
  CHECK(document()["servers"][0]["url"] == "https://ci.example/monitor");
}

TEST_CASE("a path's parameters are declared, one of several segments among them") {
  const Route files[] = {{"GET", "/image-deps/{path...}", Audience::guests, Proof::none, nullptr}};
  const auto described = openapi_document(files, "", "1");
  const auto& parameters = described["paths"]["/image-deps/{path}"]["get"]["parameters"];
  CHECK(parameters[0]["name"] == "path");
  CHECK(parameters[0]["in"] == "path");
  CHECK(parameters[0]["x-several-segments"] == true);
  each_operation([&](const std::string& name, const Json& operation) {
    const auto wanted = std::count(name.begin(), name.end(), '{');
    long found = 0;
    for (const auto& parameter : operation.value("parameters", Json::array())) {
      const auto& full = parameter.contains("$ref")
                             ? document()[Json::json_pointer(parameter["$ref"].get<std::string>().substr(1))]
                             : parameter;
      found += full["in"] == "path";
    }
    CHECK_MESSAGE(found == wanted, name);
  });
}
