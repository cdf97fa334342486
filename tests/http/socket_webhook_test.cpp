/// Webhooks over real sockets: who is believed, what is answered, and what reaches the monitor.
#include "tests/http/service.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <openssl/hmac.h>

using namespace test;
using nlohmann::json;
using ci::domain::notice::Job;

namespace {

const std::string webhook_secret = "a-webhook-secret-of-the-tests";
constexpr auto webhook = "/github/webhook";

ci::http::Options webhook_options() {
  auto options = test_options();
  options.webhook_secret = webhook_secret;
  return options;
}

std::string signature(const std::string& body, const std::string& secret = webhook_secret) {
  unsigned char digest[32];
  unsigned size = sizeof digest;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(body.data()), body.size(), digest, &size);
  char text[65];
  for (int i = 0; i < 32; ++i)
    std::snprintf(text + 2 * i, 3, "%02x", digest[i]);
  return "X-Hub-Signature-256: sha256=" + std::string(text) + "\r\n";
}

const std::string json_type = "Content-Type: application/json\r\n";
const std::string job_event = "X-GitHub-Event: workflow_job\r\n";
const std::string begun =
    R"({"action":"in_progress","workflow_job":{"run_id":5,"runner_id":7,"runner_name":"n","labels":[]},)"
    R"("repository":{"full_name":"o/r"}})";

RawAnswer post(RawClient& client, const std::string& body, const std::string& headers) {
  client.ask("POST", webhook, headers + "Content-Length: " + std::to_string(body.size()) + "\r\n");
  return client.send(body).answer();
}
RawAnswer deliver(RawClient& client, const std::string& body, const std::string& event = job_event) {
  return post(client, body, signature(body) + event + json_type);
}

} // namespace

TEST_CASE("a delivery that GitHub signed is answered at once and reaches the monitor") {
  Service service(webhook_options());
  auto client = service.client();
  const auto answer = deliver(client, begun);
  CHECK(answer.status == 202);
  CHECK(answer.body.empty());
  CHECK(answer.header("cache-control") == "no-store");
  REQUIRE(service.script->noticed.wait());
  std::lock_guard lock(service.script->mutex);
  const auto& job = std::get<Job>(service.script->notices.at(0));
  CHECK(job.runner == 7);
  CHECK(job.action == Job::Action::in_progress);
}

TEST_CASE("what GitHub did not sign is 403 and reaches nobody") {
  Service service(webhook_options());
  auto client = service.client();
  const auto rest = job_event + json_type;
  check_problem(post(client, begun, rest), 403);
  check_problem(post(client, begun, signature(begun, "another-secret-of-anyone") + rest), 403);
  check_problem(post(client, begun, signature(begun + " ") + rest), 403);
  check_problem(post(client, begun, signature(begun) + signature(begun) + rest), 403);
  check_problem(post(client, begun, std::string(with_token) + rest), 403);
  CHECK(deliver(client, begun).status == 202);
  REQUIRE(service.script->noticed.wait());
  CHECK(service.script->noticed.count() == 1);
}

TEST_CASE("the signature is over the bytes as they came") {
  Service service(webhook_options());
  auto client = service.client();
  const auto odd = " \r\n\t" + begun + "\n";
  CHECK(deliver(client, odd).status == 202);
  check_problem(post(client, begun, signature(odd) + job_event + json_type), 403);
}

TEST_CASE("a right signature comes first, then the content type, the event and the body") {
  Service service(webhook_options());
  auto client = service.client();
  check_problem(post(client, "{", signature("x") + "Content-Type: text/plain\r\n"), 403);
  check_problem(post(client, begun, signature(begun) + job_event), 400);
  check_problem(
      post(client, begun, signature(begun) + job_event + "Content-Type: application/x-www-form-urlencoded\r\n"), 400);
  check_problem(post(client, begun, signature(begun) + json_type), 400);
  check_problem(deliver(client, "{"), 400);
  check_problem(deliver(client, "{}"), 400);
  CHECK(service.script->noticed.count() == 0);
}

