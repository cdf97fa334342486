#pragma once
/// Tokens and shared secrets, in a type that does not end up in a log by accident.

#include "config/complaint.hpp"
#include "config/environment.hpp"

#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ci::config {

/// A text that nobody may see. It can't be streamed, formatted, compared or converted; who needs it says
/// `reveal()`, which is easy to search for. Its bytes are overwritten when it dies.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&&) noexcept;
  Secret& operator=(const Secret&);
  Secret& operator=(Secret&&) noexcept;
  ~Secret();

  const std::string& reveal() const { return text_; }
  bool empty() const { return text_.empty(); }
  /// Whether `text` is the secret; takes the same time wherever they differ. An empty secret matches nothing.
  bool matches(std::string_view text) const;

  friend std::ostream& operator<<(std::ostream&, const Secret&) = delete;
  friend bool operator==(const Secret&, const Secret&) = delete;

 private:
  void wipe() noexcept;
  std::string text_;
};

struct Secrets {
  /// `GITHUB_TOKEN`; may be empty under `dont_register_runners`, or with a GitHub App.
  Secret github_token;
  /// `SERVO_CI_MONITOR_API_TOKEN`: what clients show as Bearer.
  Secret monitor_api_token;
  /// `GITHUB_WEBHOOK_SECRET`; none: webhooks are not accepted.
  std::optional<Secret> github_webhook_secret;
};

/// Takes the secrets out of the environment. Refuses what is missing, what came from an example, what can't
/// stand in an HTTP header and what can be guessed (the API token and the webhook secret: below 16
/// characters). No complaint repeats the value.
Secrets read_secrets(const Environment&, bool github_token_needed, std::vector<Complaint>& complaints);

} // namespace ci::config
