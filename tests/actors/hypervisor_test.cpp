#include "actors/hypervisor.hpp"

#include "actors/guest.hpp"
#include "tests/support/fake_host.hpp"
#include "tests/support/guest_samples.hpp"

#include <doctest/doctest.h>

using namespace ci;
using domain::GuestSpec;
using domain::GuestState;
using domain::HostReply;

namespace {

struct Seen {
  std::vector<HostConnection> connections;
  std::vector<domain::GuestObservation> guests;
};

/// A monitor that only listens.
class FakeMonitor : public monitor_actor::base {
 public:
  FakeMonitor(caf::actor_config& config, std::shared_ptr<Seen> seen)
      : monitor_actor::base(config), seen_(std::move(seen)) {}
  behavior_type make_behavior() override {
    return {
        [](take_atom, const TicketPtr&, const domain::TakeRequest&) { return domain::TakeAnswer{}; },
        [](release_atom, const TicketPtr&, const std::string&) { return domain::ReleaseAnswer{}; },
        [](jit_atom, const TicketPtr&, const std::string&) { return domain::JitAnswer{}; },
        [](boot_atom, const TicketPtr&, const std::string&) { return domain::BootAnswer{}; },
        [](lever_atom, const TicketPtr&, const domain::Lever&) { return domain::LeverAnswer{}; },
        [](notice_atom, const NoticePtr&) {},
        [this](guest_atom, const domain::GuestObservation& guest) { seen_->guests.push_back(guest); },
        [this](host_atom, const HostConnection& state) { seen_->connections.push_back(state); },
        [](store_atom, const StoreHealth&) {},
        [](policy_atom, const domain::PolicyPtr&) {},
        [](token_atom) {},
        [](crank_atom, std::uint64_t) {},
        [](stop_atom) { return caf::unit; },
    };
  }

 private:
  std::shared_ptr<Seen> seen_;
};

GuestSpec spec_of(const std::string& name) { return test::guest_spec(name, "uuid-" + name); }

struct Scene {
  test::Stage stage;
  test::FakeMachinePtr machine = std::make_shared<test::FakeMachine>();
  host_actor control = stage.system.spawn<test::FakeHost>(machine),
             worker = stage.system.spawn<test::FakeHost>(machine);
  MeterPtr guest_meter = std::make_shared<Meter>("guest");
  std::vector<guest_actor> spawned;
  hypervisor_actor hypervisor;
  std::shared_ptr<Seen> seen = std::make_shared<Seen>();
  monitor_actor monitor = stage.system.spawn<FakeMonitor>(seen);
  caf::scoped_actor self{stage.system};

  Scene() {
    machine->guests["template"] = {"uuid-t", GuestState::off, "<domain><name>template</name></domain>"};
    HypervisorSetup setup;
    setup.control = control;
    setup.workers = {worker};
    setup.guest_meter = guest_meter;
    auto workers = std::make_shared<Workers>(setup.workers);
    setup.spawn_guest = [this, workers](const std::string&) {
      spawned.push_back(stage.system.spawn<Guest>(guest_meter, workers));
      return spawned.back();
    };
    hypervisor = stage.system.spawn<Hypervisor>(std::make_shared<Meter>("hypervisor"), setup);
    stage.run();
  }
  ~Scene() {
    for (auto handle : {caf::actor_cast<caf::actor>(hypervisor), caf::actor_cast<caf::actor>(monitor),
                        caf::actor_cast<caf::actor>(control), caf::actor_cast<caf::actor>(worker)})
      caf::anon_send_exit(handle, caf::exit_reason::user_shutdown);
    stage.run();
  }
  template <class Atom>
  auto order(Atom what, const GuestSpec& spec) {
    return self->request(hypervisor, caf::infinite, what, spec);
  }
  template <class Handle>
  std::string error_of(Handle&& handle) {
    std::string result = "no answer";
    handle.receive([&](HostReply& reply) { result = reply.error; },
                   [&](caf::error& error) { result = stage.system.render(error); });
    return result;
  }
  template <class Atom>
  std::string ask(Atom what, const GuestSpec& spec) {
    auto handle = order(what, spec);
    stage.run();
    return error_of(std::move(handle));
  }
  bool alive(const guest_actor& guest) {
    bool dead = false;
    auto handle = self->request(guest, caf::infinite, remove_atom::value, GuestSpec{});
    stage.run();
    handle.receive([](HostReply&) {}, [&](caf::error&) { dead = true; });
    return !dead;
  }
};

} // namespace

