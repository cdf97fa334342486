#pragma once
/// Guests that do not do what they should.

#include <filesystem>
#include <map>
#include <string>

namespace ci::guest_simulator {

struct Behaviour {
  /// "boot", "build", "jit" or "session": stops for ever before that step. Empty: does not.
  std::string hang_at;
  /// Dies in the middle of its job, or, where it never gets one, not at all.
  bool crash = false;
  /// Stays on after its job.
  bool no_shutdown = false;
};

/// `{"default": {...}, "<guest name>": {"hang_at": "boot", "crash": true, "no_shutdown": true}}`, read again
/// whenever the file changes. What a guest's entry leaves out stands in "default". A file that is missing or
/// wrong changes nothing.
class Behaviours {
 public:
  explicit Behaviours(std::filesystem::path file) : file_(std::move(file)) {}
  Behaviour of(const std::string& guest);

 private:
  void read_again();

  std::filesystem::path file_;
  std::string text_;
  std::map<std::string, Behaviour> by_name_;
  Behaviour default_;
};

} // namespace ci::guest_simulator
