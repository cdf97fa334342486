#include "tests/simulation/campaign.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

namespace ci::test {
namespace {

std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

} // namespace

void campaign(const Play& play) {
  auto schedules = number("SIMULATION_SCHEDULES", 300), steps = number("SIMULATION_STEPS", 200);
  auto first = number("SIMULATION_SEED", 1);
  for (auto seed = first; seed < first + schedules; ++seed) {
    CAPTURE(seed); // where it ends the process
    auto schedule = make_schedule(seed, steps);
    auto broken = play(schedule, nullptr);
    if (!broken)
      continue;
    auto shorter = number("SIMULATION_SHRINK", 1) ? shrink(schedule, play) : schedule;
    std::vector<std::string> trace;
    auto again = play(shorter, &trace);
    std::string text;
    for (auto& line : trace)
      text += line + "\n";
    MESSAGE("seed ", seed, ", ", shorter.size(), " steps: ", again ? again->promise : broken->promise, "\n",
            text);
    FAIL("seed " << seed << ": " << broken->promise);
  }
  MESSAGE(schedules, " schedules of ", steps, " steps from seed ", first);
}

} // namespace ci::test
