#pragma once
/// Keeps the state in its file: soon after each change, but not too often.

#include "tests/simulators/github_simulator/api.hpp"
#include "tests/simulators/github_simulator/clock.hpp"

namespace ci::github_simulator {

class Keeper {
 public:
  /// Without a path nothing is kept.
  Keeper(asio::io_context& io, const Api& api, const Clock& clock, std::string path)
      : api_{api}, clock_{clock}, path_{std::move(path)}, timer_{io} {}

  /// Something may have changed.
  void save_soon();
  void save();

 private:
  const Api& api_;
  const Clock& clock_;
  std::string path_;
  asio::steady_timer timer_;
  bool waiting_ = false;
  std::uint64_t saved_revision_ = 0;
  Moment next_save_{};
};

} // namespace ci::github_simulator
