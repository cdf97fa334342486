#pragma once
/// Bounds on what may go on at once and may outlive the request that began it.

#include <atomic>
#include <memory>
#include <utility>

namespace ci::http {

/// The right to be one of \p most that \p count counts, for as long as any copy of it lives, whoever else has ended by
/// then. Null: there are so many. Any thread.
inline std::shared_ptr<void> share_of(std::shared_ptr<std::atomic<int>> count, int most) {
  if (count->fetch_add(1) >= most) {
    count->fetch_sub(1);
    return nullptr;
  }
  auto* one = count.get();
  return {one, [count = std::move(count)](void*) { count->fetch_sub(1); }};
}

} // namespace ci::http
