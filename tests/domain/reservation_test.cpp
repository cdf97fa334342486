/// What a client is told of a reservation.
#include "actors/domain/reservation.hpp"

#include <doctest/doctest.h>

using namespace ci::domain;

namespace {

struct Told {
  ReservationPhase phase;
  std::vector<SlotState> slots;
  bool released;
  const char* state;
};
using enum SlotState;
using In = ReservationPhase;
const Told table[] = {
    {In::pending, {chosen}, false, "deciding"},
    {In::undoing, {unlabel}, false, "deciding"},
    {In::granted, {confirmed, confirmed}, false, "reserved"},
    {In::granted, {started, confirmed}, false, "started"},
    {In::granted, {finished, confirmed}, false, "started"},
    {In::ended, {finished, given_up}, false, "finished"},
    {In::ended, {given_up}, false, "expired"},
    {In::releasing, {unlabel}, true, "released"},
    {In::ended, {SlotState::released}, true, "released"},
    // What had begun is not given back.
    {In::releasing, {started, unlabel}, true, "started"},
    {In::releasing, {started, finished}, true, "started"},
    {In::ended, {finished, SlotState::released}, true, "finished"},
};

} // namespace

TEST_CASE("a reservation's state follows from its runners") {
  for (auto& told : table) {
    ReservationRecord record;
    record.phase = told.phase;
    record.released = told.released;
    for (auto slot : told.slots)
      record.slots.push_back({1, slot});
    CHECK_MESSAGE(std::string(public_state(record)) == told.state, static_cast<int>(told.phase), told.state);
  }
}
