#include "actors/images.hpp"

#include "tests/support/fake_host.hpp"

#include <doctest/doctest.h>

using namespace ci;
using domain::GuestState;
using domain::HostReply;
using domain::ImageSpec;

namespace {

const std::string snapshot = "2026-01-02T00:00:00.000000000Z";

ImageSpec an_image(const std::string& profile = "linux") {
  ImageSpec spec;
  spec.rebuild_guest = "ci-rebuild-" + profile + "@" + snapshot;
  spec.template_guest = "ci-template-" + profile + "@" + snapshot;
  spec.uuid = "6f1f8b7e-0000-4000-8000-000000000002";
  spec.mac = "52:54:00:00:00:02";
  spec.disk_target = "vda";
  spec.folder = "/images/base/" + profile;
  spec.snapshot = snapshot;
  spec.deps_folder = "/deps";
  spec.recipe.begins_with = {domain::ImageBase::Kind::file, "ubuntu.raw"};
  spec.recipe.config_cdrom = "sda";
  spec.sources = std::make_shared<const domain::ImageSources>(domain::ImageSources{
      "<domain><name>x</name><devices><disk type='block' device='disk'><source dev='/dev/null'/>"
      "<target dev='vda'/></disk></devices></domain>",
      "#cloud-config", "id", ""});
  return spec;
}

/// Asks once.
class Customer : public caf::event_based_actor {
 public:
  Customer(caf::actor_config& config, std::function<void(caf::event_based_actor&)> ask)
      : caf::event_based_actor(config), ask_(std::move(ask)) {}
  caf::behavior make_behavior() override {
    ask_(*this);
    return {};
  }

 private:
  std::function<void(caf::event_based_actor&)> ask_;
};

/// The images actor over fake workers, each with a machine of its own: so what it was asked is known.
struct Workshop {
  test::Stage stage;
  std::vector<test::FakeMachinePtr> machines;
  test::FakeMachinePtr machine; ///< the first worker's
  std::vector<host_actor> hosts;
  host_actor host;
  images_actor images;
  caf::scoped_actor self{stage.system};
  std::map<std::string, HostReply> replies; ///< to what was ordered, by the name that the test gave it

  explicit Workshop(int workers = 1) {
    for (int i = 0; i < workers; ++i) {
      machines.push_back(std::make_shared<test::FakeMachine>());
      hosts.push_back(stage.system.spawn<test::FakeHost>(machines.back()));
    }
    machine = machines.front();
    host = hosts.front();
    images = stage.system.spawn<ImagesActor>(std::make_shared<Meter>("images"), std::make_shared<Workers>(hosts));
  }
  ~Workshop() {
    caf::anon_send_exit(images, caf::exit_reason::user_shutdown);
    for (auto& worker : hosts)
      caf::anon_send_exit(worker, caf::exit_reason::user_shutdown);
    stage.run();
  }
  /// How often all workers together were asked for that.
  std::size_t count(const std::string& call) const {
    std::size_t n = 0;
    for (auto& each : machines)
      n += each->count(call);
    return n;
  }
  template <class Atom>
  HostReply ask(Atom what, const ImageSpec& spec = an_image()) {
    auto handle = self->request(images, caf::infinite, what, spec);
    stage.run();
    HostReply reply{"no answer", {}};
    handle.receive([&](HostReply& got) { reply = got; },
                   [&](caf::error& error) { reply.error = stage.system.render(error); });
    return reply;
  }
  /// The first worker's slow calls are over.
  void let_go() {
    caf::anon_send(caf::actor_cast<test::fake_host_actor>(host), test::let_go_atom::value);
    stage.run();
  }
  /// Does not wait for the reply.
  template <class Atom>
  void order(const std::string& name, Atom what, const ImageSpec& spec) {
    stage.system.spawn<Customer>([this, name, what, spec](caf::event_based_actor& customer) {
      customer.request(images, caf::infinite, what, spec)
          .then([this, name](HostReply& reply) { replies[name] = std::move(reply); });
    });
    stage.run();
  }
};

} // namespace

