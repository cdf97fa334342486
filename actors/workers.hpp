#pragma once
/// The host actors that carry out orders, and which of them is the least busy.

#include "actors/messages.hpp"

#include <memory>
#include <mutex>
#include <vector>

namespace ci {

/// Shared by the guest actors; any thread. A worker does one thing at a time, and a clone may take it
/// minutes: there should be more of them than creates in parallel. One that left a request without an answer
/// is stuck: it is chosen only where nobody else is there, until it answers something or some minutes have
/// passed.
class Workers {
 public:
  explicit Workers(std::vector<host_actor> hosts);

  /// The one with the fewest orders in flight; counts one more.
  std::size_t borrow(domain::Steady now);
  void give_back(std::size_t worker);
  /// A request to it timed out.
  void silent(std::size_t worker, domain::Steady now);
  void answered(std::size_t worker);
  const host_actor& host(std::size_t worker) const { return workers_[worker].host; }

 private:
  struct Worker {
    host_actor host;
    int in_flight = 0;
    domain::Steady stuck_until{};
  };
  std::mutex mutex_;
  std::vector<Worker> workers_; ///< its size and the handles never change
};
using WorkersPtr = std::shared_ptr<Workers>;

} // namespace ci
