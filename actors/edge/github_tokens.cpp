#include "actors/edge/github_tokens.hpp"

#include "actors/domain/names.hpp"
#include "actors/domain/visible_ascii.hpp"
#include "actors/edge/app_jwt.hpp"
#include "actors/edge/github_json.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

namespace ci::edge {

using domain::Duration;
using domain::GithubError;
using domain::Steady;

namespace {

constexpr Duration first_token_pause{1'000};
constexpr Duration longest_token_pause{30'000};
/// A token is renewed so long before its end, and not used any more shortly before it: it has to arrive in time.
constexpr Duration renewed_before{300'000};
constexpr Duration unused_before{30'000};
/// GitHub's live for an hour. What says that it lives longer is asked for anew all the same.
constexpr Duration longest_token_life{24 * 3'600'000};
constexpr std::int64_t tolerable_clock_error = 20; ///< seconds

Steady token_clock() { return std::chrono::steady_clock::now(); }

std::int64_t server_date(const HttpAnswer& answer) { return curl_getdate(answer.header("date").c_str(), nullptr); }

struct InstallationToken {
  std::string token;
  Duration lifetime{0};
};

std::optional<InstallationToken> token_of(const Json& json, std::int64_t now) {
  auto token = json_member<std::string>(json, "token");
  const auto expires = domain::snapshot_time(json_member<std::string>(json, "expires_at").value_or(""));
  // What is sent leaves out all else, and would not be known again as this one when GitHub refuses it.
  if (!token || token->empty() || !domain::is_visible_ascii(*token) || !expires)
    return std::nullopt;
  const auto lifetime = *expires - domain::Time{std::chrono::seconds{now}};
  if (lifetime <= Duration{0})
    return std::nullopt;
  return InstallationToken{std::move(*token),
                           std::min(std::chrono::duration_cast<Duration>(lifetime), longest_token_life)};
}

} // namespace

GithubTokens::GithubTokens(GithubApp app, HttpRequest model, Duration timeout, Submit submit, Install install)
    : app_(std::move(app)), model_(std::move(model)), timeout_(timeout), submit_(std::move(submit)),
      install_(std::move(install)) {}

void GithubTokens::when_ready(Ready ready) {
  const auto now = token_clock();
  std::optional<GithubError> refusal;
  bool begin = false, wait = false;
  {
    std::lock_guard lock(mutex_);
    const bool good = !token_.empty() && now < ends_;
    const bool may_try = now >= next_try_;
    wait = !good && (renewing_ || may_try);
    begin = !renewing_ && may_try && (!good || now >= renew_at_);
    if (begin)
      renewing_ = true;
    if (wait)
      waiting_.push_back(ready);
    else if (!good) {
      refusal = last_error_;
      refusal->retry_after = std::chrono::ceil<Duration>(next_try_ - now);
    }
  }
  if (begin)
    renew(false);
  if (!wait)
    ready(refusal);
}

void GithubTokens::refused(const std::string& token) {
  std::lock_guard lock(mutex_);
  if (token == token_)
    token_.clear();
}

void GithubTokens::try_again() {
  std::lock_guard lock(mutex_);
  failures_ = 0;
  next_try_ = {};
}

void GithubTokens::renew(bool again) {
  auto request = model_;
  request.deadline = token_clock() + timeout_;
  // Signed in the client's thread, when the request's turn has come.
  request.own_token = [this]() -> std::optional<std::string> {
    std::unique_lock lock(mutex_);
    sent_ = token_clock();
    const auto now = std::time(nullptr) + clock_error_;
    lock.unlock(); // it takes a file and milliseconds
    auto made = sign_app_jwt(app_.private_key_file, app_.id, now);
    lock.lock();
    own_trouble_ = made.trouble;
    if (!made.trouble.empty())
      return std::nullopt;
    return std::move(made.jwt);
  };
  submit_(std::move(request), [this, again](const HttpAnswer& answer) { take(answer, again); });
}

void GithubTokens::take(const HttpAnswer& answer, bool again) {
  if (answer.fault == HttpAnswer::Fault::none && answer.status == 401 && !again && learn_clock(answer))
    return renew(true);
  const auto json = read_json(answer, 201);
  const auto date = server_date(answer);
  auto token = json ? token_of(*json.value, date > 0 ? date : std::time(nullptr)) : std::nullopt;
  if (token)
    return succeed(std::move(token->token), token->lifetime, sent_);
  fail(json ? malformed(answer, "the answer is no token that is still good") : json.error);
}

bool GithubTokens::learn_clock(const HttpAnswer& answer) {
  const auto date = server_date(answer);
  if (date <= 0)
    return false;
  std::lock_guard lock(mutex_);
  const auto error = date - std::time(nullptr);
  if (std::abs(error - clock_error_) <= tolerable_clock_error)
    return false;
  clock_error_ = error;
  return true;
}

void GithubTokens::succeed(std::string token, Duration lifetime, Steady sent) {
  install_(token);
  std::vector<Ready> waiting;
  {
    std::lock_guard lock(mutex_);
    token_ = std::move(token);
    renew_at_ = sent + lifetime - std::min(renewed_before, lifetime / 4);
    ends_ = sent + lifetime - std::min(unused_before, lifetime / 10);
    failures_ = 0;
    next_try_ = {};
    renewing_ = false;
    waiting.swap(waiting_);
  }
  for (const auto& ready : waiting)
    ready(std::nullopt);
}

void GithubTokens::fail(GithubError error) {
  std::vector<Ready> waiting;
  {
    std::lock_guard lock(mutex_);
    error.message = "no token of the GitHub App: " + (own_trouble_.empty() ? error.message : own_trouble_);
    auto pause = std::min(longest_token_pause, first_token_pause * (std::int64_t{1} << std::min(failures_, 10)));
    ++failures_;
    error.retry_after = std::max(error.retry_after, pause);
    next_try_ = token_clock() + error.retry_after;
    last_error_ = error;
    renewing_ = false;
    waiting.swap(waiting_);
  }
  for (const auto& ready : waiting)
    ready(error);
}

} // namespace ci::edge
