#include "actors/host.hpp"

#include "actors/edge/libvirt_loop.hpp"
#include "tests/support/lacking.hpp"
#include "tests/support/private_libvirtd.hpp"

#include <doctest/doctest.h>

#include <mutex>

using namespace ci;
using domain::GuestState;
using domain::HostReply;
using test::eventually;

namespace {

const std::string uuid = "33333333-3333-4333-8333-333333333333";

std::string guest_xml(const std::string& name) {
  return "<domain type='test'><name>" + name + "</name><uuid>" + uuid +
         "</uuid><memory unit='MiB'>96</memory><os><type>hvm</type></os><devices><interface type='network'>"
         "<mac address='52:54:00:aa:bb:01'/><source network='default'/></interface></devices></domain>";
}

struct Seen {
  std::mutex mutex;
  std::vector<HostConnection> connections;
  std::vector<domain::GuestObservation> guests;
  bool has(const std::string& name, GuestState state) {
    std::lock_guard lock(mutex);
    for (auto& guest : guests)
      if (guest.name == name && guest.state == state && guest.uuid == uuid)
        return true;
    return false;
  }
  std::vector<bool> ups() {
    std::lock_guard lock(mutex);
    std::vector<bool> result;
    for (auto& state : connections)
      if (result.empty() || result.back() != state.up)
        result.push_back(state.up);
    return result;
  }
};

/// A hypervisor that only listens.
class Listener : public hypervisor_actor::base {
 public:
  Listener(caf::actor_config& config, std::shared_ptr<Seen> seen)
      : hypervisor_actor::base(config), seen_(std::move(seen)) {}
  behavior_type make_behavior() override {
    return {
        [](watch_atom, const monitor_actor&) {},
        [](list_atom) { return GuestListingReply{}; },
        [](addr_atom) { return AddressReply{}; },
        [](defs_atom, const std::vector<std::string>&) { return DefinitionsReply{}; },
        [](prepare_atom, const domain::GuestSpec&) { return HostReply{}; },
        [](start_atom, const domain::GuestSpec&) { return HostReply{}; },
        [](remove_atom, const domain::GuestSpec&) { return HostReply{}; },
        [this](guest_atom, const domain::GuestObservation& guest) {
          std::lock_guard lock(seen_->mutex);
          seen_->guests.push_back(guest);
        },
        [this](host_atom, const HostConnection& state) {
          std::lock_guard lock(seen_->mutex);
          seen_->connections.push_back(state);
        },
    };
  }

 private:
  std::shared_ptr<Seen> seen_;
};

/// A real control host and a worker on a private libvirtd.
struct Scene {
  test::PrivateLibvirtd libvirtd{SOURCE_DIR};
  edge::EventLoop loop;
  caf::actor_system_config config;
  caf::actor_system system{config};
  std::shared_ptr<Seen> seen = std::make_shared<Seen>();
  std::shared_ptr<std::atomic<std::int64_t>> min_free_disk = std::make_shared<std::atomic<std::int64_t>>(0);
  hypervisor_actor listener = system.spawn<Listener>(seen);
  host_actor control = spawn(), worker = spawn();
  caf::scoped_actor self{system};

  host_actor spawn() {
    HostSetup setup{libvirtd.uri(), *domain::parse_network("0.0.0.0/0"), nullptr, min_free_disk};
    return system.spawn<HostActor, caf::detached>(std::make_shared<Meter>("host"), setup, metrics_actor{});
  }
  ~Scene() {
    for (auto handle : {caf::actor_cast<caf::actor>(control), caf::actor_cast<caf::actor>(worker),
                        caf::actor_cast<caf::actor>(listener)}) {
      caf::anon_send_exit(handle, caf::exit_reason::user_shutdown);
      self->wait_for(handle);
    }
  }
  /// The answer's error, or that of CAF.
  template <class Reply, class... Parts>
  Reply ask(const host_actor& host, Parts... parts) {
    Reply result;
    self->request(host, std::chrono::seconds(30), parts...)
        .receive([&](Reply& reply) { result = reply; },
                 [&](caf::error& e) { result.error = system.render(e); });
    return result;
  }
};

} // namespace

#define NEEDS_LIBVIRTD(scene)                                                                                \
  if (!scene.libvirtd.start()) {                                                                             \
    ci::test::lacking("no private libvirtd here (root and libvirtd are needed)", "CI_MONITOR_NO_LIBVIRTD");  \
    return;                                                                                                  \
  }

TEST_CASE("a worker carries out what a control host tells of") {
  Scene scene;
  NEEDS_LIBVIRTD(scene);
  caf::anon_send(scene.control, watch_atom::value, scene.listener);
  CHECK(eventually([&] { return scene.seen->ups() == std::vector<bool>{true}; }));
  auto before = std::chrono::steady_clock::now();
  CHECK(scene.ask<HostReply>(scene.worker, define_atom::value, guest_xml("a")).error == "");
  CHECK(scene.ask<HostReply>(scene.worker, start_atom::value, std::string("a"), uuid).error == "");
  CHECK(eventually([&] { return scene.seen->has("a", GuestState::on); }));
  auto listing = scene.ask<GuestListingReply>(scene.control, list_atom::value);
  REQUIRE(listing.listing);
  CHECK(listing.listing->guests.size() == 2);
  CHECK(listing.listing->started_at >= before);
  auto addresses =
      scene.ask<AddressReply>(scene.control, addr_atom::value, std::vector<std::string>{"a", "nobody"});
  REQUIRE(addresses.addresses);
  CHECK(addresses.addresses->ipv4_by_guest.size() == 1);
  CHECK(scene.ask<HostReply>(scene.worker, halt_atom::value, std::string("a"), uuid).error == "");
  CHECK(eventually([&] { return scene.seen->has("a", GuestState::off); }));
  CHECK(scene.ask<HostReply>(scene.worker, undef_atom::value, std::string("a"), uuid).error == "");
  CHECK(eventually([&] { return scene.seen->has("a", GuestState::absent); }));
  CHECK(scene.ask<HostReply>(scene.worker, undef_atom::value, std::string("test"), uuid).error != "");
}

