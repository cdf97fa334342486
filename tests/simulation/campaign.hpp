#pragma once
/// Many schedules in a row, as the environment says.

#include "tests/simulation/schedule.hpp"

namespace ci::test {

/// Plays SIMULATION_SCHEDULES (300) schedules of SIMULATION_STEPS (200) from SIMULATION_SEED (1) on. The first
/// that breaks a promise fails the test case and is printed with its seed and its trace, shortened unless
/// SIMULATION_SHRINK is 0; it is replayed by SIMULATION_SEED=<seed> SIMULATION_SCHEDULES=1. A variable that is no
/// number fails it too, and so do no schedules and no steps. Where a signal or a sanitizer ends the process, standard
/// error tells the seed, and how many schedules went before it.
void campaign(const Play&);

} // namespace ci::test
