#include "config/secrets.hpp"

#include "actors/domain/names.hpp"
#include "actors/domain/visible_ascii.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace ci::config {

Secret::Secret(Secret&& other) noexcept { text_.swap(other.text_); }

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    wipe();
    text_ = other.text_;
  }
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  text_.swap(other.text_);
  if (this != &other)
    other.wipe();
  return *this;
}

Secret::~Secret() { wipe(); }

void Secret::wipe() noexcept {
  // Volatile, or the compiler sees that nobody reads these bytes again and leaves them.
  volatile char* bytes = text_.data();
  for (std::size_t i = 0; i < text_.size(); ++i)
    bytes[i] = 0;
  text_.clear();
}

bool Secret::matches(std::string_view text) const {
  if (text_.empty())
    return false;
  unsigned difference = text.size() == text_.size() ? 0 : 1;
  for (std::size_t i = 0; i < text.size(); ++i)
    difference |= static_cast<unsigned char>(text[i]) ^ static_cast<unsigned char>(text_[i % text_.size()]);
  return difference == 0;
}

namespace {

constexpr std::size_t shortest_secret = 16;

/// Words that stand in examples and in no random token.
bool from_an_example(const std::string& value) {
  constexpr std::array words{"changeme",    "change-me", "change_me",  "changedme", "example",
                             "placeholder", "xxxxxxxx",  "replace-me", "replaceme", "your-token",
                             "your_token",  "yourtoken", "<token>"};
  const auto text = domain::to_lower(value);
  return std::any_of(words.begin(), words.end(), [&](const char* w) { return text.find(w) != text.npos; }) ||
         text.find_first_not_of(text.front()) == text.npos;
}

/// What was expected of the value instead; empty where it is fine.
std::string fault(const std::string& value, std::size_t shortest) {
  if (from_an_example(value))
    return "expected a secret of your own: this is an example value";
  if (!domain::is_visible_ascii(value))
    return "expected visible ASCII characters without spaces";
  if (value.size() < shortest)
    return "expected at least " + std::to_string(shortest) + " characters (try: openssl rand -hex 32)";
  return {};
}

struct Variable {
  std::string name;
  bool needed;
  std::size_t shortest;
};

Secret read_one(const Environment& environment, const Variable& variable,
                std::vector<Complaint>& complaints) {
  const auto found = environment.find(variable.name);
  std::string expected;
  if (found == environment.end() || found->second.empty())
    expected =
        variable.needed ? "expected a value: it is not set, neither in the environment nor in .env" : "";
  else
    expected = fault(found->second, variable.shortest);
  if (!expected.empty())
    complaints.push_back({"environment", 0, variable.name, expected});
  return found == environment.end() || !expected.empty() ? Secret{} : Secret{found->second};
}

} // namespace

Secrets read_secrets(const Environment& environment, bool github_token_needed,
                     std::vector<Complaint>& complaints) {
  Secrets secrets;
  secrets.github_token = read_one(environment, {"GITHUB_TOKEN", github_token_needed, 1}, complaints);
  secrets.monitor_api_token =
      read_one(environment, {"SERVO_CI_MONITOR_API_TOKEN", true, shortest_secret}, complaints);
  auto webhook = read_one(environment, {"GITHUB_WEBHOOK_SECRET", false, shortest_secret}, complaints);
  if (!webhook.empty())
    secrets.github_webhook_secret = std::move(webhook);
  return secrets;
}

} // namespace ci::config
