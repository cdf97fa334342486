#include "tests/simulation/actors/actor_simulation.hpp"
#include "tests/simulation/campaign.hpp"

#include <doctest/doctest.h>

using namespace ci::test;

TEST_CASE("G1 to G12 hold for the actors in random schedules, and everything is right in the end") {
  campaign([](const Schedule& schedule, std::vector<std::string>* trace) {
    return ActorSimulation(trace).run(schedule);
  });
}
