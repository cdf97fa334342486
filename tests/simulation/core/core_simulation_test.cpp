#include "tests/simulation/campaign.hpp"
#include "tests/simulation/core/core_simulation.hpp"

#include <doctest/doctest.h>

using namespace ci::test;

TEST_CASE("G1 to G10 and G12 hold for the decisions in random schedules, and everything is right in the end") {
  campaign([](const Schedule& schedule, std::vector<std::string>* trace) {
    return CoreSimulation(trace).run(schedule);
  });
}
