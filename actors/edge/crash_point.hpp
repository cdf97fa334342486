#pragma once
/// Ends the process as kill -9 would, at a named step: for tests of what a crash leaves behind. Off unless
/// the variable CI_MONITOR_CRASH_AT names a step, `<step>` or `<step>:<nth time>`, e.g. `register.answer:2`.

#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>

namespace ci::edge {

/// Steps are `<effect>.order`, before an order of the monitor leaves, and `<effect>.answer`, before its
/// answer is taken in; `migrate.order` and `migrate.answer`, before and after the store's file is committed
/// in its next format; and `<actor>.<message>`, before an actor that makes blocking calls makes that one,
/// e.g. `libvirt_worker.define`. Each object counts for itself, and is one thread's.
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

} // namespace ci::edge
