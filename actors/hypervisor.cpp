#include "actors/hypervisor.hpp"

#include "actors/exceptions.hpp"
#include "actors/guest.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace ci {
namespace {

constexpr domain::Duration host_timeout{60'000};
/// An order may wait for another one of the same guest; each of its steps has a shorter bound of its own.
constexpr domain::Duration order_timeout{3'600'000};

} // namespace

Hypervisor::Hypervisor(caf::actor_config& config, MeterPtr meter, HypervisorSetup setup)
    : Metered(config, std::move(meter)), setup_(std::move(setup)) {
  if (!setup_.spawn_guest)
    setup_.spawn_guest = [this, workers = std::make_shared<Workers>(setup_.workers)](const std::string&) {
      return guest_actor(system().spawn<Guest>(setup_.guest_meter, workers));
    };
  set_down_handler([this](caf::down_msg& down) { guest_down(down); });
  set_exception_handler(log_exception(spdlog::level::critical, "hypervisor_exception"));
}
Hypervisor::~Hypervisor() = default;

Hypervisor::behavior_type Hypervisor::make_behavior() {
  send(setup_.control, watch_atom::value, hypervisor_actor(this));
  return {
      [this](watch_atom, const monitor_actor& monitor) { watch(monitor); },
      [this](list_atom) { return list(); },
      [this](addr_atom) { return addresses(); },
      [this](defs_atom, const std::vector<std::string>& guests) { return definitions(guests); },
      [this](prepare_atom, const domain::GuestSpec& spec) { return order(prepare_atom::value, spec); },
      [this](start_atom, const domain::GuestSpec& spec) { return order(start_atom::value, spec); },
      [this](remove_atom, const domain::GuestSpec& spec) { return order(remove_atom::value, spec); },
      [this](guest_atom, const domain::GuestObservation& seen) { observed(seen); },
      [this](host_atom, HostConnection& state) { connection(state); },
  };
}

void Hypervisor::on_exit() {
  for (auto& [name, guest] : guests_)
    send_exit(guest.handle, caf::exit_reason::user_shutdown);
  guests_.clear();
  setup_ = {};
  monitor_ = monitor_actor{};
}

void Hypervisor::watch(monitor_actor monitor) {
  monitor_ = std::move(monitor);
  send(monitor_, host_atom::value, connection_);
}

void Hypervisor::connection(HostConnection& state) {
  connection_ = std::move(state);
  if (monitor_)
    send(monitor_, host_atom::value, connection_);
}

void Hypervisor::observed(const domain::GuestObservation& seen) {
  if (monitor_)
    send(monitor_, guest_atom::value, seen);
}

caf::result<GuestListingReply> Hypervisor::list() {
  auto promise = make_response_promise<GuestListingReply>();
  request(setup_.control, host_timeout, list_atom::value)
      .then([promise](GuestListingReply& reply) mutable { promise.deliver(std::move(reply)); },
            [this, promise](caf::error& error) mutable {
              promise.deliver(GuestListingReply{{}, "no listing: " + system().render(error)});
            });
  return promise;
}

caf::result<DefinitionsReply> Hypervisor::definitions(const std::vector<std::string>& guests) {
  auto promise = make_response_promise<DefinitionsReply>();
  request(setup_.control, host_timeout, defs_atom::value, guests)
      .then([promise](DefinitionsReply& reply) mutable { promise.deliver(std::move(reply)); },
            [this, promise](caf::error& error) mutable {
              promise.deliver(DefinitionsReply{{}, "no definitions: " + system().render(error)});
            });
  return promise;
}

caf::result<AddressReply> Hypervisor::addresses() {
  auto promise = make_response_promise<AddressReply>();
  request(setup_.control, host_timeout, list_atom::value)
      .then([this, promise](GuestListingReply& reply) { addresses_of(reply, promise); },
            [this, promise](caf::error& error) mutable {
              promise.deliver(AddressReply{{}, "no listing: " + system().render(error)});
            });
  return promise;
}

void Hypervisor::addresses_of(GuestListingReply& reply, Addresses promise) {
  if (!reply.listing) {
    promise.deliver(AddressReply{{}, reply.error});
    return;
  }
  std::vector<std::string> names;
  for (auto& guest : reply.listing->guests)
    if (guest.state == domain::GuestState::on && is_ours(guest.name))
      names.push_back(guest.name);
  request(setup_.control, host_timeout, addr_atom::value, std::move(names))
      .then([promise](AddressReply& found) mutable { promise.deliver(std::move(found)); },
            [this, promise](caf::error& error) mutable {
              promise.deliver(AddressReply{{}, "no addresses: " + system().render(error)});
            });
}

bool Hypervisor::is_ours(const std::string& guest) const {
  auto& prefixes = setup_.prefixes;
  for (auto prefix : {&prefixes.runner_guest, &prefixes.rebuild_guest, &prefixes.template_guest})
    if (guest.starts_with(*prefix + "-"))
      return true;
  return false;
}

template <class Atom>
caf::result<domain::HostReply> Hypervisor::order(Atom what, const domain::GuestSpec& spec) {
  auto& guest = actor_of(spec.name);
  auto number = ++orders_;
  auto promise = make_response_promise<domain::HostReply>();
  guest.orders.emplace(number, promise);
  constexpr bool removes = std::is_same_v<Atom, remove_atom>;
  request(guest.handle, order_timeout, what, spec)
      .then([this, number, name = spec.name](
                domain::HostReply& reply) { answer(name, number, reply, removes && reply.error.empty()); },
            [this, number, name = spec.name](caf::error& error) {
              answer(name, number, {"the order was lost: " + system().render(error), clock().now()}, false);
            });
  return promise;
}

void Hypervisor::answer(const std::string& guest, std::uint64_t number, const domain::HostReply& reply,
                        bool removed) {
  auto found = guests_.find(guest);
  if (found == guests_.end())
    return;
  auto order = found->second.orders.find(number);
  if (order == found->second.orders.end())
    return; // answered when an earlier actor of this guest died
  order->second.deliver(reply);
  found->second.orders.erase(order);
  if (!removed || !found->second.orders.empty())
    return;
  send_exit(found->second.handle, caf::exit_reason::user_shutdown);
  guests_.erase(found);
}

Hypervisor::Actor& Hypervisor::actor_of(const std::string& guest) {
  auto found = guests_.find(guest);
  if (found != guests_.end())
    return found->second;
  auto handle = setup_.spawn_guest(guest);
  monitor(handle);
  return guests_[guest] = Actor{handle, {}};
}

void Hypervisor::guest_down(const caf::down_msg& down) {
  auto dead = std::find_if(guests_.begin(), guests_.end(),
                           [&](auto& entry) { return entry.second.handle.address() == down.source; });
  if (dead == guests_.end())
    return; // ended by us
  spdlog::error("event=guest_actor_died guest={} reason=\"{}\"", dead->first, system().render(down.reason));
  if (setup_.guest_meter)
    setup_.guest_meter->restarted();
  for (auto& [number, order] : dead->second.orders)
    order.deliver(domain::HostReply{"the guest's actor died", clock().now(), true});
  guests_.erase(dead);
}

} // namespace ci
