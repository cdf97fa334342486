#pragma once
/// What the actors' fakes share with the schedule: calls that were made and wait to be carried out, and
/// answers that wait to arrive.

#include "tests/simulation/simulation.hpp"

#include "actors/messages.hpp"

#include <deque>
#include <functional>
#include <string>
#include <utility>

namespace ci::test {

/// Sent to a fake by the schedule: only an actor that runs may keep its promises.
using deliver_atom = caf::atom_constant<caf::atom("deliver")>;
struct Delivery {
  std::function<void()> deliver;
};

/// One process's calls to the world. Belongs to the simulation; the fakes, which run in its thread, add to
/// it.
struct Outside {
  struct Call {
    /// Calls of one lane are carried out in order: a libvirt host does one thing at a time. 0: in any order.
    int lane = 0;
    std::string what;
    /// Whoever asked gives up after so long, at most, where nobody answers.
    Duration patience;
    /// Acts, and has the answer wait.
    std::function<void(Fault)> carry;
  };
  struct Answer {
    std::string what;
    caf::actor to;
    Delivery delivery;
    Delivery failure{}; ///< of a commit: what comes instead where it failed
  };
  std::deque<Call> calls;
  std::deque<Answer> answers;
  std::deque<Answer> commits; ///< answers to the oldest batches, which are in `batches`
  std::deque<StoreBatch> batches;
  std::deque<Steady> made; ///< when calls were, in the last hour

  void clear() { *this = {}; }
};

} // namespace ci::test

CI_LOCAL_MESSAGE(ci::test::Delivery)