TEST_CASE("an image is made, started, renamed and deleted, each order repeatable") {
  Workshop shop;
  auto spec = an_image();
  for (int i = 0; i < 2; ++i) {
    CHECK(shop.ask(prepare_atom::value).error == "");
    CHECK(shop.machine->files == std::set<std::string>{spec.disk_file(), spec.config_file()});
    CHECK(shop.machine->count("disk " + spec.disk_file() + " /deps/ubuntu.raw") == std::size_t(i + 1));
    CHECK(shop.machine->count("iso " + spec.config_file() + " CIDATA") == std::size_t(i + 1));
  }
  for (int i = 0; i < 2; ++i) {
    CHECK(shop.ask(start_atom::value).error == "");
    CHECK(shop.machine->guests.at(spec.rebuild_guest).state == GuestState::on);
  }
  shop.machine->guests.at(spec.rebuild_guest).state = GuestState::off;
  for (int i = 0; i < 2; ++i) {
    CHECK(shop.ask(seal_atom::value).error == "");
    CHECK(shop.machine->guests.count(spec.template_guest) == 1);
  }
  for (int i = 0; i < 2; ++i) {
    CHECK(shop.ask(remove_atom::value).error == "");
    CHECK(shop.machine->guests.empty());
    CHECK(shop.machine->files.empty());
  }
}

TEST_CASE("an image is kept while another guest's disk depends on it") {
  Workshop shop;
  auto spec = an_image();
  CHECK(shop.ask(prepare_atom::value).error == "");
  CHECK(shop.ask(start_atom::value).error == "");
  shop.machine->guests["debugging"] = {
      "uuid", GuestState::on, "<domain><devices><disk><source file='/over.qcow2'/><backingStore><source file='" +
                                  spec.disk_file() + "'/></backingStore></disk></devices></domain>"};
  CHECK(shop.ask(remove_atom::value).error == "debugging uses it");
  CHECK(shop.machine->files.count(spec.disk_file()) == 1);
  CHECK(shop.machine->guests.count(spec.rebuild_guest) == 1);
  shop.machine->guests.erase("debugging");
  CHECK(shop.ask(remove_atom::value).error == "");
  CHECK(shop.machine->files.empty());
}

TEST_CASE("G5: a guest of an image's name with another UUID is left alone") {
  Workshop shop;
  auto spec = an_image();
  shop.machine->guests[spec.rebuild_guest] = {"foreign", GuestState::on, ""};
  CHECK(shop.ask(start_atom::value).error != "");
  CHECK(shop.ask(remove_atom::value).error == "");
  CHECK(shop.machine->guests.at(spec.rebuild_guest).state == GuestState::on);
  CHECK(shop.machine->count("halt") == 0);
}

TEST_CASE("a hand-made guest is copied with its disk and its firmware's variables") {
  Workshop shop;
  auto spec = an_image();
  spec.recipe.begins_with = {domain::ImageBase::Kind::guest, "clean"};
  CHECK(shop.ask(prepare_atom::value, spec).error.find("clean") != std::string::npos);
  shop.machine->guests["clean"] = {
      "uuid", GuestState::off,
      "<domain><os><nvram>/vars.fd</nvram></os><devices><disk type='file'><driver type='raw'/>"
      "<source file='/clean.img'/><target dev='sdb'/></disk></devices></domain>"};
  CHECK(shop.ask(prepare_atom::value, spec).error == "");
  CHECK(shop.machine->count("disk " + spec.disk_file() + " /clean.img") == 1);
  CHECK(shop.machine->files.count(spec.disk_file()) == 1);
}

TEST_CASE("a hand-made guest that is not shut off is not copied: its disk may be written meanwhile") {
  Workshop shop;
  auto spec = an_image();
  spec.recipe.begins_with = {domain::ImageBase::Kind::guest, "clean"};
  auto& clean = shop.machine->guests["clean"];
  clean = {"uuid", GuestState::on,
           "<domain><devices><disk type='file'><source file='/clean.img'/><target dev='sdb'/></disk></devices></domain>"};
  CHECK(shop.ask(prepare_atom::value, spec).error.find("guest clean is not shut off") != std::string::npos);
  CHECK(shop.machine->count("disk") == 0);
  clean.state = GuestState::off;
  CHECK(shop.ask(prepare_atom::value, spec).error == "");
  CHECK(shop.machine->count("disk") == 1);
}

TEST_CASE("a hand-made guest's disk is not taken for one of another format") {
  Workshop shop;
  auto spec = an_image();
  spec.recipe.begins_with = {domain::ImageBase::Kind::guest, "clean"};
  shop.machine->guests["clean"] = {"uuid", GuestState::off,
                                   "<domain><devices><disk type='file'><driver type='qcow2'/>"
                                   "<source file='/clean.img'/><target dev='sdb'/></disk></devices></domain>"};
  CHECK(shop.ask(prepare_atom::value, spec).error ==
        "guest.xml states the format raw for the image's disk, but that of guest clean is qcow2");
  CHECK(shop.machine->count("disk") == 0);
}

TEST_CASE("what can't be made is said, and does not hold up later orders") {
  Workshop shop;
  auto spec = an_image();
  spec.sources = nullptr;
  CHECK(shop.ask(prepare_atom::value, spec).error != "");
  CHECK(shop.ask(start_atom::value, spec).error != "");
  shop.machine->failing["disk"] = "the disk is full";
  CHECK(shop.ask(prepare_atom::value).error == "the disk is full");
  shop.machine->failing.clear();
  CHECK(shop.ask(prepare_atom::value).error == "");
}