TEST_CASE("the control host is asked for events at once") {
  Scene scene;
  CHECK(scene.machine->watcher == scene.hypervisor);
}

TEST_CASE("a monitor that begins to watch is told the present state of the connection") {
  Scene scene;
  scene.self->send(scene.hypervisor, watch_atom::value, scene.monitor);
  scene.stage.run();
  REQUIRE(scene.seen->connections.size() == 1);
  CHECK_FALSE(scene.seen->connections[0].up);
  scene.self->send(scene.hypervisor, host_atom::value, HostConnection{true, ""});
  scene.stage.run();
  REQUIRE(scene.seen->connections.size() == 2);
  CHECK(scene.seen->connections[1].up);
  scene.self->send(scene.hypervisor, watch_atom::value, scene.monitor);
  scene.stage.run();
  CHECK(scene.seen->connections.back().up);
}

TEST_CASE("observations reach the monitor") {
  Scene scene;
  scene.self->send(scene.hypervisor, guest_atom::value,
                   domain::GuestObservation{"early", "u", GuestState::on, "", {}});
  scene.self->send(scene.hypervisor, watch_atom::value, scene.monitor);
  scene.self->send(scene.hypervisor, guest_atom::value,
                   domain::GuestObservation{"a", "u", GuestState::off, "x", {}});
  scene.stage.run();
  REQUIRE(scene.seen->guests.size() == 1);
  CHECK(scene.seen->guests[0].name == "a");
}

TEST_CASE("a listing comes from the control host, and so does its failure") {
  Scene scene;
  auto handle = scene.self->request(scene.hypervisor, caf::infinite, list_atom::value);
  scene.stage.run();
  handle.receive([](GuestListingReply& reply) { CHECK(reply.listing->guests.size() == 1); },
                 [](caf::error&) { FAIL("no answer"); });
  scene.machine->failing = {{"list", "away"}};
  auto failing = scene.self->request(scene.hypervisor, caf::infinite, list_atom::value);
  scene.stage.run();
  failing.receive(
      [](GuestListingReply& reply) {
        CHECK_FALSE(reply.listing);
        CHECK(reply.error == "away");
      },
      [](caf::error&) { FAIL("no answer"); });
}

TEST_CASE("a control host that is silent is a failed listing, not an empty one") {
  Scene scene;
  scene.machine->silent = {"list"};
  auto listing = scene.self->request(scene.hypervisor, caf::infinite, list_atom::value);
  auto addresses = scene.self->request(scene.hypervisor, caf::infinite, addr_atom::value);
  scene.stage.run();
  scene.stage.pass(std::chrono::seconds(61));
  listing.receive([](GuestListingReply& reply) { CHECK_FALSE(reply.listing); },
                  [](caf::error&) { FAIL("no answer"); });
  addresses.receive([](AddressReply& reply) { CHECK_FALSE(reply.addresses); },
                    [](caf::error&) { FAIL("no answer"); });
}

TEST_CASE("definitions are those of the guests that are there, whoever made them, or none") {
  Scene scene;
  scene.machine->guests["ci-runner-linux.1"] = {"1", GuestState::on, "<one/>"};
  scene.machine->guests["other"] = {"2", GuestState::off, "<two/>"};
  auto ask = [&] {
    auto handle = scene.self->request(scene.hypervisor, caf::infinite, defs_atom::value,
                                      std::vector<std::string>{"ci-runner-linux.1", "other", "nobody"});
    scene.stage.run();
    DefinitionsReply answer;
    handle.receive([&](DefinitionsReply& reply) { answer = reply; }, [](caf::error&) { FAIL("no answer"); });
    return answer;
  };
  CHECK(ask().definitions == domain::Definitions{{"ci-runner-linux.1", "<one/>"}, {"other", "<two/>"}});
  scene.machine->failing["definitions"] = "made up";
  CHECK(ask().error == "made up");
  CHECK_FALSE(ask().definitions);
}

