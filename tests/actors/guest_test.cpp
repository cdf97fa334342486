#include "actors/guest.hpp"

#include "tests/support/fake_host.hpp"
#include "tests/support/guest_samples.hpp"

#include <doctest/doctest.h>

using namespace ci;
using domain::GuestSpec;
using domain::GuestState;
using domain::HostReply;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

GuestSpec a_spec() { return test::guest_spec("ci-runner-linux.7", "uuid-7"); }
/// As the answer to prepare tells it.
GuestSpec a_made_spec() {
  auto spec = a_spec();
  spec.disk = {"/images/runner/7-base.img@s", "qcow2", "", ""};
  return spec;
}

/// One guest's actor over two fake workers that share a machine each of its own calls list.
struct Scene {
  test::Stage stage;
  test::FakeMachinePtr first = std::make_shared<test::FakeMachine>(),
                       second = std::make_shared<test::FakeMachine>();
  host_actor hosts[2] = {stage.system.spawn<test::FakeHost>(first),
                         stage.system.spawn<test::FakeHost>(second)};
  WorkersPtr workers = std::make_shared<Workers>(std::vector<host_actor>{hosts[0], hosts[1]});
  guest_actor guest = stage.system.spawn<Guest>(std::make_shared<Meter>("guest"), workers);
  caf::scoped_actor self{stage.system};

  Scene() {
    for (auto& machine : {first, second})
      machine->guests["template"] = {"uuid-t", GuestState::off, test::template_xml()};
  }
  ~Scene() {
    for (auto& host : hosts)
      caf::anon_send_exit(host, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(guest, caf::exit_reason::user_shutdown);
    stage.run();
  }
  /// Asks, without running anything.
  template <class Atom>
  auto order(Atom what, const GuestSpec& spec = a_spec()) {
    return self->request(guest, caf::infinite, what, spec);
  }
  template <class Handle>
  HostReply answer(Handle&& handle) {
    HostReply reply{"no answer", {}};
    handle.receive([&](HostReply& got) { reply = got; },
                   [&](caf::error& error) { reply.error = stage.system.render(error); });
    return reply;
  }
  template <class Atom>
  HostReply ask(Atom what, const GuestSpec& spec = a_spec()) {
    auto handle = order(what, spec);
    stage.run();
    return answer(std::move(handle));
  }
};

} // namespace

TEST_CASE("prepare clones the template's disk under the runner's id") {
  Scene scene;
  CHECK(scene.ask(prepare_atom::value).error == "");
  CHECK(scene.first->calls ==
        std::vector<std::string>{"xml template",
                                 "clone /images/base/linux/base.img@s /images/runner/7-base.img@s"});
  CHECK(scene.first->files.count("/images/runner/7-base.img@s"));
}

TEST_CASE("prepare copies the template's NVRAM beside the disk, and remove deletes it") {
  Scene scene;
  scene.first->guests["template"].xml =
      test::template_xml("<os><nvram template='/firmware/VARS.fd'>/nvram/template_VARS.fd</nvram></os>");
  CHECK(scene.ask(prepare_atom::value).error == "");
  const std::string own = "/images/runner/7-ci-runner-linux.7_VARS.fd";
  CHECK(scene.first->calls.back() == "nvram /nvram/template_VARS.fd " + own);
  CHECK(scene.ask(start_atom::value, a_made_spec()).error == "");
  CHECK(scene.first->guests["ci-runner-linux.7"].xml.find(own) != std::string::npos);
  CHECK(scene.ask(remove_atom::value).error == "");
  CHECK(scene.first->files.empty());
  scene.first->failing["nvram"] = "no space";
  CHECK(scene.ask(prepare_atom::value).error == "no space");
}

TEST_CASE("start defines the runner from its template and starts it") {
  Scene scene;
  CHECK(scene.ask(prepare_atom::value));
  auto reply = scene.ask(start_atom::value, a_made_spec());
  CHECK(reply.error == "");
  auto& guest = scene.first->guests["ci-runner-linux.7"];
  CHECK(guest.uuid == "uuid-7");
  CHECK(guest.state == GuestState::on);
  CHECK(guest.xml.find("/images/runner/7-base.img@s") != std::string::npos);
  CHECK(scene.ask(start_atom::value, a_made_spec()).error == "");
}