TEST_CASE("G8: an order that an actor's end cut short is told apart from one that failed") {
  Workshop shop;
  shop.machine->failing["disk"] = "the disk is full";
  CHECK_FALSE(shop.ask(prepare_atom::value).cut_short);
  SUBCASE("its own") {
    shop.machine->failing.clear();
    shop.machine->silent = {"disk"};
    auto handle = shop.self->request(shop.images, caf::infinite, prepare_atom::value, an_image());
    shop.stage.run();
    caf::anon_send_exit(shop.images, caf::exit_reason::kill);
    shop.stage.run();
    handle.receive([](HostReply& reply) { CHECK(reply.cut_short); }, [](caf::error&) { CHECK(false); });
  }
  SUBCASE("its worker's") {
    caf::anon_send_exit(shop.host, caf::exit_reason::kill);
    shop.stage.run();
    auto reply = shop.ask(prepare_atom::value);
    CHECK_FALSE(reply);
    CHECK(reply.cut_short);
  }
}

TEST_CASE("G6: an order waits until a worker has ended what it does, and only then its time begins to run") {
  Workshop shop;
  shop.machine->slow = {"disk"};
  shop.machine->guests[an_image("c").rebuild_guest] = {an_image("c").uuid, GuestState::off, ""};
  shop.order("a", prepare_atom::value, an_image("a"));
  shop.order("b", prepare_atom::value, an_image("b"));
  shop.order("c", seal_atom::value, an_image("c"));
  shop.stage.pass(std::chrono::seconds(3000));
  CHECK(shop.replies.empty());
  CHECK(shop.count("") == 1); // whoever copies hears of nothing else
  shop.let_go();
  REQUIRE(shop.replies.count("a") == 1); // all of its steps came before the other's disk
  CHECK(shop.replies.at("a").error == "");
  shop.stage.pass(std::chrono::seconds(3000));
  CHECK(shop.replies.size() == 1);
  shop.let_go();
  CHECK(shop.replies.at("b").error == "");
  CHECK(shop.replies.at("c").error == "");
}

TEST_CASE("G6: copies leave a worker to orders that take a moment") {
  Workshop shop(3);
  for (auto& machine : shop.machines) {
    machine->slow = {"disk", "update"};
    machine->guests[an_image("c").rebuild_guest] = {an_image("c").uuid, GuestState::off, ""};
  }
  shop.order("a", prepare_atom::value, an_image("a"));
  shop.order("b", prepare_atom::value, an_image("b"));
  shop.order("d", prepare_atom::value, an_image("d"));
  CHECK(shop.count("disk") == 2);
  shop.order("c", seal_atom::value, an_image("c"));
  REQUIRE(shop.replies.size() == 1);
  CHECK(shop.replies.at("c").error == "");
  shop.stage.pass(std::chrono::seconds(200));
  CHECK(shop.replies.size() == 1);
}

TEST_CASE("G6: orders for an image go behind its call that was not answered in time, until that is over") {
  Workshop shop(2);
  auto spec = an_image();
  auto& first = *shop.machines[0];
  first.silent = {"disk"};
  shop.order("prepare", prepare_atom::value, spec);
  shop.stage.pass(std::chrono::seconds(3601));
  REQUIRE(shop.replies.count("prepare") == 1);
  CHECK_FALSE(shop.replies.at("prepare"));
  SUBCASE("the same image") {
    CHECK(shop.ask(remove_atom::value, spec).error == "");
    CHECK(first.count("forget") == 1);
    first.slow = {"unused"}; // it is well again, and busy: the other one takes the next order
    shop.order("other", remove_atom::value, an_image("b"));
    CHECK(shop.ask(remove_atom::value, spec).error == "");
    CHECK(shop.machines[1]->count("forget") == 1);
  }
  SUBCASE("another image keeps away from it") {
    CHECK(shop.ask(remove_atom::value, an_image("b")).error == "");
    CHECK(first.count("unused") == 0);
  }
  SUBCASE("another image goes there where it has no choice") {
    shop.machines[1]->silent = {"unused"};
    shop.order("b", remove_atom::value, an_image("b"));
    shop.order("c", remove_atom::value, an_image("c"));
    CHECK(first.count("unused") == 0);
    shop.stage.pass(std::chrono::seconds(61)); // the other one is silent, too
    CHECK_FALSE(shop.replies.at("b"));
    CHECK(shop.replies.at("c").error == "");
    CHECK(first.count("forget") == 1);
  }
}
