#include "actors/domain/write_budget.hpp"

#include <algorithm>

namespace ci::domain {

namespace {

constexpr std::chrono::seconds write_window{60};

int left_to_others(WritePurpose purpose, int per_minute) {
  switch (purpose) {
  case WritePurpose::creating:
    return per_minute * 3 / 8;
  case WritePurpose::reserving:
    return per_minute / 8;
  case WritePurpose::clearing:
    break;
  }
  return 0;
}

} // namespace

Duration WriteBudget::wait(WritePurpose purpose, int count, int per_minute, Steady now) const {
  const int room = std::max(1, per_minute - left_to_others(purpose, per_minute));
  int used = 0;
  for (const auto& [at, writes] : spent_)
    used += at + write_window > now ? writes : 0;
  const int wanted = std::min(count, room);
  if (used + wanted <= room)
    return Duration{0};
  for (const auto& [at, writes] : spent_) {
    if (at + write_window <= now)
      continue;
    used -= writes;
    if (used + wanted <= room)
      return std::max(Duration{1}, std::chrono::ceil<Duration>(at + write_window - now));
  }
  return Duration{1};
}

void WriteBudget::spend(int count, Steady now) {
  while (!spent_.empty() && spent_.front().first + write_window <= now)
    spent_.pop_front();
  if (count > 0)
    spent_.emplace_back(now, count);
}

} // namespace ci::domain
