/// Random schedules against the decisions. SIMULATION_SCHEDULES, SIMULATION_STEPS and SIMULATION_SEED choose how many, how
/// long, and where to begin; a seed that breaks something is printed with its shortened trace, and replayed by
/// SIMULATION_SEED=<seed> SIMULATION_SCHEDULES=1.
#include "tests/simulation/simulation.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

using namespace ci::test;

namespace {
std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}
} // namespace

TEST_CASE("G1 G2 G3 G4 G5 G7 hold in random schedules, and everything is right in the end") {
  auto schedules = number("SIMULATION_SCHEDULES", 300), steps = number("SIMULATION_STEPS", 200);
  auto first = number("SIMULATION_SEED", 1);
  for (std::uint64_t seed = first; seed < first + schedules; ++seed) {
    auto schedule = make_schedule(seed, steps);
    auto broken = Simulation().run(schedule);
    if (!broken)
      continue;
    auto shorter = shrink(schedule);
    std::vector<std::string> trace;
    auto again = Simulation(&trace).run(shorter);
    std::string text;
    for (auto& line : trace)
      text += line + "\n";
    MESSAGE("seed ", seed, ", ", shorter.size(), " steps: ", again ? again->promise : broken->promise, "\n", text);
    FAIL("seed " << seed << ": " << broken->promise);
  }
  MESSAGE(schedules, " schedules of ", steps, " steps from seed ", first);
}
