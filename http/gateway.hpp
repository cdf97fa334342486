#pragma once
/// Carries cranking requests from the handlers to the monitor, and its answers back to the clients.

#include "actors/messages.hpp"
#include "actors/metered.hpp"
#include "http/options.hpp"
#include "http/places.hpp"
#include "http/responder.hpp"

#include <functional>
#include <optional>
#include <unordered_map>

namespace ci::http {

using tick_atom = caf::atom_constant<caf::atom("gw_tick")>;
using expire_atom = caf::atom_constant<caf::atom("expire")>;

/// Writes the answer to a lever that was not refused.
using LeverWriter = std::function<void(Responder&, const domain::LeverAnswer&)>;

/// Nobody waits for its answers: they go to the clients.
using gateway_actor = caf::typed_actor<
    /// Who decides from now on. An invalid handle: nobody, until the next such message.
    caf::reacts_to<watch_atom, monitor_actor>,
    /// Who decides about selects from now on.
    caf::reacts_to<watch_atom, selector_actor>,
    /// A select without a token, which becomes a take where its proof holds.
    caf::reacts_to<select_atom, ResponderPtr, domain::SelectRequest>,
    /// A take; the flag says whether the answer is a list.
    caf::reacts_to<take_atom, ResponderPtr, domain::TakeRequest, bool>,
    /// The string is the lower-case unique_id.
    caf::reacts_to<release_atom, ResponderPtr, std::string>,
    /// From the guest that has this IPv4 address.
    caf::reacts_to<jit_atom, ResponderPtr, std::string>,
    /// From the guest that has this IPv4 address.
    caf::reacts_to<boot_atom, ResponderPtr, std::string>,
    /// An operator's lever; the answer is for the function to write.
    caf::reacts_to<lever_atom, ResponderPtr, domain::Lever, LeverWriter>,
    /// A request that others answer has waited long enough: refuses it, unless it is answered.
    caf::reacts_to<expire_atom, ResponderRef>,
    /// New settings: how long requests that come from now on may take.
    caf::reacts_to<policy_atom, Waits>,
    /// A webhook, for the monitor; answered already.
    caf::reacts_to<notice_atom, NoticePtr>,
    /// A request's time ran out; the number is the request's.
    caf::reacts_to<tick_atom, std::uint64_t>>;

/// A request's life: it comes in with its responder and goes to the monitor with a ticket. If the monitor has
/// not taken the ticket up within `Waits::send`, the ticket is abandoned, so the request has no effect, and
/// the client is told to come again. From then on the answer may take `Waits::receive`; a later one is
/// dropped (the monitor carried the request to its end: a repeat finds what it left). When the monitor dies,
/// all its requests are answered at once. Guests have less patience: theirs are answered within
/// `Waits::guest` in all. A select goes to the selector first, which has time-outs of its own, and to the monitor
/// only with what that made of it. Whoever floods it has a share of the places: see `Places`.
class Gateway : public Metered<gateway_actor::base> {
 public:
  Gateway(caf::actor_config& config, MeterPtr meter, Waits waits, std::size_t limit)
      : Metered(config, std::move(meter)), waits_(waits), places_(limit) {}

  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  /// A request at the monitor.
  struct Call {
    Places::Place place;
    ResponderPtr responder;
    TicketPtr ticket;
    domain::Duration receive; ///< what is left after the first time-out; zero: nothing
  };
  /// A select at the selector. The place stays its own when it becomes a take.
  struct Select {
    Places::Place place;
    ResponderPtr responder;
  };
  struct Patience {
    domain::Duration send, receive;
  };

  void watch(const monitor_actor&);
  void select(ResponderPtr, const domain::SelectRequest&);
  void take(Places::Place, ResponderPtr, domain::TakeRequest, bool list);
  /// Takes the select off the list; none if it was answered before.
  std::optional<Select> close_select(std::uint64_t id);
  void lost_monitor();
  /// Asks the monitor `Atom` with a ticket and \p argument; \p finish answers the client. Not without a place.
  template <class Answer, class Atom, class Argument>
  void carry(Places::Place place, ResponderPtr responder, Patience patience, Atom atom, Argument argument,
             std::function<void(Responder&, const Answer&)> finish);
  /// A place for the request; null: it was refused. \p address: a guest's.
  Places::Place admit(Responder&, Asker, const std::string& address = {});
  /// Takes the call off the list; none if its time ran out before.
  ResponderPtr close(std::uint64_t id);
  void fail(std::uint64_t id, const caf::error&);
  void time_out(std::uint64_t id);

  Patience usual() const { return {waits_.send, waits_.receive}; }
  Patience guests() const { return {waits_.guest, domain::Duration::zero()}; }

  Waits waits_;
  Places places_;
  monitor_actor monitor_;
  selector_actor selector_;
  std::unordered_map<std::uint64_t, Select> selects_;
  std::uint64_t last_call_ = 0;
  std::unordered_map<std::uint64_t, Call> calls_;
};

} // namespace ci::http

CI_LOCAL_MESSAGE(ci::http::ResponderPtr)
CI_LOCAL_MESSAGE(ci::http::ResponderRef)
CI_LOCAL_MESSAGE(ci::http::LeverWriter)
CI_LOCAL_MESSAGE(ci::http::Waits)
