#pragma once
/// A body that is not in memory as a whole.

#include "actors/domain/types.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace ci::http {

/// Gives a body piece by piece, as fast as the client takes it in. Asked by the server's thread alone, for
/// one piece at a time.
class BodySource {
 public:
  virtual ~BodySource() = default;
  /// Of the whole body, in bytes; never changes.
  virtual std::int64_t size() const = 0;
  /// When the first piece must be there; else the answer is that the body can't be had.
  virtual domain::Steady begin_by() const = 0;
  /// The next piece, never empty; null where it cannot be had: then the connection is closed.
  using Take = std::function<void(std::shared_ptr<const std::string>)>;
  /// Must not block. \p take is called once, in any thread, or destroyed without a call: as if null came.
  virtual void next(Take take) = 0;
};

} // namespace ci::http
