#include "http/connections.hpp"

#include "http/limiter.hpp"

namespace ci::http {

ConnectionCounts::Token ConnectionCounts::admit(const domain::Address& source, bool exempt) {
  const auto key = counted_as(source);
  {
    std::lock_guard lock(mutex_);
    auto& count = by_source_[key].open;
    if (open_ >= limit_ || (!exempt && count >= limit_per_source_ * tolerance)) {
      if (count == 0)
        by_source_.erase(key);
      return nullptr;
    }
    ++count;
    ++open_;
  }
  return Token(this, [self = shared_from_this(), key](void*) { self->leave(key); });
}

bool ConnectionCounts::hold(const domain::Address& source, std::int64_t bytes) {
  std::lock_guard lock(mutex_);
  auto& of_source = by_source_.at(counted_as(source)).bytes;
  if (bytes_ + bytes > most_bytes || of_source + bytes > most_bytes_of_source)
    return false;
  bytes_ += bytes;
  of_source += bytes;
  return true;
}

void ConnectionCounts::release(const domain::Address& source, std::int64_t bytes) {
  std::lock_guard lock(mutex_);
  bytes_ -= bytes;
  by_source_.at(counted_as(source)).bytes -= bytes;
}

void ConnectionCounts::set_limit_per_source(int limit) {
  std::lock_guard lock(mutex_);
  limit_per_source_ = limit;
}

bool ConnectionCounts::crowded(const domain::Address& source) const {
  std::lock_guard lock(mutex_);
  const auto at = by_source_.find(counted_as(source));
  return at != by_source_.end() && at->second.open > limit_per_source_;
}

int ConnectionCounts::open() const {
  std::lock_guard lock(mutex_);
  return open_;
}

void ConnectionCounts::leave(const domain::Address& key) {
  std::lock_guard lock(mutex_);
  --open_;
  const auto at = by_source_.find(key);
  if (--at->second.open == 0)
    by_source_.erase(at);
}

} // namespace ci::http
