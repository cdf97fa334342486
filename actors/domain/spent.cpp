#include "actors/domain/spent.hpp"

#include <algorithm>
#include <utility>

namespace ci::domain {
namespace {

const std::string& id_of(const SpentReservations::Entry& entry) { return entry->request.unique_id; }

/// Where an entry with that id is, or would be.
auto place_of(const SpentReservations::Entries& entries, std::string_view unique_id) {
  return std::lower_bound(entries.begin(), entries.end(), unique_id,
                          [](const auto& entry, std::string_view id) { return id_of(entry) < id; });
}

} // namespace

SpentReservations::SpentReservations(std::vector<ReservationRecord> records) {
  auto entries = std::make_shared<Entries>();
  for (auto& rec : records)
    entries->push_back(std::make_shared<const ReservationRecord>(std::move(rec)));
  std::sort(entries->begin(), entries->end(), [](auto& a, auto& b) { return id_of(a) < id_of(b); });
  entries_ = std::move(entries);
}

SpentReservations::Entry SpentReservations::find(std::string_view unique_id) const {
  const auto place = place_of(*entries_, unique_id);
  return place != entries_->end() && id_of(*place) == unique_id ? *place : nullptr;
}

void SpentReservations::put(ReservationRecord rec) {
  auto entry = std::make_shared<const ReservationRecord>(std::move(rec));
  const auto place = place_of(*entries_, id_of(entry));
  auto entries = std::make_shared<Entries>();
  entries->reserve(entries_->size() + 1);
  entries->assign(entries_->begin(), place);
  entries->push_back(std::move(entry));
  entries->insert(entries->end(), place, entries_->end());
  entries_ = std::move(entries);
}

SpentReservations::Entries SpentReservations::drop_before(Time time) {
  const auto old = [time](const Entry& entry) { return entry->ended_at && *entry->ended_at < time; };
  Entries dropped;
  std::copy_if(entries_->begin(), entries_->end(), std::back_inserter(dropped), old);
  if (!dropped.empty()) {
    auto kept = std::make_shared<Entries>();
    std::remove_copy_if(entries_->begin(), entries_->end(), std::back_inserter(*kept), old);
    entries_ = std::move(kept);
  }
  return dropped;
}

void SpentReservations::shift(Duration by) {
  std::vector<ReservationRecord> records;
  for (auto& entry : *entries_) {
    auto rec = *entry;
    rec.shift(by);
    records.push_back(std::move(rec));
  }
  *this = SpentReservations(std::move(records));
}

} // namespace ci::domain
