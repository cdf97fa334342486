#include "tests/simulation/campaign.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <cstdlib>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

using namespace ci::test;

namespace {

struct Death {
  int signal = 0;
  std::string last_words;
};

/// How a process ends whose campaign is from seed 41 on, if its third schedule does that.
Death die_of(void (*end)()) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const auto child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    setenv("SIMULATION_SEED", "41", 1);
    setenv("SIMULATION_SCHEDULES", "5", 1);
    int played = 0;
    campaign([&](const Schedule&, std::vector<std::string>*) -> std::optional<Broken> {
      if (++played == 3)
        end();
      return {};
    });
    _exit(0);
  }
  close(ends[1]);
  Death death;
  char some[512];
  for (ssize_t size; (size = read(ends[0], some, sizeof some)) > 0;)
    death.last_words.append(some, static_cast<std::size_t>(size));
  close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  death.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return death;
}

} // namespace

TEST_CASE("a campaign that is ended by a signal tells the seed to replay, and what was fine before it") {
  const std::string told = "seed 43: the process ended; before it 2 schedules kept their promises\n";
  auto aborted = die_of([] { std::abort(); });
  CHECK(aborted.signal == SIGABRT);
  CHECK_MESSAGE(aborted.last_words.find(told) != std::string::npos, aborted.last_words);
  auto stopped = die_of([] { std::raise(SIGTERM); });
  CHECK(stopped.signal == SIGTERM);
  CHECK_MESSAGE(stopped.last_words.find(told) != std::string::npos, stopped.last_words);
  auto well = die_of([] {});
  CHECK(well.signal == 0);
  CHECK_MESSAGE(well.last_words.find("seed 43") == std::string::npos, well.last_words);
}
