#include "actors/workers.hpp"

#include <algorithm>
#include <stdexcept>
#include <tuple>
#include <utility>

namespace ci {
namespace {
constexpr domain::Duration stuck_for{600'000};
}

Workers::Workers(std::vector<host_actor> hosts) {
  if (hosts.empty())
    throw std::invalid_argument("no worker for orders to libvirt");
  for (auto& host : hosts)
    workers_.push_back({std::move(host), 0, 0, {}});
}

std::size_t Workers::borrow(domain::Steady now) {
  std::lock_guard lock(mutex_);
  const auto best = best_of(workers_.size(), now);
  ++workers_[best].in_flight;
  return best;
}

std::optional<std::size_t> Workers::borrow_idle(domain::Steady now, std::size_t kept) {
  std::lock_guard lock(mutex_);
  const auto best = best_of(workers_.size() - kept, now);
  if (workers_[best].in_flight > 0)
    return std::nullopt;
  ++workers_[best].in_flight;
  return best;
}

std::size_t Workers::best_of(std::size_t first, domain::Steady now) const {
  const auto rank = [now](const Worker& w) { return std::tuple(w.stuck_until > now, w.copying > 0, w.in_flight); };
  const auto end = workers_.begin() + static_cast<std::ptrdiff_t>(first);
  const auto best = std::min_element(workers_.begin(), end,
                                     [&](auto& a, auto& b) { return rank(a) < rank(b); });
  return static_cast<std::size_t>(best - workers_.begin());
}

bool Workers::borrow_idle_one(std::size_t worker) {
  std::lock_guard lock(mutex_);
  if (workers_[worker].in_flight > 0)
    return false;
  ++workers_[worker].in_flight;
  return true;
}

void Workers::give_back(std::size_t worker) {
  std::lock_guard lock(mutex_);
  --workers_[worker].in_flight;
}

void Workers::copies(std::size_t worker) {
  std::lock_guard lock(mutex_);
  ++workers_[worker].copying;
}

void Workers::copied(std::size_t worker) {
  std::lock_guard lock(mutex_);
  --workers_[worker].copying;
}

void Workers::silent(std::size_t worker, domain::Steady now) {
  std::lock_guard lock(mutex_);
  workers_[worker].stuck_until = now + stuck_for;
}

void Workers::answered(std::size_t worker) {
  std::lock_guard lock(mutex_);
  workers_[worker].stuck_until = {};
}

} // namespace ci
