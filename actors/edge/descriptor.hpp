#pragma once
/// A file descriptor with an owner.

#include <utility>

#include <unistd.h>

namespace ci::edge {

/// Closed with the object.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0)
      ::close(number_);
  }
  explicit operator bool() const { return number_ >= 0; }
  int get() const { return number_; }
  /// From now on the caller's.
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

} // namespace ci::edge