TEST_CASE("remove stops, undefines and then deletes the disk") {
  Scene scene;
  scene.ask(prepare_atom::value);
  scene.ask(start_atom::value, a_made_spec());
  scene.first->calls.clear();
  CHECK(scene.ask(remove_atom::value).error == "");
  CHECK(scene.first->calls == std::vector<std::string>{"look ci-runner-linux.7", "halt ci-runner-linux.7",
                                                       "look ci-runner-linux.7", "undefine ci-runner-linux.7",
                                                       "erase /images/runner 7-"});
  CHECK(scene.first->guests.count("ci-runner-linux.7") == 0);
  CHECK(scene.first->files.empty());
}

TEST_CASE("G1: remove leaves a guest alone that is on although GitHub did not let its runner go") {
  Scene scene;
  scene.ask(prepare_atom::value);
  scene.ask(start_atom::value, a_made_spec());
  auto kept = a_spec();
  kept.released = false;
  CHECK(scene.ask(remove_atom::value, kept).error == "guest ci-runner-linux.7 runs, and its runner is still registered");
  CHECK(scene.first->guests["ci-runner-linux.7"].state == GuestState::on);
  CHECK_FALSE(scene.first->files.empty());
  scene.first->guests["ci-runner-linux.7"].state = GuestState::off;
  CHECK(scene.ask(remove_atom::value, kept).error == "");
  CHECK(scene.first->files.empty());
}

TEST_CASE("removing what is not there deletes what is left of its disk") {
  Scene scene;
  scene.first->files = {"/images/runner/7-base.img@s", "/images/runner/77-base.img@s"};
  CHECK(scene.ask(remove_atom::value).error == "");
  CHECK(scene.first->files == std::set<std::string>{"/images/runner/77-base.img@s"});
  CHECK(scene.ask(remove_atom::value).error == "");
}

TEST_CASE("G5: a guest of that name with another UUID is left alone, and so is the disk that it uses") {
  Scene scene;
  const std::string disk = "/images/runner/7-base.img@s";
  scene.first->guests["ci-runner-linux.7"] = {"someone-else", GuestState::on,
                                              "<source file='" + disk + "'/>"};
  scene.first->files = {disk};
  CHECK(scene.ask(remove_atom::value).error == "");
  CHECK(scene.first->guests["ci-runner-linux.7"].state == GuestState::on);
  CHECK(scene.first->files.size() == 1);
  CHECK_FALSE(scene.ask(start_atom::value, a_made_spec()));
}

TEST_CASE("G5: beside a guest of that name with another UUID, our own disk is deleted") {
  Scene scene;
  scene.first->guests["ci-runner-linux.7"] = {"someone-else", GuestState::on, "<domain/>"};
  scene.first->files = {"/images/runner/7-base.img@s"};
  CHECK(scene.ask(remove_atom::value).error == "");
  CHECK(scene.first->guests["ci-runner-linux.7"].state == GuestState::on);
  CHECK(scene.first->count("halt") == 0);
  CHECK(scene.first->files.empty());
}

TEST_CASE("the disk of a guest that does not stop is kept") {
  Scene scene;
  scene.ask(prepare_atom::value);
  scene.ask(start_atom::value, a_made_spec());
  scene.first->deaf_guests = true;
  auto reply = scene.ask(remove_atom::value);
  CHECK(reply.error.find("runs on") != std::string::npos);
  CHECK(scene.first->count("undefine") == 0);
  CHECK(scene.first->files.size() == 1);
}

TEST_CASE("a step that fails ends the order with its error, and the next order goes on") {
  Scene scene;
  for (std::string step : {"look", "halt", "undefine", "erase"}) {
    CAPTURE(step);
    scene.first->failing.clear();
    scene.ask(prepare_atom::value);
    CHECK(scene.ask(start_atom::value, a_made_spec()));
    scene.first->failing = {{step, "broken " + step}};
    CHECK(scene.ask(remove_atom::value).error == "broken " + step);
  }
  scene.first->failing.clear();
  CHECK(scene.ask(remove_atom::value));
  for (std::string step : {"xml", "clone"}) {
    scene.first->failing = {{step, "broken " + step}};
    CHECK(scene.ask(prepare_atom::value).error == "broken " + step);
  }
  for (std::string step : {"xml", "define", "start"}) {
    scene.first->failing = {{step, "broken " + step}};
    CHECK(scene.ask(start_atom::value, a_made_spec()).error == "broken " + step);
  }
}

