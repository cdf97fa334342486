#pragma once
/// Requests that wait for their answer, so that the server can tell when it may end, and answer what is left.

#include "http/responder.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace ci::http {

/// Any thread. A request is here from its arrival until its answer was written, or its connection was found
/// closed.
class Exchanges : public std::enable_shared_from_this<Exchanges> {
 public:
  /// A request arrived. The token goes with the answer: when it dies, the exchange is over.
  std::shared_ptr<void> begin();
  /// Who may answer it; forgotten with finished().
  std::uint64_t waiting(std::weak_ptr<Responder>);
  void finished(std::uint64_t serial);
  /// Refuses everything that waits.
  void refuse_all(const Problem&);
  /// Whether all exchanges ended in time.
  bool wait_for_none(std::chrono::milliseconds);

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  int open_ = 0;
  std::uint64_t last_serial_ = 0;
  std::unordered_map<std::uint64_t, std::weak_ptr<Responder>> waiting_;
};

} // namespace ci::http
