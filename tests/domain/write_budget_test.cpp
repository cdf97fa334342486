#include "actors/domain/write_budget.hpp"

#include <doctest/doctest.h>

using namespace ci::domain;
using namespace std::chrono_literals;

namespace {

const Steady write_begin = Steady{} + 1h;

} // namespace

TEST_CASE("G11: no minute has more writes than allowed, and each purpose leaves its share to the next") {
  WriteBudget budget;
  budget.spend(50, write_begin);
  CHECK(budget.wait(WritePurpose::creating, 1, 80, write_begin + 1s) == 59s);
  CHECK(budget.wait(WritePurpose::reserving, 20, 80, write_begin + 1s) == 0s);
  CHECK(budget.wait(WritePurpose::reserving, 21, 80, write_begin + 1s) == 59s);
  budget.spend(20, write_begin + 1s);
  CHECK(budget.wait(WritePurpose::reserving, 1, 80, write_begin + 1s) == 59s);
  CHECK(budget.wait(WritePurpose::clearing, 10, 80, write_begin + 1s) == 0s);
  CHECK(budget.wait(WritePurpose::clearing, 11, 80, write_begin + 1s) == 59s);
}

TEST_CASE("a write counts for a minute, to the instant, and who waits as told comes late enough") {
  WriteBudget budget;
  budget.spend(10, write_begin);
  budget.spend(40, write_begin + 10s);
  CHECK(budget.wait(WritePurpose::creating, 5, 80, write_begin + 20s) == 40s);
  CHECK(budget.wait(WritePurpose::creating, 11, 80, write_begin + 20s) == 50s);
  CHECK(budget.wait(WritePurpose::creating, 1, 80, write_begin + 60s - 1ns) == 1ms);
  CHECK(budget.wait(WritePurpose::creating, 1, 80, write_begin + 60s) == 0s);
}

TEST_CASE("what is more than a minute's room goes when nothing else went") {
  WriteBudget budget;
  CHECK(budget.wait(WritePurpose::reserving, 20, 8, write_begin) == 0s);
  budget.spend(20, write_begin);
  CHECK(budget.wait(WritePurpose::reserving, 20, 8, write_begin) == 60s);
  CHECK(budget.wait(WritePurpose::creating, 1, 1, write_begin) == 60s);
  CHECK(budget.wait(WritePurpose::creating, 1, 1, write_begin + 60s) == 0s);
}

TEST_CASE("what nobody spent, or spent more than a minute ago, is in nobody's way") {
  WriteBudget budget;
  budget.spend(0, write_begin);
  budget.spend(50, write_begin);
  budget.spend(50, write_begin + 50s);
  CHECK(budget.wait(WritePurpose::creating, 1, 80, write_begin + 70s) == 40s);
}
