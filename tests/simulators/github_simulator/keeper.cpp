#include "tests/simulators/github_simulator/keeper.hpp"

#include "tests/simulators/github_simulator/state_file.hpp"

#include <spdlog/spdlog.h>

namespace ci::github_simulator {

namespace {

constexpr Duration between_saves{200};
/// A large state takes long to write: requests come first.
constexpr int share_of_saving = 5;

} // namespace

void Keeper::save_soon() {
  if (path_.empty() || waiting_ || api_.revision() == saved_revision_)
    return;
  waiting_ = true;
  later(timer_, next_save_ - clock_.now(), [this] {
    waiting_ = false;
    save();
  });
}

void Keeper::save() {
  if (path_.empty())
    return;
  const auto begun = clock_.now();
  try {
    // A path may hold what is no UTF-8, and the name of a scope with it.
    write_atomically(path_, api_.save().dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    saved_revision_ = api_.revision();
  } catch (const std::exception& e) {
    spdlog::error("the state is not kept: {}", e.what());
  }
  const auto ended = clock_.now();
  next_save_ = ended + std::max(between_saves, share_of_saving * (ended - begun));
}

} // namespace ci::github_simulator
