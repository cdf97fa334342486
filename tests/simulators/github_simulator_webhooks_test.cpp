/// Webhooks: what is sent when, how it is signed, and how it may go astray.
#include "tests/simulators/github_simulator/text.hpp"
#include "tests/simulators/github_simulator_fixture.hpp"

using namespace ci::github_simulator;

namespace {

struct Hooked : Simulated {
  Hooked() { set({{"webhook_url", "http://127.0.0.1:9/github/webhook"}, {"webhook_secret", "It's a Secret to Everybody"}}); }

  /// Operations of what is to be sent now.
  std::vector<std::string> sent() {
    std::vector<std::string> operations;
    last_sent = api.take_webhooks();
    for (const auto& webhook : last_sent)
      operations.push_back(webhook.operation);
    return operations;
  }
  std::string header_of(const Webhook& webhook, const std::string& name) const {
    for (const auto& [field, value] : webhook.headers)
      if (field == name)
        return value;
    return {};
  }
  std::vector<Webhook> last_sent;
};

using Operations = std::vector<std::string>;

} // namespace

TEST_CASE("a job's life is told by webhooks, and its run's end") {
  Hooked github;
  const auto id = github.add("a");
  github.listen(id);
  const auto job = github.queue({"prof"});
  CHECK(github.sent() == Operations{"webhook_queued", "webhook_in_progress"});
  const auto queued = Json::parse(github.last_sent[0].body), begun = Json::parse(github.last_sent[1].body);
  CHECK(queued["action"] == "queued");
  CHECK(queued["workflow_job"]["runner_id"].is_null());
  CHECK(begun["action"] == "in_progress");
  CHECK(begun["workflow_job"]["id"] == job);
  CHECK(begun["workflow_job"]["runner_id"] == id);
  CHECK(begun["workflow_job"]["runner_name"] == "a");
  CHECK(begun["repository"]["full_name"] == "o/r");
  CHECK(github.does(id, "POST", "done", {{"conclusion", "success"}}) == 200);
  CHECK(github.sent() == Operations{"webhook_completed", "webhook_run"});
  const auto over = Json::parse(github.last_sent[1].body);
  CHECK(over["action"] == "completed");
  CHECK(over["workflow_run"]["conclusion"] == "success");
  CHECK(github.sent().empty());
}

TEST_CASE("a job that is cancelled before it began never had a runner") {
  Hooked github;
  const auto job = github.queue({"prof"});
  github.sent();
  CHECK(github.status("DELETE", "/_control/jobs/" + std::to_string(job)) == 200);
  CHECK(github.sent() == Operations{"webhook_completed", "webhook_run"});
  const auto cancelled = Json::parse(github.last_sent[0].body)["workflow_job"];
  CHECK(cancelled["conclusion"] == "cancelled");
  CHECK(cancelled["runner_id"].is_null());
}

TEST_CASE("deliveries are signed over their bytes and have ids of their own") {
  Hooked github;
  github.queue({"prof"});
  github.queue({"prof"});
  github.sent();
  REQUIRE(github.last_sent.size() == 2);
  const auto& first = github.last_sent[0];
  CHECK(github.header_of(first, "X-Hub-Signature-256") ==
        "sha256=" + hmac_sha256_hex("It's a Secret to Everybody", first.body));
  CHECK(github.header_of(first, "X-GitHub-Delivery").size() == 36);
  CHECK(github.header_of(first, "X-GitHub-Delivery") != github.header_of(github.last_sent[1], "X-GitHub-Delivery"));
  CHECK(github.header_of(first, "X-GitHub-Event") == "workflow_job");
}

TEST_CASE("webhooks are dropped, duplicated and delayed on demand, and counted") {
  Hooked github;
  github.fault({{"operation", "webhook_queued"}, {"kind", "drop"}});
  github.fault({{"operation", "webhook_queued"}, {"kind", "duplicate"}});
  github.fault({{"operation", "webhook_queued"}, {"kind", "delay"}, {"seconds", 3}});
  github.set({{"webhook_delay", 1}});
  github.queue({"prof"});
  CHECK(github.sent().empty());
  github.queue({"prof"});
  CHECK(github.sent().size() == 2);
  CHECK(github.header_of(github.last_sent[0], "X-GitHub-Delivery") ==
        github.header_of(github.last_sent[1], "X-GitHub-Delivery"));
  github.queue({"prof"});
  CHECK(github.sent().size() == 1);
  CHECK(github.last_sent[0].delay == 4s);
  CHECK(github.ask("GET", "/_control/state")["counters"]["webhook_queued"]["dropped"] == 1);
  CHECK(github.status("POST", "/_control/faults", {{"operation", "webhook_run"}, {"kind", "reset"}}) == 422);
  CHECK(github.status("POST", "/_control/faults", {{"operation", "list"}, {"kind", "drop"}}) == 422);
}

TEST_CASE("without an address nothing is sent, then or later") {
  Simulated github;
  github.queue({"prof"});
  CHECK(github.api.take_webhooks().empty());
  github.set({{"webhook_url", "http://127.0.0.1:9/"}});
  CHECK(github.api.take_webhooks().empty());
}
