#pragma once
/// Where the parts of the decisions put what follows from them.

#include "actors/domain/effects.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace ci::domain {

/// Core is the one outbox; its parts only see this side of it. What one turn writes becomes one commit.
class Outbox {
 public:
  virtual void order(Effect) = 0;
  /// `then` runs after the commit.
  virtual void write(StoreOp, std::function<void()> then = {}) = 0;
  virtual void log(LogLevel, const char* event, std::string fields) = 0;
  /// Crank again then, at the latest.
  virtual void wake(Time) = 0;
  /// 64 fresh random bits.
  virtual std::uint64_t random() = 0;

 protected:
  ~Outbox() = default;
};

} // namespace ci::domain
