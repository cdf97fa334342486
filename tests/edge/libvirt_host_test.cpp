#include "actors/edge/libvirt_host.hpp"

#include "actors/domain/guest_xml.hpp"
#include "actors/edge/libvirt_loop.hpp"
#include "actors/edge/libvirt_words.hpp"
#include "tests/support/lacking.hpp"
#include "tests/support/private_libvirtd.hpp"

#include <doctest/doctest.h>
#include <libvirt/libvirt.h>

#include <algorithm>
#include <mutex>
#include <vector>

using namespace ci::edge;
using ci::domain::GuestObservation;
using ci::domain::GuestState;
using ci::test::eventually;

namespace {

const std::string our_uuid = "33333333-3333-4333-8333-333333333333";
const std::string other_uuid = "44444444-4444-4444-8444-444444444444";

std::string guest_xml(const std::string& name, const std::string& uuid = our_uuid) {
  return "<domain type='test'><name>" + name + "</name><uuid>" + uuid +
         "</uuid><memory unit='MiB'>96</memory><os><type>hvm</type></os><devices>"
         "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/images/a'/>"
         "<target dev='vda' bus='virtio'/></disk>"
         "<interface type='network'><mac address='52:54:00:AA:bb:01'/><source network='default'/></interface>"
         "</devices></domain>";
}

/// A test driver that nobody else sees: each connection has its own copy of the file.
class FileHost {
 public:
  FileHost() {
    ci::test::write_file(folder_.path() / "node.xml",
                         "<node><domain type='test'><name>template</name><uuid>" + other_uuid +
                             "</uuid><memory>65536</memory><os><type>hvm</type></os></domain></node>");
    REQUIRE(host.open());
  }

 private:
  ci::test::TempFolder folder_;
  EventLoop loop_;

 public:
  Host host{"test://" + (folder_.path() / "node.xml").string()};
};

GuestState state_of(Host& host, const std::string& name) {
  auto seen = host.look(name);
  REQUIRE(seen);
  return seen->state;
}

/// What the callbacks said.
struct Heard {
  std::mutex mutex;
  std::vector<std::string> changed, closed;
  HostCallbacks callbacks() {
    HostCallbacks result;
    result.changed = [this](const std::string& name, const std::string& uuid, GuestEvent) {
      std::lock_guard lock(mutex);
      changed.push_back(name + " " + uuid);
    };
    result.closed = [this](const std::string& reason) {
      std::lock_guard lock(mutex);
      closed.push_back(reason);
    };
    return result;
  }
  auto count(const std::string& entry) {
    std::lock_guard lock(mutex);
    return std::count(changed.begin(), changed.end(), entry);
  }
  std::string first_closed() {
    std::lock_guard lock(mutex);
    return closed.empty() ? "" : closed.front();
  }
};

/// A private daemon, our connection with callbacks, and somebody else's connection.
struct Daemon {
  ci::test::PrivateLibvirtd libvirtd{SOURCE_DIR};
  EventLoop loop;
  Heard heard;
  Host ours{libvirtd.uri(), heard.callbacks(), KeepAlive{1, 2}};
  Host others{libvirtd.uri()};
  bool up() { return libvirtd.start() && ours.open() && others.open(); }
};

} // namespace

#define NEEDS_LIBVIRTD(daemon)                                                                               \
  if (!daemon.up()) {                                                                                        \
    ci::test::lacking("no private libvirtd here (root and libvirtd are needed)", "CI_MONITOR_NO_LIBVIRTD");  \
    return;                                                                                                  \
  }

TEST_CASE("a guest that runs has a screen, one that is off or not there has none") {
  FileHost file;
  for (const auto* name : {"nobody", "template"}) {
    if (state_of(file.host, name) == GuestState::on)
      REQUIRE(file.host.destroy(name, other_uuid));
    const auto none = file.host.screenshot(name);
    REQUIRE(none);
    CHECK(!*none);
  }
  REQUIRE(file.host.start("template", other_uuid));
  const auto picture = file.host.screenshot("template");
  REQUIRE(picture);
  REQUIRE(*picture);
  CHECK((*picture)->content_type == "image/png");
  CHECK((*picture)->bytes.starts_with("\x89PNG"));
}

TEST_CASE("a driver without network filters has none, and nobody knows while there is no connection") {
  EventLoop loop;
  Host host("test:///default");
  CHECK_FALSE(host.has_filter("clean-traffic"));
  REQUIRE(host.open());
  auto there = host.has_filter("clean-traffic");
  REQUIRE(there);
  CHECK_FALSE(*there);
}

