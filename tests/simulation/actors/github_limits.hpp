#pragma once
/// GitHub's limits as it tells of them, and whether a call heeds what was told (G11).

#include "actors/domain/github.hpp"
#include "actors/domain/github_pacing.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ci::test {

class GithubLimits {
 public:
  static constexpr std::int64_t hourly = 1'000;

  /// An answer with limits in it is on its way to a caller that asked at `asked` or later.
  void telling(domain::GithubShare share, domain::Steady asked, domain::Steady now,
               const domain::GithubError& error, const std::optional<domain::RateBudget>& budget) {
    telling_.push_back({share, asked, now, error, budget});
  }
  /// All messages are taken in: what was told is known now. Where its caller may have given up, nothing is
  /// sure.
  void all_heard(domain::Steady now) {
    for (auto& told : std::exchange(telling_, {}))
      if (now - told.asked < patience)
        know(told);
      else
        budget_.reset();
  }
  /// Why a call of that kind should not have come; empty: it may.
  std::string complaint(domain::GithubShare share, domain::Steady now) const {
    bool clearing = share == domain::GithubShare::clearing;
    if (now < (clearing ? clearing_until_ : ordinary_until_))
      return "was called before the end of its retry-after";
    auto left_to_others = clearing ? 0 : share == domain::GithubShare::look || share == domain::GithubShare::reserving
                              ? hourly / 100
                              : hourly / 50;
    if (!budget_ || now >= budget_until_ || budget_->remaining > left_to_others)
      return {};
    for (auto& told : telling_) // newer, and perhaps heard
      if (told.budget && told.budget->remaining > left_to_others)
        return {};
    return "was called although its budget is nearly spent";
  }

 private:
  struct Told {
    domain::GithubShare share;
    domain::Steady asked, at;
    domain::GithubError error;
    std::optional<domain::RateBudget> budget;
  };
  /// The registrations actor waits so long for any answer.
  static constexpr std::chrono::seconds patience{30};

  void know(const Told& told) {
    if (told.budget) {
      budget_ = told.budget;
      budget_until_ = told.at + told.budget->resets_in;
    }
    if (told.error.kind != domain::GithubError::Kind::limited)
      return;
    auto until = told.at + told.error.retry_after;
    ordinary_until_ = std::max(ordinary_until_, until);
    if (told.error.secondary || told.share == domain::GithubShare::clearing)
      clearing_until_ = std::max(clearing_until_, until);
  }

  std::vector<Told> telling_;
  domain::Steady ordinary_until_{}, clearing_until_{}, budget_until_{};
  std::optional<domain::RateBudget> budget_;
};

} // namespace ci::test
