#include "tests/simulators/github_simulator/webhooks.hpp"

#include "tests/simulators/github_simulator/http.hpp"
#include "tests/simulators/github_simulator/render.hpp"
#include "tests/simulators/github_simulator/text.hpp"

namespace ci::github_simulator {

namespace {

constexpr const char* api_url = "https://api.github.com";

/// A random UUID.
std::string webhook_id() {
  auto text = random_token();
  text[12] = '4';
  text[16] = 'a';
  for (const auto at : {20, 16, 12, 8})
    text.insert(static_cast<std::size_t>(at), "-");
  return text;
}

} // namespace

Webhook make_webhook(const Happening& happening, const Model& model) {
  const auto& settings = model.settings();
  Webhook webhook{happening.operation, settings.webhook_url, {}, dumped(payload_json(happening, model, api_url)),
                    settings.webhook_delay};
  webhook.headers = {
      {"Content-Type", "application/json"},
      {"User-Agent", "GitHub-Hookshot/5ca9ad1"},
      {"Accept", "*/*"},
      {"X-GitHub-Event", happening.operation == "webhook_run" ? "workflow_run" : "workflow_job"},
      {"X-GitHub-Delivery", webhook_id()},
      {"X-GitHub-Hook-ID", "292430182"},
      {"X-GitHub-Hook-Installation-Target-Type", "repository"},
      {"X-GitHub-Hook-Installation-Target-ID", "1300000001"},
      {"X-Hub-Signature-256", "sha256=" + hmac_sha256_hex(settings.webhook_secret, webhook.body)}};
  return webhook;
}

} // namespace ci::github_simulator