TEST_CASE("a template without a disk needs no clone") {
  Scene scene;
  scene.first->guests["template"].xml = "<domain><name>template</name></domain>";
  CHECK(scene.ask(prepare_atom::value).error == "");
  CHECK(scene.first->count("clone") == 0);
  CHECK(scene.ask(start_atom::value).error == "");
}

TEST_CASE("what prepare made of the disk is told, and stands in the definition that start makes") {
  Scene scene;
  scene.first->reflinks = false;
  auto spec = a_spec();
  spec.may_overlay = true;
  scene.first->guests["template"].xml = test::template_xml("<os><nvram>/nvram/template_VARS.fd</nvram></os>");
  auto prepared = scene.ask(prepare_atom::value, spec);
  CHECK(prepared.disk.file == "/images/runner/7-base.img@s.qcow2");
  CHECK(prepared.disk.format == "qcow2");
  CHECK(prepared.disk.backing_file == "/images/base/linux/base.img@s");
  CHECK(prepared.disk.backing_format == "qcow2");
  spec.disk = prepared.disk;
  auto started = scene.ask(start_atom::value, spec);
  CHECK(started.error == "");
  CHECK(started.defined_at != domain::Steady{});
  CHECK(started.defined_at <= started.finished_at);
  auto& xml = scene.first->guests["ci-runner-linux.7"].xml;
  CHECK(xml.find("<backingStore") != std::string::npos);
  CHECK(xml.find(prepared.disk.file) != std::string::npos);
  CHECK(scene.ask(remove_atom::value, spec).error == "");
  CHECK(scene.first->files.empty());
}

TEST_CASE("no overlay is asked for where the profile or the template's disk does not allow it") {
  Scene scene;
  scene.first->reflinks = false;
  CHECK(scene.ask(prepare_atom::value).disk.backing_file == "");
  auto spec = a_spec();
  spec.may_overlay = true;
  scene.first->guests["template"].xml =
      "<domain><devices><disk type='file'><driver type='vmdk'/><source file='/images/base.vmdk'/>"
      "<target dev='vda'/></disk></devices></domain>";
  auto prepared = scene.ask(prepare_atom::value, spec);
  CHECK(prepared.disk.file == "/images/runner/7-base.vmdk");
  CHECK(prepared.disk.format == "vmdk");
  CHECK(prepared.disk.backing_file == "");
}

TEST_CASE("a guest whose disk nobody made is not started") {
  Scene scene;
  CHECK(scene.ask(start_atom::value).error.find("no file was given") != std::string::npos);
  CHECK(scene.first->count("define") == 0);
}

TEST_CASE("a template that can't be used is an error") {
  Scene scene;
  scene.first->guests["template"].xml = "nonsense";
  CHECK_FALSE(scene.ask(prepare_atom::value));
  CHECK_FALSE(scene.ask(start_atom::value, a_made_spec()));
  scene.first->guests.erase("template");
  CHECK(scene.ask(prepare_atom::value).error == "there is no guest template");
}

TEST_CASE("a remove that comes while a prepare runs starts after it") {
  Scene scene;
  auto prepare = scene.order(prepare_atom::value), remove = scene.order(remove_atom::value);
  scene.stage.run();
  CHECK(scene.answer(std::move(prepare)));
  CHECK(scene.answer(std::move(remove)));
  auto& calls = scene.first->calls;
  REQUIRE(calls.size() >= 3);
  CHECK(calls[1].rfind("clone", 0) == 0);
  CHECK(calls[2].rfind("look", 0) == 0);
  CHECK(scene.first->files.empty());
}

TEST_CASE("a repeat of the newest order shares its answer") {
  Scene scene;
  auto one = scene.order(prepare_atom::value), two = scene.order(prepare_atom::value);
  scene.stage.run();
  CHECK(scene.answer(std::move(one)));
  CHECK(scene.answer(std::move(two)));
  CHECK(scene.first->count("clone") == 1);
}

TEST_CASE("a repeat that has another order between it and the first is carried out") {
  Scene scene;
  auto one = scene.order(prepare_atom::value), between = scene.order(remove_atom::value),
       two = scene.order(prepare_atom::value);
  scene.stage.run();
  CHECK(scene.answer(std::move(one)));
  CHECK(scene.answer(std::move(between)));
  CHECK(scene.answer(std::move(two)));
  CHECK(scene.first->count("clone") + scene.second->count("clone") == 2);
}

