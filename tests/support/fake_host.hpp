#pragma once
/// A host actor without libvirt: keeps guests and disks in memory, and fails or is silent when told to. And
/// the scheduler that lets a test run actors by hand.

#include "actors/messages.hpp"

#include <caf/scheduler/test_coordinator.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ci::test {

/// Actors run when the test says so, and time stands still until it is moved.
struct Stage {
  caf::actor_system_config config;
  caf::actor_system system;
  caf::scheduler::test_coordinator& scheduler;

  Stage()
      : system(configured()), scheduler(dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler())) {
  }
  void run() { scheduler.run(); }
  void pass(domain::Duration time) {
    scheduler.advance_time(time);
    scheduler.run();
  }

 private:
  caf::actor_system_config& configured() {
    config.set("scheduler.policy", caf::atom("testing"));
    return config;
  }
};

/// What a fake host has and does; shared with the test, which runs in the same thread.
struct FakeMachine {
  struct Guest {
    std::string uuid;
    domain::GuestState state = domain::GuestState::off;
    std::string xml;
  };
  std::map<std::string, Guest> guests;
  std::set<std::string> files;
  std::map<std::string, std::string> addresses;
  std::map<std::string, domain::AddressSource> hearsay; ///< guests whose address is no lease
  /// Every call: its name and its arguments.
  std::vector<std::string> calls;
  /// Calls of these names fail with that text.
  std::map<std::string, std::string> failing;
  /// Calls of these names get no answer, and have no effect.
  std::set<std::string> silent;
  /// Calls of these names are answered when the host is told to let go.
  std::set<std::string> slow;
  /// Its file system shares blocks.
  bool reflinks = true;
  /// A halted guest runs on.
  bool deaf_guests = false;
  /// What every guest that is on shows.
  domain::RawPicture screen{"P6 1 1 255\nabc", "image/x-portable-pixmap"};
  hypervisor_actor watcher;

  std::size_t count(const std::string& call) const {
    std::size_t n = 0;
    for (auto& made : calls)
      n += made.rfind(call, 0) == 0;
    return n;
  }
};
using FakeMachinePtr = std::shared_ptr<FakeMachine>;

using let_go_atom = caf::atom_constant<caf::atom("let_go")>;
using fake_host_actor = host_actor::extend<
    /// Answers all slow calls that are under way.
    caf::reacts_to<let_go_atom>>;

class FakeHost : public fake_host_actor::base {
 public:
  FakeHost(caf::actor_config& config, FakeMachinePtr machine)
      : fake_host_actor::base(config), machine_(std::move(machine)) {}
  void on_exit() override {
    machine_->watcher = hypervisor_actor{};
    unanswered_.clear(); // each holds its actor
    held_.clear();
  }

  behavior_type make_behavior() override {
    using domain::HostReply;
    using Name = const std::string&;
    return {
        [this](let_go_atom) {
          for (auto& answer : std::exchange(held_, {}))
            answer();
        },
        [this](watch_atom, const hypervisor_actor& watcher) { machine_->watcher = watcher; },
        [this](list_atom) { return answer<GuestListingReply>("list", [this] { return list(); }); },
        [this](look_atom, Name n) { return answer<ObservationReply>("look " + n, [&] { return look(n); }); },
        [this](addr_atom, const std::vector<std::string>& names) {
          return answer<AddressReply>("addresses", [&] { return addresses(names); });
        },
        [this](shot_atom, Name n) {
          return answer<PictureReply>("shot " + n, [&] {
            auto guest = machine_->guests.find(n);
            if (guest == machine_->guests.end() || guest->second.state != domain::GuestState::on)
              return PictureReply{nullptr, true, "off"};
            return PictureReply{std::make_shared<const domain::RawPicture>(machine_->screen), false, {}};
          });
        },
        [this](xml_atom, Name n) { return answer<XmlReply>("xml " + n, [&] { return xml(n); }); },
        [this](defs_atom, const std::vector<std::string>& names) {
          return answer<DefinitionsReply>("definitions", [&] {
            domain::Definitions found;
            for (auto& name : names)
              if (machine_->guests.count(name))
                found[name] = machine_->guests.at(name).xml;
            return DefinitionsReply{found, {}};
          });
        },
        [this](define_atom, Name text) {
          return answer<HostReply>("define " + text, [&] { return define(text); });
        },
        [this](start_atom, Name n, Name uuid) { return act("start", n, uuid, domain::GuestState::on); },
        [this](halt_atom, Name n, Name uuid) {
          auto after = machine_->deaf_guests ? domain::GuestState::on : domain::GuestState::off;
          return act("halt", n, uuid, after);
        },
        [this](undef_atom, Name n, Name uuid) {
          return act("undefine", n, uuid, domain::GuestState::absent);
        },
        [this](clone_atom, const domain::CloneOrder& order) {
          return answer<HostReply>("clone " + order.from + " " + order.to, [&] {
            domain::ClonedDisk disk{order.to, order.format, "", ""};
            if (order.may_overlay && !machine_->reflinks)
              disk = {order.to + ".qcow2", "qcow2", order.from, order.format};
            machine_->files.insert(disk.file);
            return HostReply{{}, clock().now(), false, disk};
          });
        },
        [this](nvram_atom, Name from, Name to) {
          return answer<HostReply>("nvram " + from + " " + to, [&] {
            machine_->files.insert(to);
            return HostReply{{}, clock().now()};
          });
        },
        [this](erase_atom, Name folder, Name prefix) {
          return answer<HostReply>("erase " + folder + " " + prefix, [&] {
            std::erase_if(machine_->files,
                          [&](auto& file) { return file.rfind(folder + "/" + prefix, 0) == 0; });
            return HostReply{{}, clock().now()};
          });
        },
        [this](disk_atom, const domain::DiskOrder& disk) {
          return make_file("disk " + disk.path + " " + disk.from, disk.path);
        },
        [this](iso_atom, const domain::IsoOrder& iso) {
          return make_file("iso " + iso.path + " " + iso.label, iso.path);
        },
        [this](rename_atom, Name from, Name to, Name uuid) {
          return answer<HostReply>("rename " + from + " " + to, [&] { return rename(from, to, uuid); });
        },
        [this](unused_atom, Name file, Name uuid) {
          return answer<HostReply>("unused " + file, [&] {
            for (auto& [name, guest] : machine_->guests)
              if (guest.uuid != uuid && guest.xml.find(file) != std::string::npos)
                return HostReply{name + " uses it", clock().now()};
            return HostReply{{}, clock().now()};
          });
        },
        [this](forget_atom, Name folder, Name snapshot) {
          return answer<HostReply>("forget " + folder + " " + snapshot, [&] {
            std::erase_if(machine_->files, [&](auto& file) {
              return file.starts_with(folder + "/") && file.ends_with("@" + snapshot);
            });
            return HostReply{{}, clock().now()};
          });
        },
        [this](update_atom, Name checkout) {
          return answer<HostReply>("update " + checkout, [&] { return HostReply{{}, clock().now()}; });
        },
    };
  }

