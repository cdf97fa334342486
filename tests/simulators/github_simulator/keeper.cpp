#include "tests/simulators/github_simulator/keeper.hpp"

#include "tests/simulators/github_simulator/state_file.hpp"

#include <spdlog/spdlog.h>

namespace ci::github_simulator {

namespace {

constexpr Duration between_saves{200};

} // namespace

void Keeper::save_soon() {
  if (path_.empty() || waiting_ || api_.revision() == saved_revision_)
    return;
  waiting_ = true;
  later(timer_, last_save_ + between_saves - clock_.now(), [this] {
    waiting_ = false;
    save();
  });
}

void Keeper::save() {
  if (path_.empty())
    return;
  try {
    // A path may hold what is no UTF-8, and the name of a scope with it.
    write_atomically(path_, api_.save().dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    saved_revision_ = api_.revision();
  } catch (const std::exception& e) {
    spdlog::error("the state is not kept: {}", e.what());
  }
  last_save_ = clock_.now();
}

} // namespace ci::github_simulator