TEST_CASE("silence ends an order in bounded time") {
  Scene scene;
  scene.first->silent = {"xml"};
  auto handle = scene.order(prepare_atom::value);
  scene.stage.run();
  scene.stage.pass(seconds(61));
  CHECK(scene.answer(std::move(handle)).error.find("no answer in time") != std::string::npos);
}

TEST_CASE("a clone may take half an hour and a start five minutes") {
  Scene scene;
  scene.first->silent = {"clone"};
  auto handle = scene.order(prepare_atom::value);
  scene.stage.run();
  scene.stage.pass(minutes(29));
  CHECK(scene.first->count("look") == 0);
  auto remove = scene.order(remove_atom::value);
  scene.stage.run();
  CHECK(scene.first->count("look") == 0);
  scene.stage.pass(minutes(2));
  CHECK_FALSE(scene.answer(std::move(handle)));
  CHECK(scene.answer(std::move(remove)));
}

TEST_CASE("after silence all orders of the guest stay with the same worker") {
  Scene scene;
  scene.first->silent = {"define"};
  auto handle = scene.order(start_atom::value, a_made_spec());
  scene.stage.run();
  scene.stage.pass(seconds(61));
  CHECK_FALSE(scene.answer(std::move(handle)));
  scene.first->silent.clear();
  CHECK(scene.ask(remove_atom::value));
  CHECK(scene.first->count("look") == 1);
  CHECK(scene.second->calls.empty());
}

TEST_CASE("other guests go to workers that are free and that answer") {
  Scene scene;
  auto now = scene.stage.system.clock().now();
  CHECK(scene.workers->borrow(now) == 0);
  CHECK(scene.workers->borrow(now) == 1);
  scene.workers->give_back(1);
  CHECK(scene.workers->borrow(now) == 1);
  scene.workers->give_back(0);
  scene.workers->silent(0, now);
  CHECK(scene.workers->borrow(now) == 1);
  CHECK(scene.workers->borrow(now) == 1);
  CHECK(scene.workers->borrow(now + minutes(11)) == 0);
  scene.workers->give_back(0);
  scene.workers->answered(0);
  CHECK(scene.workers->borrow(now) == 0);
}

TEST_CASE("what takes a moment does not wait behind a disk that is being copied, while another worker does less") {
  Scene scene;
  auto now = scene.stage.system.clock().now();
  std::optional<decltype(scene.order(prepare_atom::value))> prepare;
  SUBCASE("from the order on") { scene.first->slow = {"xml"}; }
  SUBCASE("while it is copied") { scene.first->slow = {"clone"}; }
  prepare.emplace(scene.order(prepare_atom::value));
  scene.stage.run();
  for (int i = 0; i < 3; ++i)
    CHECK(scene.workers->borrow(now) == 1);
  scene.first->slow.clear();
  caf::anon_send(caf::actor_cast<test::fake_host_actor>(scene.hosts[0]), test::let_go_atom::value);
  scene.stage.run();
  CHECK(scene.answer(std::move(*prepare)));
  CHECK(scene.workers->borrow(now) == 0);
}

TEST_CASE("a worker that copies is chosen before one that is stuck") {
  Scene scene;
  auto now = scene.stage.system.clock().now();
  scene.workers->copies(0);
  scene.workers->silent(1, now);
  CHECK(scene.workers->borrow(now) == 0);
  scene.workers->answered(1);
  CHECK(scene.workers->borrow(now) == 1);
  scene.workers->copied(0);
  scene.workers->give_back(0);
  CHECK(scene.workers->borrow(now) == 0);
}

TEST_CASE("waiting orders are answered when the actor ends") {
  Scene scene;
  scene.first->silent = {"xml"};
  auto one = scene.order(prepare_atom::value), two = scene.order(remove_atom::value);
  scene.stage.run();
  caf::anon_send_exit(scene.guest, caf::exit_reason::user_shutdown);
  scene.stage.run();
  CHECK_FALSE(scene.answer(std::move(one)));
  CHECK_FALSE(scene.answer(std::move(two)));
  CHECK(scene.workers->borrow(scene.stage.system.clock().now()) == 0);
}

TEST_CASE("the answer tells when the order's last call returned") {
  Scene scene;
  scene.stage.pass(seconds(5));
  auto before = scene.stage.system.clock().now();
  CHECK(scene.ask(prepare_atom::value).finished_at >= before);
  CHECK(scene.ask(remove_atom::value).finished_at >= before);
}
