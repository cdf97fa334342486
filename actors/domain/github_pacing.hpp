#pragma once
/// When to leave GitHub alone: what its rate limits said, and which calls may still go. Pure; time is an
/// argument.
///
/// The rule
/// - A `limited` answer closes a gate for as long as GitHub said, 60 s where it did not say. A further one in a row
///   closes it for at least 60 s and at least twice as long as the last time, up to an hour. Answers to calls that were
///   sent before the gate was shut are of the same burst: they may lengthen the pause, and don't double it.
/// - Calls that clear away (delete, unlabel) have a gate of their own. A secondary limit ("too much at once") shuts
///   both gates. A primary one that an ordinary call met shuts only the ordinary gate: the clearing calls may count
///   against another budget, and find out for themselves.
/// - The last part of the hourly budget, a fiftieth, is left to the clearing calls. Half of it is for looks at one
///   registration too, because a guest that may be running a job is removed only after a fresh look, and for labels,
///   because a job waits for them. With nothing left all wait for the reset. Selects without a token leave a tenth to
///   all others.
/// - Each call costs points, by GitHub's count: one that reads 1, one that writes 5. Of the points of a minute, selects
///   leave half to others, ordinary calls a quarter, looks and labels an eighth; clearing calls leave none. (How many
///   writes may be begun in a minute is decided by who begins them: write_budget.hpp.)

#include "actors/domain/github.hpp"

#include <deque>
#include <utility>

namespace ci::domain {

/// What a call is for, and so how much of the budget it has to leave.
enum class GithubShare {
  tokenless, ///< proofs of selects without a token: anyone may cause them
  ordinary,  ///< listing, finding, registering
  look,      ///< one registration, or a workflow run, asked afresh
  reserving, ///< labelling
  clearing,  ///< deleting, unlabelling
};

/// One gate: shut until a moment, for longer each time in a row.
class PacingGate {
 public:
  /// Time until it opens; zero: it is open.
  Duration remaining(Steady now) const;
  /// A call that was sent at `sent` met a limit; `stated` is zero where GitHub did not say for how long.
  void shut(Steady sent, Steady now, Duration stated);
  /// A call that was sent at `sent` met no limit: a next one is no more the next in a row.
  void passed(Steady sent);

 private:
  Steady until_{};
  Duration pause_{0}; ///< the last one's; zero: none in a row
};

constexpr int points_of_read = 1;
constexpr int points_of_write = 5;

/// Owned by the registrations actor; its thread only.
class GithubPacing {
 public:
  /// GitHub bears 900 points a minute at one address.
  explicit GithubPacing(int points_per_minute = 900) : points_per_minute_(points_per_minute) {}

  /// How long such a call has to wait; zero: it may go.
  Duration hold(GithubShare share, Steady now) const;
  /// A call of that cost goes now.
  void sent(int points, Steady now);
  /// Takes in the answer to a call that was sent at `sent`.
  void answered(GithubShare share, Steady sent, Steady now, const GithubError& error,
                const std::optional<RateBudget>& budget);
  /// Another token: the pauses that the old one earned are over.
  void forget_limits();

 private:
  std::int64_t to_leave(GithubShare share) const;
  Duration until_points(GithubShare share, Steady now) const;

  int points_per_minute_;
  std::deque<std::pair<Steady, int>> points_; ///< of the last minute, oldest first

  PacingGate ordinary_;
  PacingGate clearing_;
  RateBudget budget_;
  Steady budget_resets_{}; ///< `budget_` says nothing from then on
};

/// The answer to a call that is held back for so long.
GithubError held_back(Duration remaining);

} // namespace ci::domain