TEST_CASE("shut off and crashed are off, everything else is on") {
  for (int state = 0; state <= VIR_DOMAIN_PMSUSPENDED; ++state)
    CHECK((guest_state(state) == GuestState::off) ==
          (state == VIR_DOMAIN_SHUTOFF || state == VIR_DOMAIN_CRASHED));
  CHECK(state_reason(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SHUTDOWN) == "shutdown");
  CHECK(state_reason(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_DESTROYED) == "destroyed");
  CHECK(state_reason(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_CRASHED) == "crashed");
  CHECK(state_reason(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_DAEMON) == "daemon");
  CHECK(state_reason(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY_FAILED) == "paused: postcopy failed");
  CHECK(state_reason(VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_POSTCOPY_FAILED) == "postcopy failed");
  CHECK(state_reason(VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED) == "panicked");
  CHECK(state_reason(VIR_DOMAIN_SHUTOFF, 99) == "unknown");
  CHECK(state_reason(99, -1) == "unknown");
  CHECK(guest_event(VIR_DOMAIN_EVENT_SHUTDOWN, VIR_DOMAIN_EVENT_SHUTDOWN_HOST) == GuestEvent::shutdown_by_host);
  CHECK(guest_event(VIR_DOMAIN_EVENT_SHUTDOWN, VIR_DOMAIN_EVENT_SHUTDOWN_GUEST) == GuestEvent::other);
  CHECK(guest_event(VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_BOOTED) == GuestEvent::started);
}

TEST_CASE("an event loop can be started again") {
  for (int i = 0; i < 3; ++i)
    EventLoop loop;
}

TEST_CASE("a guest goes through its life, each step twice") {
  FileHost file;
  auto& host = file.host;
  auto missing = host.look("a");
  REQUIRE(missing);
  CHECK(missing->state == GuestState::absent);
  CHECK(missing->name == "a");

  for (int twice = 0; twice < 2; ++twice) {
    CHECK(host.define(guest_xml("a")));
    CHECK(state_of(host, "a") == GuestState::off);
  }
  for (int twice = 0; twice < 2; ++twice) {
    CHECK(host.start("a", our_uuid));
    CHECK(state_of(host, "a") == GuestState::on);
  }
  CHECK(host.look("a")->reason == "booted");
  CHECK(host.look("a")->uuid == our_uuid);
  for (int twice = 0; twice < 2; ++twice) {
    CHECK(host.destroy("a", our_uuid));
    CHECK(state_of(host, "a") == GuestState::off);
  }
  CHECK(host.look("a")->reason == "destroyed");
  for (int twice = 0; twice < 2; ++twice) {
    CHECK(host.undefine("a", our_uuid));
    CHECK(state_of(host, "a") == GuestState::absent);
  }
  CHECK(host.destroy("a", our_uuid));
  auto started = host.start("a", our_uuid);
  REQUIRE_FALSE(started);
  CHECK(started.error().message == "there is no guest a");
}

TEST_CASE("a running guest is not undefined") {
  FileHost file;
  REQUIRE(file.host.define(guest_xml("a")));
  REQUIRE(file.host.start("a", our_uuid));
  CHECK_FALSE(file.host.undefine("a", our_uuid));
  CHECK(state_of(file.host, "a") == GuestState::on);
}

TEST_CASE("a guest with another UUID is left alone") {
  FileHost file;
  auto& host = file.host;
  auto before = host.look("template");
  REQUIRE(before);
  REQUIRE(before->state == GuestState::on); // the test driver starts what its file defines
  for (auto status : {host.destroy("template", our_uuid), host.undefine("template", our_uuid),
                      host.start("template", our_uuid), host.define(guest_xml("template"))}) {
    REQUIRE_FALSE(status);
    CHECK(status.error().message.find(other_uuid) != std::string::npos);
  }
  CHECK(host.look("template")->uuid == other_uuid);
  CHECK(state_of(host, "template") == GuestState::on);
  CHECK(host.destroy("template", other_uuid));
}

TEST_CASE("a listing has all guests, ours or not") {
  FileHost file;
  REQUIRE(file.host.define(guest_xml("a")));
  auto listing = file.host.list();
  REQUIRE(listing);
  REQUIRE(listing->guests.size() == 2);
  for (auto& guest : listing->guests) {
    CHECK(guest.state == (guest.name == "a" ? GuestState::off : GuestState::on));
    CHECK(guest.read_at == listing->started_at);
  }
}

