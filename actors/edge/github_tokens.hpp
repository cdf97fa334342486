#pragma once
/// The token of a GitHub App's installation, which is good for an hour: renewed before it ends, and when GitHub refuses
/// it.

#include "actors/domain/github.hpp"
#include "actors/edge/github_http.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace ci::edge {

/// How the App proves itself. Holds no secret: the key is read each time that it signs.
struct GithubApp {
  /// The App's id or client id; empty: there is no App.
  std::string id;
  std::int64_t installation_id = 0;
  std::string private_key_file;
};

/// Lets requests go when there is a token for them. One renewal at a time: all who need it wait for the same. A renewal
/// that failed is not tried again for a while (doubling from 1 s to 30 s, or as long as GitHub said), and who comes
/// meanwhile is told so at once. Any thread.
class GithubTokens {
 public:
  /// Nothing: there is a token. Else why there is none; `retry_after` says when to come again.
  using Ready = std::function<void(const std::optional<domain::GithubError>&)>;
  using Submit = std::function<void(HttpRequest, HttpDone)>;
  using Install = std::function<void(std::string)>;

  /// `model`: where tokens are asked for; the POST has its deadline so long after its start. `install` gets each new
  /// token before anyone is let go.
  GithubTokens(GithubApp app, HttpRequest model, domain::Duration timeout, Submit submit, Install install);

  /// Calls `ready` at once, or when the renewal under way is over.
  void when_ready(Ready ready);
  /// GitHub refused this token: it is not used again.
  void refused(const std::string& token);
  /// Something was changed that may help: the next one who comes tries again at once.
  void try_again();

 private:
  void renew(bool again);
  void take(const HttpAnswer& answer, bool again);
  void succeed(std::string token, domain::Duration lifetime, domain::Steady sent);
  void fail(domain::GithubError error);
  /// True, and the clock's error noted, where GitHub's differs so much that this explains why it said no.
  bool learn_clock(const HttpAnswer& answer);

  const GithubApp app_;
  const HttpRequest model_;
  const domain::Duration timeout_;
  const Submit submit_;
  const Install install_;

  std::mutex mutex_; ///< guards all that follows
  std::string token_;
  domain::Steady renew_at_{}, ends_{};
  bool renewing_ = false;
  std::vector<Ready> waiting_;
  int failures_ = 0;
  domain::Steady next_try_{};
  domain::GithubError last_error_;
  std::int64_t clock_error_ = 0; ///< seconds that GitHub's clock is ahead of ours
  std::string own_trouble_;      ///< why no JWT could be made
  domain::Steady sent_{};
};

} // namespace ci::edge
