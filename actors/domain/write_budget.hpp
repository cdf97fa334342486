#pragma once
/// How many writes GitHub is sent in a minute, and who goes without when there are too many. Pure; time is an
/// argument.
///
/// GitHub bears some 80 writes a minute that create something. Of the setting's number, an eighth is left to calls
/// that clear away, and another quarter to reservations: so runners are not made at the cost of jobs that wait, and
/// nothing is promised that could not be taken back.

#include "actors/domain/types.hpp"

#include <deque>
#include <utility>

namespace ci::domain {

/// What a write is for, and so how much of the minute it has to leave to others.
enum class WritePurpose {
  creating,  ///< registering a runner
  reserving, ///< labelling one for a job
  clearing,  ///< deleting, unlabelling
};

/// Writes of the last minute, at most so many in any minute.
class WriteBudget {
 public:
  /// How long to wait until that many may be sent; zero: now. More than ever may be sent at once are let through when
  /// none was sent for a minute.
  Duration wait(WritePurpose, int count, int per_minute, Steady now) const;
  /// They are sent now, or as good as.
  void spend(int count, Steady now);

 private:
  std::deque<std::pair<Steady, int>> spent_; ///< of the last minute, oldest first
};

} // namespace ci::domain