TEST_CASE("the definition is the inactive one and can be rewritten and defined") {
  FileHost file;
  auto& host = file.host;
  REQUIRE(host.define(guest_xml("t", other_uuid.substr(0, 35) + "5")));
  auto xml = host.xml("t");
  REQUIRE(xml);
  auto source = ci::domain::source_disk(*xml, "");
  CHECK(source.path == "/images/a");
  CHECK(source.format == "qcow2");
  ci::domain::GuestSpec spec;
  spec.name = "ci-runner-x.7", spec.uuid = our_uuid, spec.mac = "52:54:00:01:02:03";
  spec.disk = {"/images/runner/7-a.qcow2", "qcow2", source.path, source.format};
  auto own = ci::domain::runner_xml(*xml, spec);
  REQUIRE(own);
  auto defined = host.define(own.xml);
  CAPTURE(defined.error().message);
  REQUIRE(defined);
  REQUIRE(host.start("ci-runner-x.7", our_uuid));
  CHECK(host.xml("ci-runner-x.7")->find("ci-monitor") != std::string::npos);
  // Both the template and the runner depend on the template's disk.
  CHECK(host.unused("/images/a", other_uuid).error().message.find("uses /images/a") != std::string::npos);
  CHECK(host.unused("/images/a", our_uuid).error().message.find("guest t uses") != std::string::npos);
  CHECK_FALSE(host.unused("/images/runner/7-a.qcow2", other_uuid));
  CHECK(host.unused("/images/runner/7-a.qcow2", our_uuid));
  CHECK(host.unused("/images/nobody's", our_uuid));
  auto none = host.xml("nobody");
  REQUIRE_FALSE(none);
  CHECK(none.error().message == "there is no guest nobody");
}

TEST_CASE("definitions of guests that are not there are left out") {
  FileHost file;
  REQUIRE(file.host.define(guest_xml("a")));
  auto found = file.host.definitions({"a", "nobody", "template"});
  REQUIRE(found);
  CHECK(found->size() == 2);
  CHECK(found->at("a").find(our_uuid) != std::string::npos);
}

TEST_CASE("leases are those of running guests that exist") {
  FileHost file;
  auto& host = file.host;
  REQUIRE(host.define(guest_xml("a")));
  auto off = host.leases({"a", "nobody"});
  REQUIRE(off);
  CHECK(off->claims.empty());
}

TEST_CASE("every call fails while there is no connection") {
  Host host("test:///default");
  CHECK_FALSE(host.alive());
  CHECK_FALSE(host.list());
  CHECK_FALSE(host.look("a"));
  CHECK_FALSE(host.leases({"a"}));
  CHECK(host.hearsay({"a"}).empty());
  CHECK_FALSE(host.xml("a"));
  CHECK_FALSE(host.definitions({"a"}));
  CHECK_FALSE(host.define("<domain/>"));
  CHECK_FALSE(host.start("a", our_uuid));
  CHECK_FALSE(host.destroy("a", our_uuid));
  auto status = host.undefine("a", our_uuid);
  REQUIRE_FALSE(status);
  CHECK(status.error().message == "there is no connection to libvirt");
}

TEST_CASE("an error carries libvirt's code and one line") {
  EventLoop loop;
  Host host("test:///no/such/file.xml");
  auto status = host.open();
  REQUIRE_FALSE(status);
  CHECK(status.error().code != 0);
  CHECK_FALSE(status.error().message.empty());
  FileHost file;
  auto define = file.host.define("<domain>\n<name/></domain>");
  REQUIRE_FALSE(define);
  CHECK(define.error().message.find('\n') == std::string::npos);
}

TEST_CASE("events reach us for what anybody does") {
  Daemon daemon;
  NEEDS_LIBVIRTD(daemon);
  auto entry = "a " + our_uuid;
  REQUIRE(daemon.ours.define(guest_xml("a")));
  REQUIRE(daemon.ours.start("a", our_uuid));
  CHECK(eventually([&] { return daemon.heard.count(entry) >= 2; }));
  auto before = daemon.heard.count(entry);
  REQUIRE(daemon.others.destroy("a", our_uuid));
  CHECK(eventually([&] { return daemon.heard.count(entry) > before; }));
  CHECK(state_of(daemon.ours, "a") == GuestState::off);
  before = daemon.heard.count(entry);
  REQUIRE(daemon.others.undefine("a", our_uuid));
  CHECK(eventually([&] { return daemon.heard.count(entry) > before; }));
  CHECK(state_of(daemon.ours, "a") == GuestState::absent);
  CHECK(daemon.ours.destroy("a", our_uuid));
  CHECK(daemon.ours.undefine("a", our_uuid));
}