 private:
  caf::result<domain::HostReply> make_file(const std::string& call, const std::string& path) {
    return answer<domain::HostReply>(call, [&] {
      machine_->files.insert(path);
      return domain::HostReply{{}, clock().now()};
    });
  }
  domain::HostReply rename(const std::string& from, const std::string& to, const std::string& uuid) {
    auto guest = machine_->guests.find(from);
    if (guest == machine_->guests.end() || guest->second.uuid != uuid)
      return {machine_->guests.count(to) ? "" : "no guest", clock().now()};
    auto node = machine_->guests.extract(guest);
    node.key() = to;
    machine_->guests.insert(std::move(node));
    return {{}, clock().now()};
  }
  template <class Reply, class Make>
  caf::result<Reply> answer(const std::string& call, Make make) {
    machine_->calls.push_back(call);
    auto name = call.substr(0, call.find(' '));
    if (machine_->silent.count(name)) {
      unanswered_.push_back(this->template make_response_promise<Reply>());
      return caf::response_promise(unanswered_.back());
    }
    if (machine_->slow.count(name)) {
      auto promise = this->template make_response_promise<Reply>();
      held_.push_back([promise, reply = make()]() mutable { promise.deliver(std::move(reply)); });
      return caf::response_promise(promise);
    }
    if (auto failing = machine_->failing.find(name); failing != machine_->failing.end()) {
      Reply reply;
      reply.error = failing->second;
      return reply;
    }
    return make();
  }
  caf::result<domain::HostReply> act(const std::string& call, const std::string& name,
                                     const std::string& uuid, domain::GuestState after) {
    return answer<domain::HostReply>(call + " " + name, [&]() -> domain::HostReply {
      auto guest = machine_->guests.find(name);
      if (guest != machine_->guests.end() && guest->second.uuid != uuid)
        return {"another UUID", clock().now()};
      if (guest == machine_->guests.end())
        return {call == "start" ? "no guest" : "", clock().now()};
      guest->second.state = after;
      if (after == domain::GuestState::absent)
        machine_->guests.erase(guest);
      return {{}, clock().now()};
    });
  }
  domain::GuestObservation observe(const std::string& name, const FakeMachine::Guest& guest) {
    return {name, guest.uuid, guest.state, "", clock().now()};
  }
  GuestListingReply list() {
    domain::GuestListing listing;
    listing.started_at = clock().now();
    for (auto& [name, guest] : machine_->guests)
      listing.guests.push_back(observe(name, guest));
    return {listing, {}};
  }
  ObservationReply look(const std::string& name) {
    auto guest = machine_->guests.find(name);
    return {observe(name, guest == machine_->guests.end() ? absent_ : guest->second), {}};
  }
  AddressReply addresses(const std::vector<std::string>& names) {
    domain::AddressListing listing;
    for (auto& name : names)
      if (machine_->addresses.count(name))
        listing.ipv4_by_guest[name] = machine_->addresses[name];
    listing.hearsay = machine_->hearsay;
    return {listing, {}};
  }
  XmlReply xml(const std::string& name) {
    auto guest = machine_->guests.find(name);
    return guest == machine_->guests.end() ? XmlReply{{}, "there is no guest " + name}
                                           : XmlReply{guest->second.xml, {}};
  }
  domain::HostReply define(const std::string& text) {
    auto between = [&](const std::string& tag) {
      auto begin = text.find("<" + tag + ">") + tag.size() + 2;
      return text.substr(begin, text.find("</" + tag + ">") - begin);
    };
    auto& guest = machine_->guests[between("name")];
    if (!guest.uuid.empty() && guest.uuid != between("uuid"))
      return {"already exists with another UUID", clock().now()};
    guest.uuid = between("uuid");
    guest.xml = text;
    return {{}, clock().now()};
  }

  FakeMachinePtr machine_;
  FakeMachine::Guest absent_{"", domain::GuestState::absent, ""};
  std::vector<caf::response_promise> unanswered_;
  std::vector<std::function<void()>> held_;
};

} // namespace ci::test