TEST_CASE("errors are answered while libvirt is away, and the connection comes back by itself") {
  Scene scene;
  NEEDS_LIBVIRTD(scene);
  caf::anon_send(scene.control, watch_atom::value, scene.listener);
  CHECK(scene.ask<ObservationReply>(scene.worker, look_atom::value, std::string("test")).observation);
  REQUIRE(eventually([&] { return scene.seen->ups() == std::vector<bool>{true}; }));
  scene.libvirtd.kill();
  CHECK(eventually([&] { return scene.seen->ups() == std::vector<bool>{true, false}; }));
  for (auto& host : {scene.control, scene.worker}) {
    auto reply = scene.ask<GuestListingReply>(host, list_atom::value);
    CHECK_FALSE(reply.listing);
    CHECK_FALSE(reply.error.empty());
  }
  REQUIRE(scene.libvirtd.start());
  CHECK(eventually([&] { return scene.seen->ups() == std::vector<bool>{true, false, true}; }));
  CHECK(eventually(
      [&] { return scene.ask<HostReply>(scene.worker, define_atom::value, guest_xml("b")).error.empty(); }));
  CHECK(eventually([&] { return scene.seen->has("b", GuestState::off); }));
}

TEST_CASE("a control host that starts before libvirt says so, and connects later") {
  Scene scene;
  caf::anon_send(scene.control, watch_atom::value, scene.listener);
  CHECK(eventually([&] { return scene.seen->ups() == std::vector<bool>{false}; }));
  {
    std::lock_guard lock(scene.seen->mutex);
    CHECK_FALSE(scene.seen->connections.at(0).trouble.empty());
  }
  NEEDS_LIBVIRTD(scene);
  CHECK(eventually([&] { return scene.seen->ups() == std::vector<bool>{false, true}; }));
}

TEST_CASE("no disk is cloned or made for an image where less than min_free_disk is free") {
  Scene scene;
  test::TempFolder folder;
  const auto base = (folder.path() / "base").string(), made = (folder.path() / "made" / "disk").string();
  test::write_file(base, "x");
  auto clone = [&] {
    return scene.ask<HostReply>(scene.worker, clone_atom::value, domain::CloneOrder{base, made});
  };
  auto image_disk = [&] {
    return scene.ask<HostReply>(scene.worker, disk_atom::value, domain::DiskOrder{made, "", 4096});
  };
  *scene.min_free_disk = std::int64_t{1} << 60;
  CHECK(clone().error.find("min_free_disk") != std::string::npos);
  CHECK(clone().cut_short); // the image that it would be cloned from is not to blame
  CHECK(image_disk().error.find("min_free_disk") != std::string::npos);
  CHECK_FALSE(image_disk().cut_short); // else the build would begin again at once
  CHECK_FALSE(std::filesystem::exists(made));
  *scene.min_free_disk = 0; // by a reload
  CHECK(image_disk().error == "");
  CHECK(std::filesystem::file_size(made) == 4096);
  std::filesystem::remove(made);
  CHECK(clone().error == "");
  CHECK(test::read_file(made) == "x");
}

TEST_CASE("disks are cloned and deleted without libvirt") {
  Scene scene;
  test::TempFolder folder;
  test::write_file(folder.path() / "base", "x");
  auto runner = (folder.path() / "runner").string();
  CHECK(scene
            .ask<HostReply>(scene.worker, clone_atom::value,
                            domain::CloneOrder{(folder.path() / "base").string(), runner + "/7-base"})
            .error == "");
  CHECK(test::read_file(runner + "/7-base") == "x");
  auto vars = (folder.path() / "vars.fd").string();
  auto copy_nvram = [&](const std::string& to) {
    return scene.ask<HostReply>(scene.worker, nvram_atom::value, vars, runner + "/" + to).error;
  };
  CHECK(copy_nvram("7-early") == ""); // no template's guest has run: nothing to copy
  CHECK_FALSE(std::filesystem::exists(runner + "/7-early"));
  test::write_file(vars, "boot entries");
  CHECK(copy_nvram("7-vars") == "");
  CHECK(test::read_file(runner + "/7-vars") == "boot entries");
  CHECK(scene.ask<HostReply>(scene.worker, erase_atom::value, runner, std::string("7-")).error == "");
  CHECK_FALSE(std::filesystem::exists(runner + "/7-vars"));
  CHECK_FALSE(std::filesystem::exists(runner + "/7-base"));
  CHECK(scene.ask<HostReply>(scene.worker, erase_atom::value, runner, std::string("")).error != "");
}
