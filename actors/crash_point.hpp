#pragma once
/// Ends the process as kill -9 would, at a named step: for tests of what a crash leaves behind. Off unless
/// the variable CI_MONITOR_CRASH_AT names a step, `<step>` or `<step>:<nth time>`, e.g. `register.answer:2`.

#include "actors/domain/store.hpp"

#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

namespace ci {

/// Commits that have a step of their own besides `commit`: `switch`, to an image that has passed its trial, and
/// `override`, which begins, changes or ends one. Empty: none.
inline std::string_view named_commit(const domain::StoreBatch& batch) {
  for (auto& op : batch) {
    if (auto* put = std::get_if<domain::store::PutImage>(&op); put && put->image.phase == domain::ImagePhase::ready)
      return "switch";
    if (auto* note = std::get_if<domain::store::SetNote>(&op); note && note->key == "policy_override")
      return "override";
  }
  return {};
}

/// Steps are `<effect>.order`, before an order of the monitor leaves, and `<effect>.answer`, before its
/// answer is taken in. One thread: the monitor's.
class CrashPoint {
 public:
  CrashPoint() {
    const char* at = std::getenv("CI_MONITOR_CRASH_AT");
    if (!at)
      return;
    step_ = at;
    if (auto colon = step_.find(':'); colon != std::string::npos) {
      left_ = std::atoi(step_.c_str() + colon + 1);
      step_.resize(colon);
    }
  }
  void reached(std::string_view effect, std::string_view moment) {
    if (step_.empty()) [[likely]]
      return;
    if (step_.size() == effect.size() + 1 + moment.size() && step_.starts_with(effect) &&
        step_.ends_with(moment) && --left_ == 0)
      std::raise(SIGKILL); // of this thread, and so of the whole process
  }

 private:
  std::string step_;
  int left_ = 1;
};

} // namespace ci
