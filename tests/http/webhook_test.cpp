/// Webhooks: signatures, and what payloads say.
#include "http/webhook.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace ci::http;
using namespace ci::domain;
using nlohmann::json;
using Action = notice::Job::Action;

namespace {

json job_payload(const std::string& action = "in_progress") {
  return {{"action", action},
          {"workflow_job",
           {{"id", 100'520'616'165},
            {"run_id", 33'714'470'481},
            {"status", action},
            {"labels", {"self-hosted", "reserved-for:x"}},
            {"runner_id", 3'000'000'007},
            {"runner_name", "ci-runner-linux.7@ci0"}}},
          {"repository", {{"full_name", "octo-org/octo-repo"}}},
          {"sender", {{"login", "octocat"}}}};
}

notice::Job job_of(const json& payload) {
  const auto delivery = read_delivery("workflow_job", payload.dump());
  REQUIRE_MESSAGE(delivery.notice, delivery.complaint);
  return std::get<notice::Job>(*delivery.notice);
}
std::string complaint_of(const char* event, const std::string& body) {
  const auto delivery = read_delivery(event, body);
  CHECK(!delivery.notice);
  return delivery.complaint;
}

} // namespace

TEST_CASE("a signature is right exactly as GitHub's documentation computes it") {
  WebhookKey key("It's a Secret to Everybody");
  const std::string right = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
  CHECK(key.signs("Hello, World!", right));
  CHECK(!key.signs("Hello, World", right));
  CHECK(!key.signs("Hello, World!\n", right));
  for (std::size_t at = 0; at < right.size(); ++at) {
    auto wrong = right;
    wrong[at] ^= 1;
    CHECK(!key.signs("Hello, World!", wrong));
  }
  CHECK(!key.signs("Hello, World!", ""));
  CHECK(!key.signs("Hello, World!", "sha256="));
  CHECK(!key.signs("Hello, World!", right + "0"));
  CHECK(!key.signs("Hello, World!", right.substr(7)));
  CHECK(!key.signs("Hello, World!", "sha1=" + right.substr(7)));
}

TEST_CASE("a secret may be short or longer than the digest's block, hold any byte, and change (RFC 4231)") {
  WebhookKey key(std::string(20, '\x0b'));
  CHECK(key.signs("Hi There", "sha256=b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"));
  key.set(std::string(131, '\xaa'));
  CHECK(key.signs("Test Using Larger Than Block-Size Key - Hash Key First",
                  "sha256=60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"));
  CHECK(!key.signs("Hi There", "sha256=b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"));
}

TEST_CASE("without a secret nothing is signed, not even with the empty one") {
  WebhookKey key("");
  CHECK(!key.usable());
  // HMAC-SHA256 of nothing with nothing.
  CHECK(!key.signs("", "sha256=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"));
  key.set("a");
  CHECK(key.usable());
  key.set("");
  CHECK(!key.usable());
}

TEST_CASE("a job's payload says what became of it, and who has it") {
  const auto job = job_of(job_payload());
  CHECK(job.action == Action::in_progress);
  CHECK(job.repository == "octo-org/octo-repo");
  CHECK(job.run == 33'714'470'481);
  CHECK(job.runner == 3'000'000'007);
  CHECK(job.runner_name == "ci-runner-linux.7@ci0");
  CHECK(job.labels == std::vector<std::string>{"self-hosted", "reserved-for:x"});
  CHECK(job_of(job_payload("completed")).action == Action::completed);
  for (const auto* action : {"queued", "waiting", "something new"})
    CHECK(job_of(job_payload(action)).action == Action::queued);
}

TEST_CASE("a job that has no runner says so by nulls, or leaves it out") {
  auto payload = job_payload("completed");
  payload["workflow_job"]["runner_id"] = nullptr;
  payload["workflow_job"]["runner_name"] = nullptr;
  CHECK(job_of(payload).runner == 0);
  CHECK(job_of(payload).runner_name.empty());
  payload["workflow_job"].erase("runner_id");
  payload["workflow_job"].erase("labels");
  CHECK(job_of(payload).runner == 0);
  CHECK(job_of(payload).labels.empty());
}

TEST_CASE("members of the wrong type are as if they were not there") {
  auto payload = job_payload();
  payload["workflow_job"]["runner_id"] = "7";
  payload["workflow_job"]["labels"] = {1, nullptr, "a"};
  CHECK(job_of(payload).runner == 0);
  CHECK(job_of(payload).labels == std::vector<std::string>{"a"});
  for (const json& no_id : {json(-5), json(1.5), json(UINT64_MAX), json(json::array())}) {
    payload["workflow_job"]["runner_id"] = no_id;
    CHECK(job_of(payload).runner == 0);
  }
  payload["workflow_job"]["labels"] = json(std::vector<std::string>(1000, "l"));
  CHECK(job_of(payload).labels.size() == 100);
}

TEST_CASE("what is needed and not there is a complaint") {
  for (const auto* needed : {"action", "workflow_job", "repository"}) {
    auto payload = job_payload();
    payload.erase(needed);
    CHECK(!complaint_of("workflow_job", payload.dump()).empty());
    payload[needed] = 7;
    CHECK(!complaint_of("workflow_job", payload.dump()).empty());
  }
  auto payload = job_payload();
  payload["repository"]["full_name"] = "../../etc/passwd";
  CHECK(!complaint_of("workflow_job", payload.dump()).empty());
  payload = job_payload();
  payload["workflow_job"]["run_id"] = 0;
  CHECK(!complaint_of("workflow_job", payload.dump()).empty());
  for (const auto* event : {"workflow_job", "workflow_run", "ping"})
    for (const auto* body : {"", "{", "[]", "null", "payload=%7B%7D", "\xff"})
      CHECK(complaint_of(event, body) == "The body is no JSON object.");
}

TEST_CASE("of runs only the end is of use") {
  json payload = {{"action", "completed"},
                  {"workflow_run", {{"id", 33'714'470'481}, {"conclusion", "cancelled"}}},
                  {"repository", {{"full_name", "octo-org/octo-repo"}}}};
  const auto over = read_delivery("workflow_run", payload.dump());
  REQUIRE(over.notice);
  CHECK(std::get<notice::RunOver>(*over.notice).run == 33'714'470'481);
  CHECK(std::get<notice::RunOver>(*over.notice).repository == "octo-org/octo-repo");
  payload["action"] = "requested";
  const auto begun = read_delivery("workflow_run", payload.dump());
  CHECK(!begun.notice);
  CHECK(begun.complaint.empty());
  payload["action"] = "completed";
  payload["workflow_run"].erase("id");
  CHECK(!complaint_of("workflow_run", payload.dump()).empty());
}

TEST_CASE("a ping says nothing, and of other events nothing is read") {
  CHECK(complaint_of("ping", R"({"zen": "Design for failure.", "hook_id": 1})").empty());
  for (const auto* event : {"push", "check_run", "workflow_dispatch", "Workflow_Job"})
    CHECK(complaint_of(event, "no JSON at all").empty());
}

TEST_CASE("a payload that is only deep costs no depth of ours") {
  std::string deep(500'000, '[');
  CHECK(!complaint_of("workflow_job", deep).empty());
  auto payload = job_payload();
  json nested = json::array();
  for (int i = 0; i < 200; ++i)
    nested = json::array({std::move(nested)});
  payload["installation"] = nested;
  CHECK(job_of(payload).runner == 3'000'000'007);
}

TEST_CASE("JSON may say its charset") {
  CHECK(is_json_type("application/json"));
  CHECK(is_json_type("Application/JSON; charset=utf-8"));
  CHECK(is_json_type("application/json ;x=y"));
  CHECK(!is_json_type("application/x-www-form-urlencoded"));
  CHECK(!is_json_type("application/jsonp"));
  CHECK(!is_json_type(""));
}
