#include "tests/simulators/github_simulator_fixture.hpp"

using namespace ci::github_simulator;

TEST_CASE_FIXTURE(Simulated, "a job waits for a runner that has all its labels, whatever their case") {
  listen(add("a", {"self-hosted", "Prof"}));
  const auto work = queue({"SELF-HOSTED", "prof", "reserved-for:1"});
  CHECK(job(work).status == "queued");
  CHECK(job(work).runner == 0);
  const auto id = api.world().model.runners().begin()->first;
  CHECK(status("POST", path(id, "/labels"), {{"labels", {"Reserved-For:1"}}}) == 200);
  CHECK(job(work).status == "in_progress");
  CHECK(job(work).runner == id);
}

TEST_CASE_FIXTURE(Simulated, "runners of an organization work for its repositories, and no others") {
  const auto id = ask("POST", "/orgs/O/actions/runners/generate-jitconfig",
                      {{"name", "a"}, {"runner_group_id", 1}, {"labels", {"x"}}})["runner"]["id"]
                      .get<Id>();
  listen(id);
  CHECK(job(queue({"x"}, "other/r")).status == "queued");
  CHECK(job(queue({"x"}, "o/R")).status == "in_progress");
  CHECK(status("GET", path(id)) == 404);
}

TEST_CASE_FIXTURE(Simulated, "the oldest job is first, and may be held back") {
  set({{"assign_delay", 5}});
  const auto first = queue({"prof"});
  pass(1s);
  const auto second = queue({"prof"});
  const auto id = add("a");
  listen(id);
  CHECK(api.next_change() == now + 4s);
  pass(4s);
  CHECK(job(first).runner == id);
  CHECK(job(second).status == "queued");
}

TEST_CASE_FIXTURE(Simulated, "a job that did not arrive is queued again") {
  const auto id = add("a");
  const auto work = queue({"prof"});
  listen(id);
  CHECK(last.gives_job_to == id);
  api.undelivered(last, now);
  CHECK(job(work).status == "queued");
  CHECK(get(id)["busy"] == false);
}

TEST_CASE_FIXTURE(Simulated, "a queued job is cancelled at once, a running one by its runner") {
  const auto queued = queue({"none"});
  CHECK(status("DELETE", "/_control/jobs/" + std::to_string(queued)) == 200);
  CHECK(job(queued).conclusion == "cancelled");
  CHECK(status("DELETE", "/_control/jobs/" + std::to_string(queued)) == 409);
  const auto work = queue({"prof"});
  const auto id = add("a");
  listen(id);
  CHECK(status("DELETE", "/_control/jobs/" + std::to_string(work)) == 200);
  CHECK(job(work).status == "in_progress");
  does(id, "POST", "alive");
  CHECK(Json::parse(last.body)["cancel"] == true);
}

TEST_CASE_FIXTURE(Simulated, "a run is what its jobs are") {
  const auto first = queue({"prof"});
  const auto run = job(first).run;
  const auto url = "/repos/o/r/actions/runs/" + std::to_string(run);
  CHECK(status("POST", "/_control/jobs", {{"labels", {"z"}}, {"run_id", run}}) == 201);
  CHECK(status("POST", "/_control/jobs", {{"labels", {"z"}}, {"run_id", 5}}) == 422);
  CHECK(ask("GET", url)["status"] == "queued");
  const auto id = add("a");
  listen(id);
  CHECK(ask("GET", url)["status"] == "in_progress");
  const auto jobs = ask("GET", url + "/jobs");
  CHECK(jobs["total_count"] == 2);
  CHECK(jobs["jobs"][0]["runner_id"] == id);
  CHECK(jobs["jobs"][1]["runner_name"].is_null());
  does(id, "POST", "done");
  status("DELETE", "/_control/jobs/" + std::to_string(first + 1));
  CHECK(ask("GET", url)["conclusion"] == "cancelled");
  CHECK(status("GET", "/repos/o/other/actions/runs/" + std::to_string(run)) == 404);
}

TEST_CASE_FIXTURE(Simulated, "labels that the runner program would add by itself cannot be taken away") {
  const auto id = add("a", {"self-hosted", "X64", "prof", "PROF"});
  const auto all = ask("GET", path(id, "/labels"));
  CHECK(all["total_count"] == 3);
  CHECK(all["labels"][1]["type"] == "read-only");
  CHECK(all["labels"][2]["type"] == "custom");
  CHECK(status("DELETE", path(id, "/labels/x64")) == 422);
  CHECK(status("DELETE", path(id, "/labels/none")) == 404);
  CHECK(ask("DELETE", path(id, "/labels/Prof"))["total_count"] == 2);
  CHECK(ask("PUT", path(id, "/labels"), {{"labels", {"b", "c/d:e", "Linux"}}})["total_count"] == 5);
  CHECK(ask("DELETE", path(id, "/labels/c%2Fd%3ae"))["total_count"] == 4);
  CHECK(ask("DELETE", path(id, "/labels/linux"))["total_count"] == 3);
  CHECK(ask("DELETE", path(id, "/labels"))["total_count"] == 2);
}

TEST_CASE_FIXTURE(Simulated, "a label has the same id on every runner") {
  const auto one = ask("GET", path(add("a", {"x", "y"}), "/labels"));
  const auto other = ask("GET", path(add("b", {"Y"}), "/labels"));
  CHECK(one["labels"][1]["id"] == other["labels"][0]["id"]);
}

TEST_CASE_FIXTURE(Simulated, "1 to 100 labels are added, 0 to 100 replace") {
  const auto id = add("a");
  const LabelNames full(100, "x"), over(101, "x"), none;
  CHECK(status("POST", path(id, "/labels"), {{"labels", full}}) == 200);
  CHECK(status("POST", path(id, "/labels"), {{"labels", over}}) == 422);
  CHECK(status("POST", path(id, "/labels"), {{"labels", none}}) == 422);
  CHECK(status("PUT", path(id, "/labels"), {{"labels", none}}) == 200);
  CHECK(status("PUT", path(id, "/labels"), {{"labels", over}}) == 422);
  CHECK(status("PUT", path(id, "/labels"), {{"labels", "x"}}) == 422);
  CHECK(status("PUT", path(id, "/labels"), {{"labels", {1}}}) == 422);
  CHECK(status("PUT", path(id, "/labels"), Json::object()) == 422);
}
