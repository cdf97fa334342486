#include "actors/domain/answers.hpp"

namespace ci::domain {

const char* to_string(Refusal r) {
  switch (r) {
  case Refusal::none:
    return "none";
  case Refusal::not_ready:
    return "not_ready";
  case Refusal::not_taken_up:
    return "not_taken_up";
  case Refusal::busy:
    return "busy";
  case Refusal::github_away:
    return "github_away";
  case Refusal::store_away:
    return "store_away";
  case Refusal::guest_unknown:
    return "guest_unknown";
  case Refusal::not_registered:
    return "not_registered";
  case Refusal::id_conflict:
    return "id_conflict";
  case Refusal::id_released:
    return "id_released";
  case Refusal::id_spent:
    return "id_spent";
  case Refusal::jit_gone:
    return "jit_gone";
  case Refusal::unknown_profile:
    return "unknown_profile";
  case Refusal::unknown_reservation:
    return "unknown_reservation";
  }
  return "?";
}

} // namespace ci::domain
