#pragma once
/// The history as readers ask for it. Its lines are written by the decisions, in the transaction of what they
/// tell of.

#include "actors/domain/store.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ci::domain {

/// No answer holds more lines: what bounds its memory.
constexpr int max_history_limit = 1'000;

struct HistoryQuery {
  std::optional<std::int64_t> before; ///< only lines with smaller numbers: the page after another one
  int limit = 100;                    ///< 1 to max_history_limit
  std::optional<RunnerId> runner;
  std::optional<std::string> profile, event;
  std::optional<Time> since, until; ///< from the first on, and before the second
};

struct HistoryLine {
  std::int64_t number = 0; ///< grows with each line; never used twice
  HistoryEvent event;
};

struct HistoryPage {
  std::vector<HistoryLine> lines; ///< the newest first
  /// `before` of the page that follows; none: there is none.
  std::optional<std::int64_t> next;
};

/// A text of other parties may be long; a line of the history is not. Cuts no UTF-8 character in two.
void shorten(std::string& detail);

} // namespace ci::domain