TEST_CASE("addresses are those of running guests with our prefixes") {
  Scene scene;
  scene.machine->guests["ci-runner-linux.1"] = {"1", GuestState::on, ""};
  scene.machine->guests["ci-runner-linux.2"] = {"2", GuestState::off, ""};
  scene.machine->guests["ci-rebuild-linux@s"] = {"3", GuestState::on, ""};
  scene.machine->guests["ci-runnerish"] = {"4", GuestState::on, ""};
  scene.machine->guests["other"] = {"5", GuestState::on, ""};
  for (auto& [name, guest] : scene.machine->guests)
    scene.machine->addresses[name] = "192.168.100." + guest.uuid;
  scene.machine->hearsay["ci-runner-linux.1"] = domain::AddressSource::arp;
  auto handle = scene.self->request(scene.hypervisor, caf::infinite, addr_atom::value);
  scene.stage.run();
  handle.receive(
      [](AddressReply& reply) {
        REQUIRE(reply.addresses);
        CHECK_FALSE(reply.addresses->serves("ci-runner-linux.1"));
        CHECK(reply.addresses->serves("ci-rebuild-linux@s"));
        CHECK(reply.addresses->ipv4_by_guest ==
              std::map<std::string, std::string>{{"ci-runner-linux.1", "192.168.100.1"},
                                                 {"ci-rebuild-linux@s", "192.168.100.3"}});
      },
      [](caf::error&) { FAIL("no answer"); });
}

TEST_CASE("each guest has one actor from its first order to its removal") {
  Scene scene;
  auto a = spec_of("ci-runner-x.1"), b = spec_of("ci-runner-x.2");
  CHECK(scene.ask(prepare_atom::value, a) == "");
  CHECK(scene.ask(start_atom::value, a) == "");
  CHECK(scene.spawned.size() == 1);
  CHECK(scene.ask(start_atom::value, b) == "");
  CHECK(scene.spawned.size() == 2);
  CHECK(scene.machine->guests.size() == 3);
  CHECK(scene.ask(remove_atom::value, a) == "");
  scene.stage.run();
  CHECK_FALSE(scene.alive(scene.spawned[0]));
  CHECK(scene.alive(scene.spawned[1]));
  CHECK(scene.ask(remove_atom::value, a) == "");
  CHECK(scene.spawned.size() == 3);
}

TEST_CASE("a remove that failed keeps the actor") {
  Scene scene;
  auto a = spec_of("ci-runner-x.1");
  scene.ask(start_atom::value, a);
  scene.machine->failing = {{"halt", "no"}};
  CHECK(scene.ask(remove_atom::value, a) == "no");
  scene.machine->failing.clear();
  CHECK(scene.ask(remove_atom::value, a) == "");
  CHECK(scene.spawned.size() == 1);
}

TEST_CASE("an order behind a remove is still carried out") {
  Scene scene;
  auto a = spec_of("ci-runner-x.1");
  auto remove = scene.order(remove_atom::value, a), start = scene.order(start_atom::value, a);
  scene.stage.run();
  CHECK(scene.error_of(std::move(remove)) == "");
  CHECK(scene.error_of(std::move(start)) == "");
  CHECK(scene.machine->guests.count("ci-runner-x.1") == 1);
}

TEST_CASE("orders of an actor that dies are answered, and the next order spawns another") {
  Scene scene;
  auto a = spec_of("ci-runner-x.1");
  scene.machine->silent = {"xml"};
  auto start = scene.order(start_atom::value, a);
  scene.stage.run();
  REQUIRE(scene.spawned.size() == 1);
  caf::anon_send_exit(scene.spawned[0], caf::exit_reason::kill);
  scene.stage.run();
  CHECK_FALSE(scene.error_of(std::move(start)).empty());
  scene.machine->silent.clear();
  CHECK(scene.ask(start_atom::value, a) == "");
  CHECK(scene.spawned.size() == 2);
}

TEST_CASE("guest actors can be spawned by the hypervisor itself") {
  Scene scene;
  HypervisorSetup setup;
  setup.control = scene.control;
  setup.workers = {scene.worker};
  setup.guest_meter = scene.guest_meter;
  hypervisor_actor hypervisor =
      scene.stage.system.spawn<Hypervisor>(std::make_shared<Meter>("hypervisor"), setup);
  auto handle = scene.self->request(hypervisor, caf::infinite, start_atom::value, spec_of("ci-runner-x.1"));
  scene.stage.run();
  CHECK(scene.error_of(std::move(handle)) == "");
  caf::anon_send_exit(hypervisor, caf::exit_reason::user_shutdown);
  scene.stage.run();
}
