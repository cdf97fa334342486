#pragma once
/// Taking labels off a runner, one exchange after the other.

#include "actors/domain/github.hpp"
#include "actors/edge/github_http.hpp"
#include "actors/edge/github_listing.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ci::edge {

/// One call's worth. Lives as long as the request in flight refers to it.
class GithubUnlabel : public std::enable_shared_from_this<GithubUnlabel> {
 public:
  using Done = std::function<void(domain::GithubReply<domain::Done>)>;

  /// `model` is a DELETE of the runner itself, of which only a copy with another path or method is ever sent.
  GithubUnlabel(HttpRequest model, domain::RegistrationId id, std::vector<std::string> labels, GithubAsk ask,
                Done done);
  /// Takes the next label off, or answers when none is left.
  void next();

 private:
  void take_answer(const HttpAnswer& answer);
  void look();
  void take_look(const HttpAnswer& answer);
  void finish(domain::GithubError error, const HttpAnswer& answer);

  const HttpRequest model_;
  const domain::RegistrationId id_;
  std::vector<std::string> left_; ///< the one being taken off is the last
  const GithubAsk ask_;
  const Done done_;
};

} // namespace ci::edge