TEST_CASE("pings and events of other kinds are taken and ignored") {
  Service service(webhook_options(), false); // before the first crank, too
  auto client = service.client();
  CHECK(deliver(client, R"({"zen":"Keep it logically awesome."})", "X-GitHub-Event: ping\r\n").status == 202);
  CHECK(deliver(client, "{}", "X-GitHub-Event: push\r\n").status == 202);
  CHECK(service.script->noticed.count() == 0);
  check_problem(deliver(client, begun), 503);
}

TEST_CASE("without a secret there is no such path, and a reload can bring and take it") {
  Service service;
  auto client = service.client();
  check_problem(deliver(client, begun), 404);
  service.api.set_webhook_secret(webhook_secret);
  CHECK(deliver(client, begun).status == 202);
  service.api.set_webhook_secret("another-secret-of-the-tests");
  check_problem(deliver(client, begun), 403);
  service.api.set_webhook_secret("");
  check_problem(deliver(client, begun), 404);
  CHECK(client.get(webhook).status == 405);
}

TEST_CASE("guests may not post webhooks") {
  auto options = webhook_options();
  options.guest_network = *ci::domain::parse_network("127.0.0.0/8");
  Service service(options);
  auto client = service.client();
  check_problem(deliver(client, begun), 404);
  CHECK(service.script->noticed.count() == 0);
}

TEST_CASE("a body over 1 MiB is 413, one of just that is looked at") {
  Service service(webhook_options());
  auto client = service.client();
  const std::string whole((1 << 20) - begun.size(), ' ');
  CHECK(deliver(client, whole + begun).status == 202);
  check_problem(deliver(client, whole + begun + " "), 413);
}

TEST_CASE("who sends wrong signatures is told to wait; what GitHub signed is taken from wherever it comes") {
  auto options = webhook_options();
  options.limits.wrong_signatures_per_minute = 3;
  options.trusted_proxies = {*ci::domain::parse_network("127.0.0.1")};
  Service service(options);
  auto client = service.client();
  const std::string stranger = "X-Real-IP: 192.0.2.1\r\n", rest = job_event + json_type;
  for (int i = 0; i < 3; ++i)
    check_problem(post(client, begun, stranger + job_event + json_type), 403);
  const auto answer = post(client, begun, stranger + job_event + json_type);
  check_problem(answer, 429);
  CHECK(std::stoi(answer.header("retry-after")) > 0);
  // Anybody can have GitHub deliver what was signed with another secret, from GitHub's own addresses.
  for (const auto* source : {"192.0.2.1", "192.0.2.2"})
    for (int i = 0; i < 10; ++i)
      CHECK(post(client, begun, signature(begun) + "X-Real-IP: " + source + "\r\n" + rest).status == 202);
  check_problem(post(client, begun, stranger + job_event + json_type), 429);
}

TEST_CASE("a flood of deliveries that the monitor does not take in is bounded, and nothing is left over") {
  Service service(webhook_options());
  auto client = service.client();
  const auto waiting = service.api.context().waiting_notices;
  waiting->store(1'000);
  const auto refused = deliver(client, begun);
  check_problem(refused, 503);
  CHECK(refused.header("retry-after") == "1");
  waiting->store(0);
  for (int i = 0; i < 50; ++i)
    CHECK(deliver(client, begun).status == 202);
  REQUIRE(service.script->noticed.wait(50));
  const auto deadline = std::chrono::steady_clock::now() + RawClient::patience;
  while (waiting->load() != 0 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  CHECK(waiting->load() == 0);
}

TEST_CASE("deliveries that come while there is no monitor are lost, and nobody waits") {
  Service service(webhook_options());
  auto client = service.client();
  service.kill_gateway();
  CHECK(deliver(client, begun).status == 202);
  CHECK(service.script->noticed.count() == 0);
}
