#pragma once
/// A GitHub App: what it proves itself with, and the tokens of its installation.

#include "tests/simulators/github_simulator/http.hpp"

#include <map>
#include <string>

namespace ci::github_simulator {

/// The one App that there is, and its one installation; without an id there is none.
struct App {
  std::string id;
  Id installation = 0;
  std::string public_key; ///< PEM
};

/// Tokens that were given out, each with its end.
class AppTokens {
 public:
  /// The answer to POST /app/installations/{installation}/access_tokens with that `Authorization`. `now` is by GitHub's
  /// clock; the token is good for `lifetime`.
  Answer grant(const App&, Id installation, const std::string& authorization, Duration lifetime, Moment now);
  bool good(const std::string& token, Moment now) const;
  /// All that were given out are none any more.
  void revoke() { ends_.clear(); }

 private:
  std::map<std::string, Moment> ends_;
};

} // namespace ci::github_simulator
