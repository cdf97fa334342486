#pragma once
/// Where the monitor publishes and everyone reads.

#include "actors/domain/snapshot.hpp"

#include <chrono>
#include <memory>
#include <mutex>

namespace ci {

/// The newest snapshot, and when the monitor last ended a crank. Any thread; readers never wait for an actor.
class Board {
 public:
  void publish(domain::SnapshotPtr snapshot) {
    std::lock_guard lock(mutex_);
    snapshot_ = std::move(snapshot);
  }
  /// Called at the end of each crank, changed or not.
  void beat(domain::Steady now) {
    std::lock_guard lock(mutex_);
    last_crank_ = now;
    cranked_ = true;
  }
  /// Null until the first crank is over.
  domain::SnapshotPtr snapshot() const {
    std::lock_guard lock(mutex_);
    return snapshot_;
  }
  /// Whether a crank has ended, and when the last one did.
  std::pair<bool, domain::Steady> last_crank() const {
    std::lock_guard lock(mutex_);
    return {cranked_, last_crank_};
  }

 private:
  mutable std::mutex mutex_;
  domain::SnapshotPtr snapshot_;
  domain::Steady last_crank_{};
  bool cranked_ = false;
};
using BoardPtr = std::shared_ptr<Board>;

} // namespace ci
