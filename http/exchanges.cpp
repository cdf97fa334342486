#include "http/exchanges.hpp"

#include <vector>

namespace ci::http {

std::shared_ptr<void> Exchanges::begin() {
  {
    std::lock_guard lock(mutex_);
    ++open_;
  }
  return {this, [self = shared_from_this()](void*) {
            std::lock_guard lock(self->mutex_);
            if (--self->open_ == 0)
              self->none_.notify_all();
          }};
}

std::uint64_t Exchanges::waiting(std::weak_ptr<Responder> responder) {
  std::lock_guard lock(mutex_);
  waiting_.emplace(++last_serial_, std::move(responder));
  return last_serial_;
}

void Exchanges::finished(std::uint64_t serial) {
  std::lock_guard lock(mutex_);
  waiting_.erase(serial);
}

void Exchanges::refuse_all(const Problem& problem) {
  std::vector<ResponderPtr> left;
  {
    std::lock_guard lock(mutex_);
    for (auto& [serial, responder] : waiting_)
      if (auto alive = responder.lock())
        left.push_back(std::move(alive));
  }
  for (auto& responder : left)
    responder->refuse(problem);
}

bool Exchanges::wait_for_none(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return none_.wait_for(lock, limit, [this] { return open_ == 0; });
}

} // namespace ci::http
