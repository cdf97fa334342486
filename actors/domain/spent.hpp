#pragma once
/// Reservations that ended. Their ids stay spent for 7 days (spec/api.md), which may be tens of thousands.

#include "actors/domain/reservation.hpp"

#include <memory>
#include <string_view>
#include <vector>

namespace ci::domain {

/// By id. A value that is cheap to copy: the entries are immutable and shared, a change makes a new list of pointers to
/// them. So every snapshot has one. Copies are for any thread, each for one at a time.
class SpentReservations {
 public:
  using Entry = std::shared_ptr<const ReservationRecord>;
  using Entries = std::vector<Entry>; ///< sorted by unique_id

  SpentReservations() : SpentReservations(std::vector<ReservationRecord>{}) {}
  /// Of different ids.
  explicit SpentReservations(std::vector<ReservationRecord>);

  /// By the id in lower case; null where there is none.
  Entry find(std::string_view unique_id) const;
  /// Of an id that is not in it.
  void put(ReservationRecord);
  /// Takes out what ended before that.
  Entries drop_before(Time);
  /// Moves all times, for a clock that jumped.
  void shift(Duration by);

  Entries::const_iterator begin() const { return entries_->begin(); }
  Entries::const_iterator end() const { return entries_->end(); }
  std::size_t size() const { return entries_->size(); }
  bool empty() const { return entries_->empty(); }

  /// Whether nothing was changed since one was copied from the other.
  friend bool operator==(const SpentReservations&, const SpentReservations&) = default;

 private:
  std::shared_ptr<const Entries> entries_; ///< never null
};

} // namespace ci::domain
