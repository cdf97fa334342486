#pragma once
/// Ends one actor at a named message, as a fault of its own would: for tests of supervision. Off unless the
/// variable CI_MONITOR_KILL_ACTOR names one, `<actor>:<message>` or `<actor>:<message>:<nth time>`, e.g.
/// `monitor:take:2`; the names are those of ci_monitor_actor_messages_total. Several are parted by commas.

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ci {

/// Any thread.
class DeathPoint {
 public:
  /// \p armed: as the variable has it; may be null.
  explicit DeathPoint(const char* armed) {
    for (std::string_view rest = armed ? armed : ""; !rest.empty();) {
      auto one = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), one.size() + 1));
      auto message = one.find(':');
      if (message == std::string_view::npos)
        continue;
      auto times = one.find(':', message + 1);
      auto point = std::make_unique<Point>();
      point->actor = one.substr(0, message);
      point->message = one.substr(message + 1, times - message - 1);
      point->left =
          times == std::string_view::npos ? 1 : std::atoi(std::string(one.substr(times + 1)).c_str());
      points_.push_back(std::move(point));
    }
  }
  bool armed() const noexcept { return !points_.empty(); }
  /// Whether the actor is to die instead of handling this message. True once a point.
  bool reached(std::string_view actor, std::string_view message) noexcept {
    for (auto& point : points_)
      if (point->actor == actor && point->message == message && point->left.fetch_sub(1) == 1)
        return true;
    return false;
  }

  /// Of this process.
  static DeathPoint& here() {
    static DeathPoint point(std::getenv("CI_MONITOR_KILL_ACTOR"));
    return point;
  }

 private:
  struct Point {
    std::string actor, message;
    std::atomic<int> left{1};
  };
  std::vector<std::unique_ptr<Point>> points_;
};

} // namespace ci