TEST_CASE("leases come by the guest's own MAC") {
  Daemon daemon;
  NEEDS_LIBVIRTD(daemon);
  REQUIRE(daemon.ours.define(guest_xml("a")));
  REQUIRE(daemon.ours.start("a", our_uuid));
  auto leases = daemon.ours.leases({"a"});
  CAPTURE(leases.error().message);
  REQUIRE(leases);
  REQUIRE(leases->claims.size() == 1);
  CHECK(leases->claims.front().guest == "a");
  CHECK_FALSE(leases->claims.front().address.empty());
}

TEST_CASE("G6: a guest whose leases can't be read holds up nobody else's") {
  Daemon daemon;
  NEEDS_LIBVIRTD(daemon);
  auto on_no_network = guest_xml("b", other_uuid);
  on_no_network.replace(on_no_network.find("'default'"), 9, "'undefined'");
  REQUIRE(daemon.ours.define(on_no_network));
  REQUIRE(daemon.ours.start("b", other_uuid));
  auto alone = daemon.ours.leases({"b"});
  REQUIRE_FALSE(alone); // nobody's could be read
  CHECK(alone.error().message.find("undefined") != std::string::npos);
  REQUIRE(daemon.ours.define(guest_xml("a")));
  REQUIRE(daemon.ours.start("a", our_uuid));
  auto leases = daemon.ours.leases({"b", "a"});
  REQUIRE(leases);
  REQUIRE(leases->claims.size() == 1);
  CHECK(leases->claims.front().guest == "a");
  CHECK(leases->unread.at("b").find("undefined") != std::string::npos);
  daemon.libvirtd.kill();
  REQUIRE(eventually([&] { return !daemon.ours.alive(); }));
  CHECK_FALSE(daemon.ours.leases({"b", "a"}));
}

TEST_CASE("hearsay is ARP's where that knows the guest, and nothing is heard of guests that are off or not there") {
  // The test driver says the same, whatever the source.
  Daemon daemon;
  NEEDS_LIBVIRTD(daemon);
  REQUIRE(daemon.ours.define(guest_xml("a")));
  CHECK(daemon.ours.hearsay({"a", "nobody"}).empty());
  REQUIRE(daemon.ours.start("a", our_uuid));
  auto heard = daemon.ours.hearsay({"a", "nobody"});
  REQUIRE(heard.size() == 1);
  CHECK(heard.front().guest == "a");
  CHECK(heard.front().source == ci::domain::AddressSource::arp);
  CHECK(heard.front().address == daemon.ours.leases({"a"})->claims.front().address);
}

TEST_CASE("a lost connection is noticed, and can be regained") {
  Daemon daemon;
  NEEDS_LIBVIRTD(daemon);
  CHECK(daemon.ours.alive());
  daemon.libvirtd.kill();
  CHECK(eventually([&] { return !daemon.ours.alive(); }));
  CHECK(eventually([&] { return daemon.heard.first_closed() == "libvirt closed the connection"; }));
  CHECK_FALSE(daemon.ours.list());
  CHECK_FALSE(daemon.ours.open());
  REQUIRE(daemon.libvirtd.start());
  REQUIRE(daemon.ours.open());
  CHECK(daemon.ours.list()->guests.size() == 1);
  REQUIRE(daemon.ours.define(guest_xml("b")));
  CHECK(eventually([&] { return daemon.heard.count("b " + our_uuid) >= 1; }));
}

TEST_CASE("a frozen libvirtd ends a call by keepalive") {
  Daemon daemon;
  NEEDS_LIBVIRTD(daemon);
  daemon.libvirtd.freeze();
  auto begin = std::chrono::steady_clock::now();
  auto listing = daemon.ours.list();
  auto took = std::chrono::steady_clock::now() - begin;
  CHECK_FALSE(listing);
  CHECK(took < std::chrono::seconds(30));
  CHECK_FALSE(daemon.ours.alive());
  CHECK(
      eventually([&] { return daemon.heard.first_closed() == "libvirt did not answer keepalive messages"; }));
  daemon.libvirtd.thaw();
  REQUIRE(daemon.ours.open());
  CHECK(daemon.ours.list());
}

TEST_CASE("connections leave no descriptors behind") {
  Daemon daemon;
  NEEDS_LIBVIRTD(daemon);
  auto open_files = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                         std::filesystem::directory_iterator());
  };
  auto before = open_files();
  for (int i = 0; i < 20; ++i)
    REQUIRE(daemon.ours.open());
  CHECK(eventually([&] { return open_files() <= before; }));
}
