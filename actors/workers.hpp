#pragma once
/// The host actors that carry out orders, and which of them is the least busy.

#include "actors/messages.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace ci {

/// Shared by the guest actors, or the images actor's own; any thread. A worker does one thing at a time, and a
/// clone may take it minutes: there should be more of them than creates in parallel, and one that copies is chosen
/// only where all others do, or are stuck. One that left a request without an answer is stuck: it is chosen only
/// where nobody else is there, until it answers something or some minutes have passed.
class Workers {
 public:
  explicit Workers(std::vector<host_actor> hosts);

  /// One that copies nothing, where there is one, and of these the one with the fewest orders in flight; counts one
  /// more.
  std::size_t borrow(domain::Steady now);
  /// One without an order in flight, which is counted; none: there is none, or only stuck ones beside others that
  /// are not. The last `kept` are not considered.
  std::optional<std::size_t> borrow_idle(domain::Steady now, std::size_t kept);
  /// That very one, stuck or not; false: it has an order in flight.
  bool borrow_idle_one(std::size_t worker);
  void give_back(std::size_t worker);
  /// An order of that worker copies a disk, borrowed for it or not, until copied() is called.
  void copies(std::size_t worker);
  void copied(std::size_t worker);
  /// A request to it timed out.
  void silent(std::size_t worker, domain::Steady now);
  void answered(std::size_t worker);
  const host_actor& host(std::size_t worker) const { return workers_[worker].host; }
  std::size_t size() const { return workers_.size(); }

 private:
  struct Worker {
    host_actor host;
    int in_flight = 0;
    int copying = 0; ///< orders that copy a disk, or are about to
    domain::Steady stuck_until{};
  };
  /// Of the first so many: not stuck where there is one, nor copying, and with the fewest orders. The mutex is held.
  std::size_t best_of(std::size_t first, domain::Steady now) const;

  std::mutex mutex_;
  std::vector<Worker> workers_; ///< its size and the handles never change
};
using WorkersPtr = std::shared_ptr<Workers>;

} // namespace ci
