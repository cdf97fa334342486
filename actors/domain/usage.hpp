#pragma once
/// How the pools were used in a span of time, by what the history tells. Pure arithmetic.

#include "actors/domain/store.hpp"

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ci::domain {

/// From `since` on, before `until`.
struct UsageWindow {
  Time since{}, until{};
};

/// Of so many durations, in seconds. Between two of them it is interpolated.
struct Spread {
  std::size_t count = 0;
  std::optional<double> median, p95; ///< none where there are no durations
};
Spread spread_of(std::vector<double> seconds);

/// Of one profile, or of all. What happened counts by its moment; durations count in the window they end in;
/// seconds are those that lie within the window.
struct Usage {
  int runners_made = 0;   ///< ordered
  int runners_online = 0; ///< came online
  int runners_failed = 0; ///< ended without ever having been online
  int jobs = 0;           ///< began
  /// Of all runners together, by what they were doing. `ending`: from the end of the job, or the decision to
  /// destroy, until nothing is left.
  double starting_seconds = 0, idle_seconds = 0, reserved_seconds = 0, busy_seconds = 0, ending_seconds = 0;
  /// Decided takes by outcome: `granted`, `null`, or the reason why none could be decided. Mistakes of
  /// clients and repeats are none.
  std::map<std::string, int> takes;
  Spread create_to_online;
  Spread reserved_to_busy;
  Spread end_to_removed;     ///< of runners that worked: from the job's end until nothing is left
  Spread end_to_replacement; ///< from a job's end until the runner made in place of it is online

  /// Share of the runners' time in which they worked; none where there were no runners.
  std::optional<double> utilisation() const;
  /// Share of the takes that were granted; none where there were none.
  std::optional<double> granted_share() const;
};

struct UsageReport {
  UsageWindow window;
  /// The oldest event that there is: nothing is known of what was before.
  std::optional<Time> history_since;
  std::map<std::string, Usage> profiles;
  Usage total;
};

/// Reads the history in the order in which it was written, from its beginning: what runners were doing when
/// the window began stands before it. Holds the runners that live, and the durations.
class UsageTally {
 public:
  explicit UsageTally(UsageWindow window) : window_(window) {}

  void on(const HistoryEvent&);
  UsageReport report() const;

 private:
  enum class Stage { starting, idle, reserved, busy, ending };
  struct Life {
    std::string profile;
    Stage stage = Stage::starting;
    Time since{};                ///< in this stage
    std::optional<Time> ordered; ///< none: its beginning is not in the history
    bool online = false;
    std::optional<Time> job_ended;
    std::optional<Time> replaces; ///< when the job ended in whose place it was made
  };
  struct Account {
    Usage usage;
    std::vector<double> create_to_online, reserved_to_busy, end_to_removed, end_to_replacement;
    Usage complete() const;
  };

  void on_take(const HistoryEvent&);
  void on_runner(const HistoryEvent&);
  void begin(const HistoryEvent&);
  void come_online(Life&, Time);
  void work(Life&, Time);
  void end(Life&, Time);
  void forget(RunnerId, Time);
  Life& life_of(const HistoryEvent&);
  void enter(Life&, Stage, Time);
  bool within(Time t) const { return t >= window_.since && t < window_.until; }
  /// Does the same to the profile's account and to that of all.
  template <class F>
  void account(const std::string& profile, F change);
  template <class F>
  void count(const std::string& profile, Time at, F change);
  void sample(const std::string& profile, std::vector<double> Account::*, Time from, Time to);
  static void add_seconds(Account&, Stage, double);
  double seconds_within(Time from, Time to) const;

  UsageWindow window_;
  std::optional<Time> history_since_;
  std::map<RunnerId, Life> lives_;
  std::map<std::string, std::deque<Time>> unreplaced_; ///< ends of jobs by profile, the oldest first
  std::map<std::string, Account> accounts_;
  Account total_;
};

} // namespace ci::domain
