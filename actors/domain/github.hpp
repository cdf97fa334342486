#pragma once
/// What GitHub says, as values. The edge turns HTTP into these; the decisions read nothing else of GitHub.

#include "actors/domain/types.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ci::domain {

/// A self-hosted runner's record at GitHub.
struct Registration {
  RegistrationId id = 0;
  std::string name;
  /// "online" or "offline"; other words are kept as they came.
  std::string status;
  bool busy = false;
  std::vector<std::string> labels;

  bool online() const { return status == "online"; }
  friend bool operator==(const Registration&, const Registration&) = default;
};

/// Why GitHub did not do what it was asked.
struct GithubError {
  enum class Kind {
    none,          ///< no error
    not_found,     ///< 404, 410
    conflict,      ///< 409: the name is taken; by somebody else, since no registration is sent twice
    unprocessable, ///< 422: for a DELETE, the runner is busy
    unauthorized,  ///< 401, and 403 that is no rate limit
    limited,       ///< 429, and 403 with a rate limit's marks; `retry_after` says until when
    server,        ///< 5xx: may have acted
    unreachable,   ///< no connection, time-out, reset, cut off: may have acted, unless it is `unsent`
    malformed,     ///< an answer that is too large, no JSON, or of the wrong shape: may have acted
    refused,       ///< any other 3xx or 4xx
  };
  Kind kind = Kind::none;
  int status = 0; ///< HTTP status; 0 where none came
  /// One line for people; holds no secret.
  std::string message;
  /// How long to leave GitHub alone; zero where it did not say.
  Duration retry_after{0};
  /// Of a `limited` one: too much at once, rather than the hour's budget spent. Then every call makes it
  /// worse.
  bool secondary = false;
  /// Of an `unreachable` one: nothing of the request has left this host.
  bool unsent = false;

  explicit operator bool() const { return kind != Kind::none; }
  /// Whether the answer says nothing of the one runner that was asked about, but of GitHub as a whole.
  bool general() const {
    switch (kind) {
    case Kind::unauthorized:
    case Kind::limited:
    case Kind::server:
    case Kind::unreachable:
    case Kind::malformed:
      return true;
    default:
      return false;
    }
  }
  /// Kind and message, for people.
  std::string text() const;
  /// Whether GitHub may have done what was asked although the answer was lost.
  bool may_have_acted() const {
    return kind == Kind::server || (kind == Kind::unreachable && !unsent) || kind == Kind::malformed;
  }
};
/// A short word for logs and metric labels.
const char* to_string(GithubError::Kind);

/// What an answer's rate-limit headers said of the account's hourly budget.
struct RateBudget {
  std::int64_t limit = 0;
  std::int64_t remaining = 0;
  /// Until the count begins anew.
  Duration resets_in{0};
  friend bool operator==(const RateBudget&, const RateBudget&) = default;
};

/// A value, or why there is none. Exactly one of the two holds.
template <class T>
struct GithubReply {
  std::optional<T> value;
  GithubError error;
  /// Of the last HTTP exchange, where it said so.
  std::optional<RateBudget> budget{};

  static GithubReply ok(T v) { return {std::move(v), {}}; }
  static GithubReply failed(GithubError e) { return {std::nullopt, std::move(e)}; }
  explicit operator bool() const { return value.has_value(); }
};
/// For calls whose success carries nothing.
struct Done {};

/// A complete listing: all pages. A listing of which any page failed is no listing.
struct RegistrationListing {
  std::vector<Registration> runners;
  /// When the first page was asked for. What happened later may be missing from it.
  Steady started_at{};
  /// When the token that was shown ends; none where GitHub does not say.
  std::optional<Time> token_expires_at{};
};

/// What generate-jitconfig is asked.
struct JitRequest {
  std::string name;
  std::vector<std::string> labels;
  std::string work_folder;
  int runner_group_id = 1;
};

/// What generate-jitconfig answered. `encoded_jit_config` is a secret.
struct JitRegistration {
  Registration registration;
  std::string encoded_jit_config;
};

} // namespace ci::domain
