#include "tests/simulation/schedule.hpp"

#include <algorithm>
#include <utility>

namespace ci::test {

std::uint64_t mix(std::uint64_t salt, std::uint64_t n) {
  auto x = salt + 0x9e3779b97f4a7c15ULL * (n + 1);
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

const char* to_string(Step::Kind k) {
  constexpr const char* names[] = {"carry", "answer", "commit",  "time",  "guest",
                                   "take",  "repeat", "release", "jit",   "crash",
                                   "fault", "policy", "lever",   "event", "jump",
                                   "run",   "hook",   "leave"};
  return names[static_cast<int>(k)];
}

Schedule make_schedule(std::uint64_t seed, std::size_t steps) {
  using K = Step::Kind;
  // Ordinary progress is common, disasters are rare.
  static const std::vector<std::pair<K, int>> weights = {
      {K::carry, 30}, {K::answer, 30}, {K::commit, 20}, {K::time, 12}, {K::guest, 16},
      {K::take, 5},   {K::repeat, 3},  {K::release, 2}, {K::jit, 3},   {K::crash, 1},
      {K::fault, 2},  {K::policy, 1},  {K::lever, 1},   {K::event, 3}, {K::jump, 1},
      {K::run, 3},    {K::hook, 3}};
  int total = 0;
  for (auto& [kind, weight] : weights)
    total += weight;
  Schedule schedule(steps);
  for (std::size_t i = 0; i < steps; ++i) {
    int at = static_cast<int>(mix(seed, 2 * i) % static_cast<std::uint64_t>(total));
    for (auto& [kind, weight] : weights) {
      if (at < weight) {
        schedule[i].kind = kind;
        break;
      }
      at -= weight;
    }
    schedule[i].salt = mix(seed, 2 * i + 1);
  }
  // One schedule in six begins on an older monitor's host.
  if (auto n = mix(seed, 2 * steps); n % 6 == 0)
    for (std::size_t i = 0; i < std::min<std::size_t>(steps, 1 + n / 6 % 5); ++i)
      schedule[i].kind = K::leave;
  return schedule;
}

Schedule shrink(Schedule schedule, const Play& play) {
  auto broken = play(schedule, nullptr);
  if (!broken)
    return schedule;
  if (broken->step + 1 < schedule.size())
    schedule.resize(broken->step + 1);
  const auto promise = broken->promise.substr(0, broken->promise.find(':')); // a shorter one must break the same
  for (std::size_t chunk = schedule.size() / 2; chunk > 0; chunk /= 2)
    for (std::size_t at = 0; at + chunk <= schedule.size();) {
      auto shorter = schedule;
      auto begin = shorter.begin() + static_cast<std::ptrdiff_t>(at);
      shorter.erase(begin, begin + static_cast<std::ptrdiff_t>(chunk));
      if (auto again = play(shorter, nullptr); again && again->promise.starts_with(promise + ":"))
        schedule = std::move(shorter);
      else
        at += chunk;
    }
  return schedule;
}

} // namespace ci::test
