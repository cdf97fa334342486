#pragma once
/// GitHub's webhooks: whether a delivery is GitHub's, and what it says.

#include "actors/domain/notice.hpp"
#include "http/request.hpp"

#include <array>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace ci::http {

/// The secret that GitHub signs deliveries with (`GITHUB_WEBHOOK_SECRET`), as the key of HMAC-SHA256. Any thread; may
/// be replaced while requests are served; overwritten when it dies.
class WebhookKey {
 public:
  explicit WebhookKey(std::string_view secret) { set(secret); }
  ~WebhookKey();
  WebhookKey(const WebhookKey&) = delete;
  WebhookKey& operator=(const WebhookKey&) = delete;

  /// An empty secret: webhooks are not taken.
  void set(std::string_view secret);
  bool usable() const;
  /// Whether \p signature is `sha256=` and the body's HMAC in lower-case hex, as `X-Hub-Signature-256` holds it.
  /// The digests are compared in constant time. False for any signature where there is no secret.
  bool signs(std::string_view body, std::string_view signature) const;

 private:
  mutable std::mutex mutex_;
  std::array<unsigned char, 64> block_{}; ///< the secret, or its digest where it is longer, and zeros
  bool usable_ = false;
};

/// What a delivery says. Exactly one holds, or none: an event that is of no use here.
struct Delivery {
  std::optional<domain::GithubNotice> notice;
  /// Why it can't be read, as one sentence; empty: it can.
  std::string complaint;
};

/// Reads a delivery of that event (`X-GitHub-Event`) whose signature was right. Pure. Members that it does not
/// need may be anything; ids, names and repositories are checked.
Delivery read_delivery(std::string_view event, std::string_view body);

/// Whether a Content-Type is JSON.
bool is_json_type(std::string_view content_type);

} // namespace ci::http
