#include "actors/domain/runner.hpp"

namespace ci::domain {

const char* to_string(GuestState s) {
  switch (s) {
  case GuestState::absent:
    return "absent";
  case GuestState::off:
    return "off";
  case GuestState::on:
    return "on";
  }
  return "?";
}

const char* to_string(Phase p) {
  switch (p) {
  case Phase::creating:
    return "creating";
  case Phase::live:
    return "live";
  case Phase::destroying:
    return "destroying";
  case Phase::gone:
    return "gone";
  }
  return "?";
}

const char* to_string(Status s) {
  switch (s) {
  case Status::StartedOrCrashed:
    return "StartedOrCrashed";
  case Status::DoneOrUnregistered:
    return "DoneOrUnregistered";
  case Status::Invalid:
    return "Invalid";
  case Status::Busy:
    return "Busy";
  case Status::Reserved:
    return "Reserved";
  case Status::Idle:
    return "Idle";
  }
  return "?";
}

Status status_of(const StatusFacts& f) {
  if (f.create_under_way)
    return Status::StartedOrCrashed;
  if (f.guest_was_started && !f.guest_running && f.guest_exists)
    return Status::DoneOrUnregistered;
  if (f.guest_exists && !f.registration_exists && f.registrations_in_use)
    return Status::DoneOrUnregistered;
  if (f.registration_exists && !f.guest_exists)
    return Status::Invalid;
  if (!f.guest_exists)
    return Status::DoneOrUnregistered; // neither is left: only the record is
  if (f.busy_now_or_ever)
    return Status::Busy;
  if (f.reserved)
    return Status::Reserved;
  if (f.online && !f.any_order_under_way)
    return Status::Idle;
  return Status::StartedOrCrashed;
}

} // namespace ci::domain
