#pragma once
/// A test that asks actors, with time that is moved by hand.

#include "tests/support/fake_host.hpp"

#include <doctest/doctest.h>

namespace ci::test {

/// Everything runs in the test's thread, when it says so. Whoever spawns actors ends them.
struct Asker : Stage {
  caf::scoped_actor self{system};

  Asker() {
    // A clock that begins at its epoch would make every moment look like "never".
    pass(std::chrono::hours(1));
  }

  domain::Steady now() { return scheduler.clock().now(); }
  /// The handle of a request to that actor, which has run as far as it can.
  template <class Actor, class... Args>
  auto ask_of(const Actor& actor, Args... args) {
    auto handle = self->request(actor, caf::infinite, args...);
    run();
    return handle;
  }
  template <class Reply, class Handle>
  Reply receive(Handle& handle) {
    Reply result;
    handle.receive([&](Reply& reply) { result = std::move(reply); },
                   [&](const caf::error& error) { FAIL(system.render(error)); });
    return result;
  }
  bool answered() { return !self->mailbox().empty(); }
  template <class Actor>
  void end(const Actor& actor) {
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  }
};

} // namespace ci::test
