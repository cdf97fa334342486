#include "tests/simulation/actors/actor_simulation.hpp"
#include "tests/simulation/campaign.hpp"

#include <doctest/doctest.h>

using namespace ci::test;

// Monitor, registrations, hypervisor, guests, images and policy; the journal in one schedule of eight. The others of the
// cast are fakes, or absent (tests/README.md).
TEST_CASE("G1 to G12 hold for the actors that decide in random schedules, and everything is right in the end") {
  campaign([](const Schedule& schedule, std::vector<std::string>* trace) {
    return ActorSimulation(trace).run(schedule);
  });
}
