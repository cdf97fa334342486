#pragma once
/// A reservation: a promise to one job (`unique_id`) that one or more runners are for it.

#include "actors/domain/types.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ci::domain {

/// What a client asks: already checked for syntax.
struct TakeRequest {
  std::string profile;
  /// Lower case; the key of the reservation.
  std::string unique_id;
  /// As the client spelt it; goes into the label.
  std::string unique_id_spelt;
  std::string qualified_repo;
  RunId run_id = 0;
  int count = 1;
  int minimum = 1;
  /// GitHub's id of the artifact that proves a select without a token; 0: the token was the proof. Not kept in
  /// the store with the reservation.
  std::int64_t artifact_id = 0;

  /// Whether a repeat asks for the same: the repository compares without case, the id in lower case.
  bool same_as(const TakeRequest&) const;
};

/// Where a reservation stands in the store.
enum class ReservationPhase {
  pending,   ///< committed before the first label call; undone at a restart
  undoing,   ///< labels are being taken off; forgotten afterwards
  granted,   ///< answered; kept over a restart
  releasing, ///< a client gave it back; labels are being taken off
  ended,     ///< each runner finished, was given up or released; the id is spent for 7 days
};
const char* to_string(ReservationPhase);

/// What became of one runner of a reservation.
enum class SlotState {
  chosen,    ///< picked; labels under way
  labelled,  ///< GitHub accepted the labels
  confirmed, ///< seen online, not busy and labelled afterwards
  started,   ///< its job began
  finished,  ///< its job ended
  given_up,  ///< past its deadline, lost or dead before its job began
  unlabel,   ///< labels to be taken off
  released,  ///< labels are off; nothing to do with this reservation any more
};
const char* to_string(SlotState);

struct ReservationSlot {
  RunnerId runner = 0;
  SlotState state = SlotState::chosen;
  friend bool operator==(const ReservationSlot&, const ReservationSlot&) = default;
};

/// Whether anything is still to come of a slot in that state.
bool is_open(SlotState);

/// What the store keeps of a reservation.
struct ReservationRecord {
  TakeRequest request;
  ReservationPhase phase = ReservationPhase::pending;
  std::vector<ReservationSlot> slots;
  Time created_at{};
  std::optional<Time> granted_at;
  /// Until when its runners must have begun a job.
  std::optional<Time> deadline;
  std::optional<Time> ended_at;
  /// A client asked for its release.
  bool released = false;

  /// Moves all times, for a clock that jumped.
  void shift(Duration by);
};

/// How many slots are in a state that `what` is true of.
int count_slots(const ReservationRecord&, bool (*what)(SlotState));

/// The words of `GET /reservation/<unique_id>`: deciding, reserved, started, finished, expired, released.
const char* public_state(const ReservationRecord&);

} // namespace ci::domain
