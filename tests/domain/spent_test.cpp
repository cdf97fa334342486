#include "actors/domain/snapshot.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace ci::domain;
using namespace std::chrono_literals;

namespace {

const Time start{std::chrono::hours{1000}};

ReservationRecord ended(const std::string& id, Duration after) {
  ReservationRecord rec;
  rec.request.unique_id = id;
  rec.request.unique_id_spelt = "X" + id;
  rec.phase = ReservationPhase::ended;
  rec.created_at = start;
  rec.ended_at = start + after;
  return rec;
}

std::string ids(const SpentReservations& spent) {
  std::string text;
  for (auto& entry : spent)
    text += entry->request.unique_id;
  return text;
}

} // namespace

TEST_CASE("spent reservations are found by their id, whatever order they came in") {
  SpentReservations spent({ended("c", 1s), ended("a", 2s)});
  spent.put(ended("d", 3s));
  spent.put(ended("b", 4s));
  CHECK(ids(spent) == "abcd");
  CHECK(spent.size() == 4);
  REQUIRE(spent.find("b"));
  CHECK(spent.find("b")->ended_at == start + 4s);
  for (auto* id : {"", "aa", "bb", "e"})
    CHECK_FALSE(spent.find(id));
  CHECK(SpentReservations().empty());
  CHECK_FALSE(SpentReservations().find("a"));
}

TEST_CASE("a copy of them stays as it was") {
  SpentReservations spent({ended("a", 1s)});
  const auto copy = spent;
  CHECK(copy == spent);
  SUBCASE("when one comes") {
    spent.put(ended("b", 2s));
    CHECK(ids(spent) == "ab");
  }
  SUBCASE("when one goes") {
    spent.drop_before(start + 2s);
    CHECK(spent.empty());
  }
  SUBCASE("when the clock jumps") {
    spent.shift(1h);
    CHECK(spent.find("a")->created_at == start + 1h);
    CHECK(spent.find("a")->ended_at == start + 1h + 1s);
    CHECK_FALSE(spent.find("a")->granted_at);
  }
  CHECK_FALSE(copy == spent);
  CHECK(ids(copy) == "a");
  CHECK(copy.find("a")->ended_at == start + 1s);
}

TEST_CASE("spent reservations that ended before a time are dropped, and nothing changes where none did") {
  SpentReservations spent({ended("a", 3s), ended("b", 1s), ended("c", 2s)});
  const auto before = spent;
  CHECK(spent.drop_before(start + 1s).empty());
  CHECK(spent == before);
  const auto dropped = spent.drop_before(start + 3s);
  REQUIRE(dropped.size() == 2);
  CHECK(dropped[0]->request.unique_id == "b");
  CHECK(dropped[1]->request.unique_id == "c");
  CHECK(ids(spent) == "a");
}

TEST_CASE("a snapshot knows reservations that live, and those that are spent") {
  Snapshot snapshot;
  auto living = std::make_shared<ReservationView>();
  snapshot.reservations["a"] = living;
  snapshot.spent.put(ended("b", 1s));
  CHECK(snapshot.reservation("a") == living);
  REQUIRE(snapshot.reservation("b"));
  CHECK(snapshot.reservation("b")->unique_id == "Xb");
  CHECK(snapshot.reservation("b")->ended_at == start + 1s);
  CHECK_FALSE(snapshot.reservation("c"));
}
