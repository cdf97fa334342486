#include "actors/screenshots.hpp"
#include "tests/support/fake_host.hpp"

#include <doctest/doctest.h>

using namespace ci;
using namespace std::chrono_literals;
using domain::GuestState;
using domain::PictureState;

namespace {

/// Keeps what it is given in memory.
struct Kept {
  std::vector<std::string> paths;
  std::vector<std::set<domain::RunnerId>> forgotten_but;
  std::string trouble;
  bool silent = false;
};
class FakeAlbum : public album_actor::base {
 public:
  FakeAlbum(caf::actor_config& config, std::shared_ptr<Kept> kept)
      : album_actor::base(config), kept_(std::move(kept)) {}
  behavior_type make_behavior() override {
    return {
        [this](keep_atom, const std::string& path,
               const RawPicturePtr&) -> caf::result<domain::PictureOutcome> {
          kept_->paths.push_back(path);
          if (kept_->silent) {
            unanswered_.push_back(make_response_promise<domain::PictureOutcome>());
            return caf::response_promise(unanswered_.back());
          }
          return domain::PictureOutcome{kept_->trouble.empty() ? PictureState::taken : PictureState::failed,
                                        kept_->trouble};
        },
        [this](forget_atom, const std::set<domain::RunnerId>& kept) { kept_->forgotten_but.push_back(kept); },
    };
  }
  void on_exit() override { unanswered_.clear(); }

 private:
  std::shared_ptr<Kept> kept_;
  std::vector<caf::response_promise> unanswered_;
};

struct Scene {
  test::Stage stage;
  /// What cameras are asked, and what the list of guests is; of the same guests.
  test::FakeMachinePtr machine = std::make_shared<test::FakeMachine>(), listed = std::make_shared<test::FakeMachine>();
  std::shared_ptr<Kept> kept = std::make_shared<Kept>();
  BoardPtr board = std::make_shared<Board>();
  std::vector<PictureState> told;
  std::vector<caf::actor> actors;
  std::vector<test::fake_host_actor> camera_hosts;
  caf::actor lister;
  screenshots_root_actor screenshots;

  explicit Scene(int cameras = 2) {
    ScreenshotSetup setup;
    setup.lister = stage.system.spawn<test::FakeHost>(listed);
    lister = caf::actor_cast<caf::actor>(setup.lister);
    for (int i = 0; i < cameras; ++i) {
      camera_hosts.push_back(stage.system.spawn<test::FakeHost>(machine));
      setup.cameras.push_back(camera_hosts.back());
      actors.push_back(caf::actor_cast<caf::actor>(setup.cameras.back()));
    }
    setup.albums.push_back(stage.system.spawn<FakeAlbum>(kept));
    actors.push_back(caf::actor_cast<caf::actor>(setup.albums.back()));
    setup.board = board;
    auto policy = std::make_shared<domain::Policy>();
    policy->profiles["linux"].key = "linux";
    setup.policy = [policy] { return policy; };
    setup.interval = 5s;
    screenshots = stage.system.spawn<Screenshots>(std::make_shared<Meter>("screenshots"), std::move(setup),
                                                  metrics_actor());
    actors.insert(actors.begin(), caf::actor_cast<caf::actor>(screenshots));
    stage.run();
  }
  ~Scene() {
    screenshots = nullptr;
    actors.push_back(lister);
    for (auto& actor : actors)
      caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    actors.clear();
    camera_hosts.clear();
    lister = nullptr;
    stage.run();
  }

  /// Runners with guests of these ids, all of them on.
  void publish(const std::vector<domain::RunnerId>& ids) {
    auto snapshot = std::make_shared<domain::Snapshot>();
    for (auto id : ids) {
      auto view = std::make_shared<domain::RunnerView>();
      view->id = id;
      view->profile = "linux";
      view->guest_name = "ci-runner-linux." + std::to_string(id);
      machine->guests.try_emplace(*view->guest_name, test::FakeMachine::Guest{"uuid", GuestState::on, ""});
      snapshot->runners.push_back(view);
    }
    board->publish(snapshot);
  }
  void ask(domain::RunnerId id) {
    caf::anon_send(
        screenshots, shot_atom::value, id,
        PicturedTo([this](const domain::PictureOutcome& outcome) { told.push_back(outcome.state); }));
  }
  void pass(domain::Duration time) {
    listed->guests = machine->guests;
    stage.pass(time);
  }
  /// Slow calls of cameras are over.
  void let_go() {
    for (auto& camera : camera_hosts)
      caf::anon_send(camera, test::let_go_atom::value);
    stage.run();
  }
  std::size_t shots() const { return machine->count("shot"); }
};

} // namespace

TEST_CASE("every running guest is pictured each interval, and none before the first crank is over") {
  Scene scene;
  scene.pass(20s);
  CHECK(scene.machine->calls.empty());
  scene.publish({1, 2, 3});
  scene.pass(5s);
  CHECK(scene.kept->paths == std::vector<std::string>{"runners/1/screenshot.png", "runners/2/screenshot.png",
                                                      "runners/3/screenshot.png"});
  CHECK(scene.kept->forgotten_but == std::vector<std::set<domain::RunnerId>>{{1, 2, 3}});
  scene.pass(5s);
  CHECK(scene.kept->paths.size() == 6);
}

