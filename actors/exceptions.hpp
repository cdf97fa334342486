#pragma once
/// What becomes of an exception that a message's handler let go.

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

#include <exception>
#include <string_view>

namespace ci {

/// For `set_exception_handler`: logs that event and what the exception says. CAF ends the actor then, whatever its
/// handler returns, and that is right: what counts as under way may have been lost half-way, and the supervisor
/// begins the actor anew with what the store, GitHub and libvirt know. Whoever asked gets an error. \p event lives
/// as long as the actor.
inline auto log_exception(spdlog::level::level_enum level, std::string_view event) {
  return [=](std::exception_ptr& failure) -> caf::error {
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      spdlog::log(level, "event={} what=\"{}\"", event, error.what());
    } catch (...) {
      spdlog::log(level, "event={} what=unknown", event);
    }
    return caf::sec::runtime_error;
  };
}

} // namespace ci
