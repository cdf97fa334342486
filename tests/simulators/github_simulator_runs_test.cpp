#include "tests/simulators/github_simulator_fixture.hpp"

#include "tests/simulators/github_simulator/text.hpp"

using namespace ci::github_simulator;

namespace {

struct Uploading : Simulated {
  Id run = begin();

  Id begin(const Json& wanted = Json::object()) {
    const auto json = ask("POST", "/_control/runs", wanted);
    REQUIRE(last.status == 201);
    return json["id"];
  }
  Id upload(const std::string& name, Json more = Json::object()) {
    more["run_id"] = run;
    more["name"] = name;
    more["archive"] = base64("bytes of " + name);
    const auto json = ask("POST", "/_control/artifacts", more);
    REQUIRE(last.status == 201);
    return json["id"];
  }
  std::string run_path(const std::string& below = "") const {
    return "/repos/o/r/actions/runs/" + std::to_string(run) + below;
  }
  static std::string artifact_path(Id id, const std::string& below = "") {
    return "/repos/o/r/actions/artifacts/" + std::to_string(id) + below;
  }
  /// Asks the storage, as a client that follows the redirect.
  int fetch(const std::string& location,
            std::map<std::string, std::string> headers = {{"authorization", ""}}) {
    return status("GET", location.substr(location.find("/_storage")), nullptr, std::move(headers));
  }
};

} // namespace

TEST_CASE_FIXTURE(Uploading, "a run without jobs goes on until it is told otherwise") {
  CHECK(ask("GET", run_path())["status"] == "in_progress");
  CHECK(status("PUT", "/_control/runs/" + std::to_string(run),
               {{"status", "completed"}, {"conclusion", "cancelled"}}) == 200);
  const auto told = ask("GET", run_path());
  CHECK(told["status"] == "completed");
  CHECK(told["conclusion"] == "cancelled");
  CHECK(status("PUT", "/_control/runs/" + std::to_string(run), Json::object()) == 200);
  CHECK(ask("GET", run_path())["conclusion"].is_null());
}

TEST_CASE_FIXTURE(Uploading, "a run of a fork has another head") {
  run = begin({{"repo", "o/r"}, {"head_repo", "fork/r"}});
  CHECK(ask("GET", run_path())["head_repository"]["full_name"] == "fork/r");
  CHECK(ask("GET", run_path())["repository"]["full_name"] == "o/r");
}

TEST_CASE_FIXTURE(Uploading, "a run is cancelled once, with its jobs") {
  const auto job_id = ask("POST", "/_control/jobs", {{"labels", {"z"}}, {"run_id", run}})["id"].get<Id>();
  CHECK(status("POST", run_path("/cancel")) == 202);
  CHECK(job(job_id).conclusion == "cancelled");
  CHECK(status("POST", run_path("/cancel")) == 409);
}

TEST_CASE_FIXTURE(Uploading, "artifacts are listed by name, the newest first, in pages") {
  for (int i = 0; i < 40; ++i)
    upload("a" + std::to_string(i));
  const auto listing = ask("GET", run_path("/artifacts"));
  CHECK(listing["total_count"] == 40);
  CHECK(listing["artifacts"].size() == 30);
  CHECK(listing["artifacts"][0]["name"] == "a39");
  CHECK(!header("link").empty());
  CHECK(ask("GET", run_path("/artifacts?direction=asc"))["artifacts"][0]["name"] == "a0");
  const auto one = ask("GET", run_path("/artifacts?name=a7"));
  REQUIRE(one["total_count"] == 1);
  CHECK(one["artifacts"][0]["size_in_bytes"] == 11);
  CHECK(one["artifacts"][0]["id"] > 2'147'483'647);
  CHECK(status("GET", "/repos/o/other/actions/runs/" + std::to_string(run) + "/artifacts") == 404);
}

TEST_CASE_FIXTURE(Uploading, "an artifact of the same name replaces the former under a new id") {
  const auto first = upload("a"), second = upload("a");
  CHECK(first != second);
  CHECK(status("GET", artifact_path(first)) == 404);
  CHECK(status("DELETE", artifact_path(second)) == 204);
  CHECK(status("GET", artifact_path(second)) == 404);
}

TEST_CASE_FIXTURE(Uploading, "a download leads to another host, for a minute, and without credentials") {
  const auto id = upload("a");
  CHECK(status("GET", artifact_path(id, "/zip")) == 302);
  const auto location = header("location");
  CHECK(location.starts_with("http://localhost:1/_storage/"));
  CHECK(fetch(location) == 200);
  CHECK(last.body == "bytes of a");
  CHECK(fetch(location, {}) == 400);
  CHECK(fetch(location.substr(0, location.size() - 1)) == 403);
  pass(61s);
  CHECK(fetch(location) == 403);
}

TEST_CASE_FIXTURE(Uploading, "an expired artifact is listed and gone") {
  const auto id = upload("a", {{"expired", true}, {"age", 86'400}});
  const auto listed = ask("GET", run_path("/artifacts"))["artifacts"][0];
  CHECK(listed["expired"] == true);
  CHECK(listed["created_at"] == "2023-11-13T22:13:20Z");
  CHECK(status("GET", artifact_path(id, "/zip")) == 410);
}

TEST_CASE_FIXTURE(Uploading, "a download may be led astray, and the storage have faults") {
  const auto id = upload("a", {{"location", "http://169.254.169.254/"}});
  CHECK(status("GET", artifact_path(id, "/zip")) == 302);
  CHECK(header("location") == "http://169.254.169.254/");
  const auto other = upload("b");
  status("GET", artifact_path(other, "/zip"));
  const auto location = header("location");
  fault({{"operation", "storage"}, {"status", 503}});
  CHECK(fetch(location) == 503);
  CHECK(fetch(location) == 200);
}

TEST_CASE_FIXTURE(Uploading, "runs and artifacts survive a restart") {
  const auto id = upload("a");
  Api other{Identity{}};
  other.load(nlohmann::json::parse(api.save().dump()), now);
  REQUIRE(other.world().model.artifact(id));
  CHECK(other.world().model.artifact(id)->archive == "bytes of a");
  CHECK(other.world().model.run(run));
}