TEST_CASE("guests that are off, strangers and templates are left alone; one that builds an image is its "
          "profile's") {
  Scene scene;
  scene.publish({1, 2});
  scene.machine->guests["ci-runner-linux.2"].state = GuestState::off;
  for (const auto* name : {"ci-runner-linux.9", "ci-runner-windows.1", "other",
                           "ci-template-linux@2026-01-01T00:00:00Z", "ci-rebuild-linux@2026-01-01T00:00:00Z",
                           "ci-rebuild-gone@2026-01-01T00:00:00Z", "ci-rebuild-..@2026-01-01T00:00:00Z"})
    scene.machine->guests[name] = {"uuid", GuestState::on, ""};
  scene.pass(5s);
  CHECK(scene.kept->paths ==
        std::vector<std::string>{"profiles/linux/screenshot.png", "runners/1/screenshot.png"});
}

TEST_CASE("requests for one guest share one picture, and one less than a second old will do") {
  Scene scene;
  scene.publish({1, 2});
  for (int i = 0; i < 5; ++i)
    scene.ask(1);
  scene.stage.run();
  CHECK(scene.told == std::vector<PictureState>(5, PictureState::taken));
  CHECK(scene.shots() == 1);
  scene.stage.scheduler.advance_time(999ms);
  scene.ask(1);
  scene.ask(2);
  scene.stage.run();
  CHECK(scene.told.size() == 7);
  CHECK(scene.shots() == 2);
  scene.stage.scheduler.advance_time(1ms);
  scene.ask(1);
  scene.stage.run();
  CHECK(scene.shots() == 3);
}

TEST_CASE("who asks now goes before the guests that wait for their round") {
  Scene scene(1);
  std::vector<domain::RunnerId> ids;
  for (domain::RunnerId id = 1; id <= 9; ++id)
    ids.push_back(id);
  scene.publish(ids);
  scene.machine->slow.insert("shot"); // the first is under way, eight wait
  scene.pass(5s);
  scene.ask(7);
  scene.stage.run();
  scene.machine->slow.clear();
  scene.let_go();
  REQUIRE(scene.machine->count("shot") >= 2);
  std::vector<std::string> shots;
  for (const auto& call : scene.machine->calls)
    if (call.starts_with("shot"))
      shots.push_back(call);
  CHECK(shots[1] == "shot ci-runner-linux.7");
}

TEST_CASE("no guest and a guest that is off are told apart from a picture that fails") {
  Scene scene;
  scene.publish({1});
  scene.machine->guests["ci-runner-linux.1"].state = GuestState::off;
  scene.ask(1);
  scene.ask(5);
  scene.stage.run();
  CHECK(scene.told == std::vector<PictureState>{PictureState::off, PictureState::off});
  scene.machine->guests["ci-runner-linux.1"].state = GuestState::on;
  SUBCASE("libvirt refuses") { scene.machine->failing["shot"] = "no screen"; }
  SUBCASE("the disk is full") { scene.kept->trouble = "no space left"; }
  scene.ask(1);
  scene.stage.run();
  CHECK(scene.told.back() == PictureState::failed);
}

TEST_CASE("nobody waits for a hypervisor or a disk that hangs") {
  Scene scene;
  scene.publish({1});
  SUBCASE("the hypervisor") { scene.machine->silent.insert("shot"); }
  SUBCASE("the disk") { scene.kept->silent = true; }
  scene.ask(1);
  scene.stage.run();
  scene.pass(9s);
  CHECK(scene.told.empty());
  scene.pass(1s);
  CHECK(scene.told == std::vector<PictureState>{PictureState::failed});
  scene.machine->silent.clear();
  scene.kept->silent = false;
  scene.pass(11min);
  scene.ask(1);
  scene.stage.run();
  CHECK(scene.told.back() == PictureState::taken);
}

TEST_CASE("a camera that hangs keeps no round from beginning, and is asked nothing until it answers") {
  Scene scene;
  scene.publish({1});
  scene.machine->slow.insert("shot");
  scene.pass(5s);
  scene.machine->slow.clear();
  scene.publish({1, 2, 3});
  scene.pass(5s);
  CHECK(scene.kept->paths == std::vector<std::string>{"runners/2/screenshot.png", "runners/3/screenshot.png"});
  scene.pass(30s); // the picture has failed
  scene.pass(5s);
  scene.ask(1);
  scene.stage.run();
  CHECK(scene.told == std::vector<PictureState>{PictureState::failed});
  CHECK(scene.machine->count("shot ci-runner-linux.1") == 1);
  CHECK(scene.machine->count("list") == 0);
  scene.kept->paths.clear();
  scene.let_go();
  CHECK(scene.kept->paths.empty()); // too late
  scene.pass(5s);
  CHECK(scene.kept->paths.size() == 3);
}

TEST_CASE("a camera that never answers is asked again after some minutes") {
  Scene scene(1);
  scene.publish({1});
  scene.machine->silent.insert("shot");
  scene.pass(5s);
  scene.machine->silent.clear();
  scene.pass(9min);
  scene.pass(5s);
  CHECK(scene.shots() == 1);
  scene.pass(1min);
  scene.pass(5s);
  CHECK_FALSE(scene.kept->paths.empty());
}

TEST_CASE("a new interval counts at once") {
  Scene scene;
  scene.publish({1});
  caf::anon_send(scene.screenshots, pace_atom::value, domain::Duration(1s));
  scene.stage.run();
  for (int i = 0; i < 5; ++i)
    scene.pass(1s);
  CHECK(scene.shots() == 5);
}

TEST_CASE("a round that hangs is not overtaken by others") {
  Scene scene;
  scene.publish({1, 2, 3, 4, 5});
  scene.machine->silent.insert("shot");
  for (int i = 0; i < 5; ++i)
    scene.pass(5s);
  CHECK(scene.shots() == 2);
  CHECK(scene.listed->count("list") == 1);
}
