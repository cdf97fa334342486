#include "http/webhook.hpp"

#include "actors/domain/names.hpp"
#include "http/digest.hpp"

#include <nlohmann/json.hpp>

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include <algorithm>

namespace ci::http {

namespace {

using nlohmann::json;

constexpr std::string_view scheme_of_signature = "sha256=";
/// GitHub allows so many labels on a runner; a runs-on with more waits for nobody.
constexpr std::size_t most_labels = 100;
/// Deeper than any payload of GitHub's.
constexpr int deepest_payload = 32;

/// Null where there is no such object.
const json* object_in(const json& from, const char* name) {
  const auto found = from.find(name);
  return found != from.end() && found->is_object() ? &*found : nullptr;
}

/// Empty where it is null or not there.
std::string text_in(const json& from, const char* name) {
  const auto found = from.find(name);
  return found != from.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// 0 where it is null, not there, or no positive 63-bit integer.
std::int64_t id_in(const json& from, const char* name) {
  const auto found = from.find(name);
  if (found == from.end() || !found->is_number_integer() ||
      (found->is_number_unsigned() && found->get<std::uint64_t>() > INT64_MAX))
    return 0;
  return std::max<std::int64_t>(0, found->get<std::int64_t>());
}

/// What both events have in common; the complaint is empty where all of it is there.
struct OfRun {
  const json* inner = nullptr;
  std::string repository;
  std::string complaint;
};

OfRun of_run(const json& payload, const char* name) {
  OfRun result;
  result.inner = object_in(payload, name);
  if (const auto* repository = object_in(payload, "repository"))
    result.repository = text_in(*repository, "full_name");
  if (!result.inner)
    result.complaint = std::string("There is no ") + name + " in the payload.";
  else if (!domain::is_qualified_repo(result.repository))
    result.complaint = "There is no repository in the payload.";
  else if (text_in(payload, "action").empty())
    result.complaint = "There is no action in the payload.";
  return result;
}

Delivery complaining(std::string complaint) { return {std::nullopt, std::move(complaint)}; }

Delivery read_job_event(const json& payload) {
  using Action = domain::notice::Job::Action;
  const auto common = of_run(payload, "workflow_job");
  if (!common.complaint.empty())
    return complaining(common.complaint);
  const auto& given = *common.inner;
  domain::notice::Job job;
  const auto action = text_in(payload, "action");
  job.action = action == "in_progress" ? Action::in_progress
               : action == "completed" ? Action::completed
                                       : Action::queued;
  job.repository = common.repository;
  job.run = id_in(given, "run_id");
  if (job.run == 0)
    return complaining("The job has no run_id.");
  job.runner = id_in(given, "runner_id");
  job.runner_name = text_in(given, "runner_name");
  if (const auto labels = given.find("labels"); labels != given.end() && labels->is_array())
    for (const auto& label : *labels)
      if (label.is_string() && job.labels.size() < most_labels)
        job.labels.push_back(label.get<std::string>());
  return {domain::GithubNotice(std::move(job)), {}};
}

Delivery read_run_event(const json& payload) {
  const auto common = of_run(payload, "workflow_run");
  if (!common.complaint.empty())
    return complaining(common.complaint);
  if (text_in(payload, "action") != "completed")
    return {};
  domain::notice::RunOver over{common.repository, id_in(*common.inner, "id")};
  if (over.run == 0)
    return complaining("The run has no id.");
  return {domain::GithubNotice(std::move(over)), {}};
}

} // namespace

WebhookKey::~WebhookKey() { OPENSSL_cleanse(block_.data(), block_.size()); }

void WebhookKey::set(std::string_view secret) {
  std::lock_guard lock(mutex_);
  OPENSSL_cleanse(block_.data(), block_.size());
  block_.fill(0);
  if (secret.size() > block_.size()) {
    const auto digest = sha256(secret);
    std::copy(digest.begin(), digest.end(), block_.begin());
  } else
    std::copy(secret.begin(), secret.end(), block_.begin());
  usable_ = !secret.empty();
}

bool WebhookKey::usable() const {
  std::lock_guard lock(mutex_);
  return usable_;
}

bool WebhookKey::signs(std::string_view body, std::string_view signature) const {
  // Who shows nothing of the kind costs nothing.
  if (signature.size() != scheme_of_signature.size() + 2 * Sha256{}.size() ||
      !signature.starts_with(scheme_of_signature))
    return false;
  Sha256 digest{};
  unsigned size = digest.size();
  {
    std::lock_guard lock(mutex_);
    if (!usable_)
      return false;
    HMAC(EVP_sha256(), block_.data(), static_cast<int>(block_.size()),
         reinterpret_cast<const unsigned char*>(body.data()), body.size(), digest.data(), &size);
  }
  const auto right = std::string(scheme_of_signature) + hex(digest);
  return CRYPTO_memcmp(signature.data(), right.data(), right.size()) == 0;
}

Delivery read_delivery(std::string_view event, std::string_view body) {
  const bool of_job = event == "workflow_job";
  if (!of_job && event != "workflow_run" && event != "ping")
    return {};
  const auto shallow = [](int depth, json::parse_event_t, const json&) { return depth <= deepest_payload; };
  const auto payload = json::parse(body.begin(), body.end(), shallow, false);
  if (payload.is_discarded() || !payload.is_object())
    return complaining("The body is no JSON object.");
  if (event == "ping")
    return {};
  return of_job ? read_job_event(payload) : read_run_event(payload);
}

bool is_json_type(std::string_view content_type) {
  auto type = content_type.substr(0, content_type.find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t'))
    type.remove_suffix(1);
  return equal_caseless(type, "application/json");
}

} // namespace ci::http
