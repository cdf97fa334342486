#include "actors/images.hpp"

#include "tests/support/fake_host.hpp"

#include <doctest/doctest.h>

using namespace ci;
using domain::GuestState;
using domain::HostReply;
using domain::ImageSpec;

namespace {

const std::string snapshot = "2026-01-02T00:00:00.000000000Z";

ImageSpec an_image() {
  ImageSpec spec;
  spec.rebuild_guest = "ci-rebuild-linux@" + snapshot;
  spec.template_guest = "ci-template-linux@" + snapshot;
  spec.uuid = "6f1f8b7e-0000-4000-8000-000000000002";
  spec.mac = "52:54:00:00:00:02";
  spec.disk_target = "vda";
  spec.folder = "/images/base/linux";
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

/// The images actor over one fake worker.
struct Workshop {
  test::Stage stage;
  test::FakeMachinePtr machine = std::make_shared<test::FakeMachine>();
  host_actor host = stage.system.spawn<test::FakeHost>(machine);
  images_actor images = stage.system.spawn<ImagesActor>(
      std::make_shared<Meter>("images"), std::make_shared<Workers>(std::vector<host_actor>{host}));
  caf::scoped_actor self{stage.system};

  ~Workshop() {
    caf::anon_send_exit(images, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(host, caf::exit_reason::user_shutdown);
    stage.run();
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
