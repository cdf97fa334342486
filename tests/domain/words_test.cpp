/// The words that readers, logs and the store know things by.
#include "actors/domain/answers.hpp"
#include "actors/domain/github.hpp"
#include "actors/domain/github_runs.hpp"
#include "actors/domain/image.hpp"
#include "actors/domain/lease.hpp"
#include "actors/domain/reservation.hpp"
#include "actors/domain/runner.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace ci::domain;

namespace {

/// The words of the values from the first to `last`, in their order.
template <class Enum>
std::vector<std::string> words(Enum last) {
  std::vector<std::string> result;
  for (int i = 0; i <= static_cast<int>(last); ++i)
    result.push_back(to_string(static_cast<Enum>(i)));
  return result;
}
using Words = std::vector<std::string>;

/// Of a value that is none of the enumeration's.
template <class Enum>
std::string word_beyond(Enum last) {
  return to_string(static_cast<Enum>(static_cast<int>(last) + 1));
}

ReservationRecord with(ReservationPhase phase, std::vector<SlotState> states, bool released = false) {
  ReservationRecord record;
  record.phase = phase;
  record.released = released;
  for (auto state : states)
    record.slots.push_back({1, state});
  return record;
}

} // namespace

// The store holds these: another word makes a store that was written before unreadable.
TEST_CASE("the store's words stay as they are") {
  CHECK(words(Phase::gone) == Words{"creating", "live", "destroying", "gone"});
  CHECK(words(ReservationPhase::ended) == Words{"pending", "undoing", "granted", "releasing", "ended"});
  CHECK(words(SlotState::released) == Words{"chosen", "labelled", "confirmed", "started", "finished", "given_up",
                                            "unlabel", "released"});
  CHECK(words(ImagePhase::discarding) == Words{"building", "sealing", "trial", "ready", "discarding"});
}

TEST_CASE("the API's words for a runner stay as they are") {
  CHECK(words(Status::Idle) ==
        Words{"StartedOrCrashed", "DoneOrUnregistered", "Invalid", "Busy", "Reserved", "Idle"});
}

TEST_CASE("each refusal has a word of its own") {
  auto all = words(Refusal::run_is_full);
  std::sort(all.begin(), all.end());
  CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
  CHECK(std::find(all.begin(), all.end(), "?") == all.end());
}

TEST_CASE("each kind of GitHub's errors has a word of its own") {
  CHECK(words(GithubError::Kind::refused) == Words{"none", "not_found", "conflict", "unprocessable",
                                                   "unauthorized", "limited", "server", "unreachable", "malformed",
                                                   "refused"});
}

TEST_CASE("states of guests have words of their own") {
  CHECK(words(GuestState::on) == Words{"absent", "off", "on"});
}

TEST_CASE("where an address comes from is told in libvirt's words") {
  CHECK(words(AddressSource::agent) == Words{"lease", "arp", "agent"});
}

TEST_CASE("a value that has no word is still told as something") {
  CHECK(word_beyond(GuestState::on) == "?");
  CHECK(word_beyond(Phase::gone) == "?");
  CHECK(word_beyond(Status::Idle) == "?");
  CHECK(word_beyond(ReservationPhase::ended) == "?");
  CHECK(word_beyond(SlotState::released) == "?");
  CHECK(word_beyond(ImagePhase::discarding) == "?");
  CHECK(word_beyond(Refusal::run_is_full) == "?");
  CHECK(word_beyond(AddressSource::agent) == "?");
  CHECK(word_beyond(GithubError::Kind::refused) == "unknown");
}

TEST_CASE("a job waits in each of the states that GitHub has for it before a runner begins it") {
  for (const auto* status : {"queued", "waiting", "requested", "pending"})
    CHECK(WorkflowJob{1, status, {}, ""}.waits());
  for (const auto* status : {"in_progress", "completed", ""})
    CHECK_FALSE(WorkflowJob{1, status, {}, ""}.waits());
}

TEST_CASE("a reservation is shown by what became of its runners") {
  using P = ReservationPhase;
  using S = SlotState;
  CHECK(std::string(public_state(with(P::pending, {S::chosen}))) == "deciding");
  CHECK(std::string(public_state(with(P::undoing, {S::unlabel}))) == "deciding");
  CHECK(std::string(public_state(with(P::granted, {S::confirmed, S::confirmed}))) == "reserved");
  CHECK(std::string(public_state(with(P::granted, {S::confirmed, S::started}))) == "started");
  CHECK(std::string(public_state(with(P::granted, {S::given_up, S::finished}))) == "started");
  CHECK(std::string(public_state(with(P::ended, {S::given_up, S::finished}))) == "finished");
  CHECK(std::string(public_state(with(P::ended, {S::started}))) == "finished");
  CHECK(std::string(public_state(with(P::ended, {S::given_up}))) == "expired");
  CHECK(std::string(public_state(with(P::releasing, {S::unlabel}, true))) == "released");
  CHECK(std::string(public_state(with(P::releasing, {S::started}, true))) == "started");
  CHECK(std::string(public_state(with(P::ended, {S::released}, true))) == "released");
  CHECK(std::string(public_state(with(P::ended, {S::finished}, true))) == "finished");
}

TEST_CASE("a slot is open until its job has ended or it is given up or back") {
  using S = SlotState;
  for (auto state : {S::chosen, S::labelled, S::confirmed, S::started, S::unlabel})
    CHECK(is_open(state));
  for (auto state : {S::finished, S::given_up, S::released})
    CHECK_FALSE(is_open(state));
}

TEST_CASE("G2: a repeat asks for the same only where every argument is the same; repositories compare without case") {
  const TakeRequest ask{"linux", "uid", "uid", "servo/servo", 7, 2, 1};
  auto other = ask;
  other.qualified_repo = "Servo/SERVO";
  other.unique_id_spelt = "UID";
  CHECK(ask.same_as(other));
  for (auto change : {+[](TakeRequest& r) { r.profile = "macos"; }, +[](TakeRequest& r) { r.unique_id = "u"; },
                      +[](TakeRequest& r) { r.run_id = 8; }, +[](TakeRequest& r) { r.count = 3; },
                      +[](TakeRequest& r) { r.minimum = 2; }, +[](TakeRequest& r) { r.qualified_repo = "servo/x"; }}) {
    auto changed = ask;
    change(changed);
    CHECK_FALSE(ask.same_as(changed));
  }
}
