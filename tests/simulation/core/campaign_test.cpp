#include "tests/simulation/campaign.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

using namespace ci::test;

namespace {

struct End {
  int signal = 0;
  bool failed = false; ///< a schedule broke a promise
  std::string words;   ///< all that it said
};

/// How a process ends whose campaign is of so many schedules from that seed on.
End end_of(const char* seed, const char* schedules, const Play& play) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  std::cout.flush(); // else the child says it again
  const auto child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    setenv("SIMULATION_SEED", seed, 1);
    setenv("SIMULATION_SCHEDULES", schedules, 1);
    setenv("SIMULATION_STEPS", "200", 1);
    setenv("SIMULATION_SHRINK", "1", 1);
    int failed = 0;
    try {
      campaign(play);
    } catch (...) { // doctest's
      failed = 1;
    }
    std::cout.flush();
    _exit(failed);
  }
  close(ends[1]);
  End end;
  char some[512];
  for (ssize_t size; (size = read(ends[0], some, sizeof some)) > 0;)
    end.words.append(some, static_cast<std::size_t>(size));
  close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  end.failed = WIFEXITED(status) && WEXITSTATUS(status) == 1;
  return end;
}

/// The same of one from seed 41 on, if its third schedule does that.
End die_of(void (*end)()) {
  int played = 0;
  return end_of("41", "5", [&](const Schedule&, std::vector<std::string>*) -> std::optional<Broken> {
    if (++played == 3)
      end();
    return {};
  });
}

/// One step in some thousand, so that most schedules have none.
bool is_forbidden(const Step& step) { return step.kind == Step::Kind::crash && step.salt % 10 == 7; }

std::string told(const Step& step) { return std::string(to_string(step.kind)) + " " + std::to_string(step.salt); }

/// Breaks a made-up promise where a schedule holds a step that is forbidden.
std::optional<Broken> play_without_forbidden(const Schedule& schedule, std::vector<std::string>* trace) {
  for (std::size_t i = 0; i < schedule.size(); ++i) {
    if (trace)
      trace->push_back(told(schedule[i]));
    if (is_forbidden(schedule[i]))
      return Broken{"G0: " + told(schedule[i]) + " came", i};
  }
  return {};
}

Schedule steps_of(const std::vector<Step::Kind>& kinds) {
  Schedule schedule;
  for (auto kind : kinds)
    schedule.push_back({kind, schedule.size()});
  return schedule;
}

std::vector<Step::Kind> kinds_of(const Schedule& schedule) {
  std::vector<Step::Kind> kinds;
  for (auto& step : schedule)
    kinds.push_back(step.kind);
  return kinds;
}

} // namespace

TEST_CASE("a campaign that is ended by a signal tells the seed to replay, and what was fine before it") {
  const std::string seed = "seed 43: the process ended; before it 2 schedules kept their promises\n";
  auto aborted = die_of([] { std::abort(); });
  CHECK(aborted.signal == SIGABRT);
  CHECK_MESSAGE(aborted.words.find(seed) != std::string::npos, aborted.words);
  auto stopped = die_of([] { std::raise(SIGTERM); });
  CHECK(stopped.signal == SIGTERM);
  CHECK_MESSAGE(stopped.words.find(seed) != std::string::npos, stopped.words);
  auto well = die_of([] {});
  CHECK(well.signal == 0);
  CHECK_MESSAGE(well.words.find("seed 43") == std::string::npos, well.words);
}

TEST_CASE("a campaign shows the shortest schedule that breaks a promise, and its seed replays it") {
  constexpr std::size_t steps = 200;
  std::uint64_t seed = 41;
  auto schedule = make_schedule(seed, steps);
  auto first = [&] { return std::find_if(schedule.begin(), schedule.end(), is_forbidden); };
  while (first() == schedule.end())
    schedule = make_schedule(++seed, steps);
  REQUIRE(seed > 41); // some keep their promises before it
  const auto number = std::to_string(seed), step = told(*first());

  auto found = end_of("41", "1000", play_without_forbidden);
  CHECK(found.signal == 0);
  CHECK(found.failed);
  auto says = [&](const End& end, const std::string& text) {
    CHECK_MESSAGE(end.words.find(text) != std::string::npos, text, " is not in ", end.words);
  };
  says(found, "seed " + number + ", 1 steps: G0: " + step + " came\n" + step + "\n\n");
  says(found, "seed " + number + ": G0: " + step + " came\n");

  auto again = end_of(number.c_str(), "1", play_without_forbidden);
  CHECK(again.failed);
  says(again, "seed " + number + ", 1 steps: G0: " + step + " came\n" + step + "\n\n");

  auto before = end_of("41", std::to_string(seed - 41).c_str(), play_without_forbidden);
  CHECK(!before.failed);
  says(before, std::to_string(seed - 41) + " schedules of 200 steps from seed 41\n");
}

TEST_CASE("a campaign that would play nothing, or something else than was asked for, fails and says why") {
  auto keeps = [](const Schedule&, std::vector<std::string>*) -> std::optional<Broken> { return {}; };
  for (std::string wrong : {"0", "", "ten", "5x", "-1", "99999999999999999999"}) {
    auto ended = end_of("41", wrong.c_str(), keeps);
    CHECK(ended.failed);
    const auto why = "SIMULATION_SCHEDULES=\"" + wrong + "\" is no whole number from 1 on";
    CHECK_MESSAGE(ended.words.find(why) != std::string::npos, ended.words);
  }
  CHECK(end_of("x41", "1", keeps).failed);
  CHECK(!end_of("0", "1", keeps).failed);
}

TEST_CASE("what is left of a shortened schedule breaks the same promise, with all steps that it takes, in order") {
  using K = Step::Kind;
  // G1: a crash after a take. G2: no take.
  auto play = [](const Schedule& schedule, std::vector<std::string>*) -> std::optional<Broken> {
    bool taken = false;
    for (std::size_t i = 0; i < schedule.size(); ++i) {
      taken |= schedule[i].kind == K::take;
      if (taken && schedule[i].kind == K::crash)
        return Broken{"G1: made up", i};
    }
    return taken ? std::nullopt : std::optional<Broken>(Broken{"G2: made up", schedule.size()});
  };
  auto shortened = [&](const std::vector<K>& kinds) { return kinds_of(shrink(steps_of(kinds), play)); };
  CHECK(shortened({K::crash, K::time, K::take, K::commit, K::time, K::jit, K::crash, K::take, K::crash}) ==
        std::vector{K::take, K::crash});
  CHECK(shortened({K::crash, K::time, K::jit}).empty());
  const std::vector kept{K::time, K::take, K::commit};
  CHECK(shortened(kept) == kept); // it breaks nothing
}
