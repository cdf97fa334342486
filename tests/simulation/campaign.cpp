#include "tests/simulation/campaign.hpp"

#include "actors/edge/leak_pause.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <iterator>
#include <string_view>
#include <system_error>

#include <unistd.h>

#ifdef CI_MONITOR_FINDS_LEAKS // LeakSanitizer comes with AddressSanitizer
#include <sanitizer/common_interface_defs.h>
#endif

namespace ci::test {
namespace {

/// As the environment says. Whoever misspells it would have nothing played, and a pass.
std::uint64_t number(const std::string& name, std::uint64_t least, std::uint64_t otherwise) {
  const char* variable = std::getenv(name.c_str());
  if (!variable)
    return otherwise;
  const std::string_view text(variable);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least)
    FAIL(name << "=\"" << text << "\" is no whole number from " << least << " on");
  return value;
}

constexpr int fatal[] = {SIGINT, SIGTERM, SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
struct sigaction before[std::size(fatal)];
std::atomic<std::uint64_t> begun{0}, under_way{0};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free); // read by signal handlers

void say(std::string_view text) {
  if (write(STDERR_FILENO, text.data(), text.size()) < 0)
    return; // nobody listens
}

void say(std::uint64_t n) {
  char digits[20];
  say({digits, static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, n).ptr - digits)});
}

/// doctest does not print what a test case captured when the process ends within it.
void tell_seed() {
  say("seed ");
  say(under_way);
  say(": the process ended; before it ");
  say(under_way - begun);
  say(" schedules kept their promises\n");
}

void on_signal(int signal) {
  tell_seed();
  for (std::size_t i = 0; i < std::size(fatal); ++i)
    if (fatal[i] == signal)
      sigaction(signal, &before[i], nullptr);
  std::raise(signal); // for doctest
}

/// As long as it lives, the end of the process tells the seed of the schedule under way, whether by a signal or by a
/// sanitizer.
class SeedTeller {
 public:
  explicit SeedTeller(std::uint64_t first) {
    begun = under_way = first;
    struct sigaction ours = {};
    ours.sa_handler = on_signal;
    ours.sa_flags = SA_ONSTACK; // a stack that overflowed tells it too
    for (std::size_t i = 0; i < std::size(fatal); ++i)
      sigaction(fatal[i], &ours, &before[i]);
    on_death(tell_seed);
  }
  SeedTeller(const SeedTeller&) = delete;
  SeedTeller& operator=(const SeedTeller&) = delete;
  ~SeedTeller() {
    for (std::size_t i = 0; i < std::size(fatal); ++i)
      sigaction(fatal[i], &before[i], nullptr);
    on_death(nullptr);
  }

 private:
  static void on_death([[maybe_unused]] void (*tell)()) {
#ifdef CI_MONITOR_FINDS_LEAKS
    __sanitizer_set_death_callback(tell);
#endif
  }
};

} // namespace

void campaign(const Play& play) {
  auto schedules = number("SIMULATION_SCHEDULES", 1, 300), steps = number("SIMULATION_STEPS", 1, 200);
  auto first = number("SIMULATION_SEED", 0, 1), shortened = number("SIMULATION_SHRINK", 0, 1);
  SeedTeller teller(first);
  for (auto seed = first; seed < first + schedules; ++seed) {
    under_way = seed;
    auto schedule = make_schedule(seed, steps);
    auto broken = play(schedule, nullptr);
    if (!broken)
      continue;
    auto shorter = shortened ? shrink(schedule, play) : schedule;
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
