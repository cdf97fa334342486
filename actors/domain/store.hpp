#pragma once
/// What the journal is told to write, and what it reads at start. Values only; SQLite is at the edge.

#include "actors/domain/image.hpp"
#include "actors/domain/inheritance.hpp"
#include "actors/domain/reservation.hpp"
#include "actors/domain/runner.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ci::domain {

/// One line of the history: what happened, to whom. `detail` holds no secret.
struct HistoryEvent {
  Time at{};
  std::string event;
  RunnerId runner = 0; ///< 0: none
  std::string profile;
  std::string detail;
};

namespace store {
/// Inserts or replaces the row.
struct PutRunner {
  RunnerRecord runner;
};
/// Forgets a runner that is gone.
struct DropRunner {
  RunnerId id;
};
struct PutReservation {
  ReservationRecord reservation;
};
struct DropReservation {
  std::string unique_id;
};
/// Inserts or replaces the row; `template_guest` is its key.
struct PutImage {
  ImageRecord image;
};
/// Forgets an image that is deleted.
struct DropImage {
  std::string template_guest;
};
struct AppendHistory {
  HistoryEvent event;
};
/// Deletes history older than `before`.
struct PruneHistory {
  Time before;
};
/// The wall clock jumped: every stored time moves by so much.
struct ShiftTimes {
  Duration by;
};
/// The next id to hand out. Committed with, or before, the first runner that has a smaller one.
struct SetNextId {
  RunnerId next;
};
/// A small fact of a module of its own (policy override, pauses ...); empty `value` deletes it.
struct SetNote {
  std::string key, value;
};
} // namespace store

using StoreOp = std::variant<store::PutRunner, store::DropRunner, store::PutReservation,
                             store::DropReservation, store::AppendHistory, store::PruneHistory,
                             store::ShiftTimes, store::SetNextId, store::SetNote, store::PutImage,
                             store::DropImage>;
/// Committed as one transaction: all or nothing.
using StoreBatch = std::vector<StoreOp>;

/// The whole store but for the history.
struct StoreImage {
  std::vector<RunnerRecord> runners;
  std::vector<ReservationRecord> reservations;
  std::vector<ImageRecord> images;
  RunnerId next_id = 1;
  std::vector<std::pair<std::string, std::string>> notes;
  /// What is to be taken over from an older monitor; none without `--adopt`. Not in the store: read beside it.
  std::optional<Inheritance> inherited{};
};

} // namespace ci::domain
