#include "http/limiter.hpp"

#include <algorithm>

namespace ci::http {

domain::Address counted_as(const domain::Address& source) {
  return source.is_v4() ? source : source.masked(64);
}

void SourceLimiter::set(int per_minute) {
  std::lock_guard lock(mutex_);
  per_minute_ = per_minute;
}

std::size_t SourceLimiter::sources() const {
  std::lock_guard lock(mutex_);
  return entries_.size();
}

std::optional<int> SourceLimiter::admit(const domain::Address& source, domain::Steady now) {
  std::lock_guard lock(mutex_);
  forget_quiet(now);
  if (per_minute_ <= 0)
    return 60;
  auto& entry = entry_of(counted_as(source));
  if (const auto wait = wait_of(entry, now))
    return wait;
  entry.admitted.push_back(now);
  entries_.splice(entries_.end(), entries_, by_key_.at(entry.key));
  return std::nullopt;
}

std::optional<int> SourceLimiter::wait_of(Entry& entry, domain::Steady now) const {
  while (!entry.admitted.empty() && entry.admitted.front() + window <= now)
    entry.admitted.pop_front();
  const auto share = static_cast<std::size_t>(std::max(per_minute_, 0));
  if (entry.admitted.size() < share)
    return std::nullopt;
  const auto free = share == 0 ? now + window : entry.admitted[entry.admitted.size() - share] + window;
  const auto wait = std::chrono::ceil<std::chrono::seconds>(free - now).count();
  return static_cast<int>(std::clamp<std::int64_t>(wait, 1, 60));
}

SourceLimiter::Entry& SourceLimiter::entry_of(const domain::Address& key) {
  if (const auto known = by_key_.find(key); known != by_key_.end())
    return *known->second;
  if (entries_.size() >= max_sources) {
    by_key_.erase(entries_.front().key);
    entries_.pop_front();
  }
  by_key_[key] = entries_.insert(entries_.end(), Entry{key, {}});
  return entries_.back();
}

void SourceLimiter::forget_quiet(domain::Steady now) {
  while (!entries_.empty() &&
         (entries_.front().admitted.empty() || entries_.front().admitted.back() + window <= now)) {
    by_key_.erase(entries_.front().key);
    entries_.pop_front();
  }
}

} // namespace ci::http
