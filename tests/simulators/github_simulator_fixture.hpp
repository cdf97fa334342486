#pragma once
/// GitHub as the tests of the simulator see it.

#include "tests/simulators/github_simulator/api.hpp"

#include <doctest/doctest.h>

namespace ci::github_simulator {

using namespace std::chrono_literals;

/// GitHub with a clock that goes when it is told to.
struct Simulated {
  Api api{Identity{}};
  Moment now{1'700'000'000s};
  Answer last;

  Simulated() {
    set({{"online_delay", 10},
         {"offline_delay", 50},
         {"busy_delay", 3},
         {"gone_delay", 20},
         {"lease_timeout", 300}});
  }

  Json ask(const std::string& method, const std::string& target, const Json& body = nullptr,
           std::map<std::string, std::string> headers = {}) {
    Request request{.method = method};
    const auto at = target.find('?');
    request.path = target.substr(0, at);
    request.query = at == std::string::npos ? "" : target.substr(at + 1);
    request.headers = {{"host", "sim:1"}, {"user-agent", "test"}, {"authorization", "Bearer sim-token"}};
    for (const auto& [name, value] : headers)
      request.headers[name] = value;
    if (!body.is_null())
      request.body = body.is_string() ? body.get<std::string>() : body.dump();
    last = api.handle(request, now);
    api.answered(last);
    auto json = Json::parse(last.body, nullptr, false);
    return json.is_discarded() ? Json(nullptr) : json;
  }
  int status(const std::string& method, const std::string& target, const Json& body = nullptr,
             std::map<std::string, std::string> headers = {}) {
    ask(method, target, body, std::move(headers));
    return last.status;
  }
  std::string header(const std::string& name) const {
    for (const auto& [key, value] : last.headers)
      if (key == name)
        return value;
    return {};
  }
  void pass(Duration time) {
    now += time;
    api.advance(now);
  }
  void set(const Json& settings) { REQUIRE(status("PUT", "/_control/settings", settings) == 200); }
  void fault(const Json& json) { REQUIRE(status("POST", "/_control/faults", json) == 201); }

  Id add(const std::string& name, const LabelNames& labels = {"self-hosted", "prof"}) {
    const auto json = ask("POST", runners + "/generate-jitconfig",
                          {{"name", name}, {"runner_group_id", 1}, {"labels", labels}});
    REQUIRE(last.status == 201);
    return json["runner"]["id"];
  }
  Json get(Id id) { return ask("GET", path(id)); }
  std::string path(Id id, const std::string& below = "") const {
    return runners + "/" + std::to_string(id) + below;
  }
  /// What the runner's program does.
  int does(Id id, const std::string& method, const std::string& what, const Json& body = nullptr) {
    const auto* runner = api.world().model.runner(id);
    return status(method, "/_runner/" + std::to_string(id) + "/" + what, body,
                  {{"authorization", "Bearer " + (runner ? runner->token : "none")}});
  }
  void listen(Id id) {
    REQUIRE(does(id, "POST", "session") == 201);
    does(id, "GET", "job");
  }
  Id queue(const LabelNames& labels, const std::string& repo = "o/r") {
    const auto json = ask("POST", "/_control/jobs", {{"labels", labels}, {"repo", repo}});
    REQUIRE(last.status == 201);
    return json["id"];
  }
  const Job& job(Id id) { return *api.world().model.job(id); }
  std::vector<std::string> listed(const std::string& query = "") {
    std::vector<std::string> names;
    const auto listing = ask("GET", runners + query);
    for (const auto& runner : listing["runners"])
      names.push_back(runner["name"]);
    return names;
  }

  std::string runners = "/repos/o/r/actions/runners";
};

using Names = std::vector<std::string>;

} // namespace ci::github_simulator
