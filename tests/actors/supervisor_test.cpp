/// Who is begun anew when an actor dies, when, and when that ends.
#include "actors/supervisor.hpp"
#include "tests/support/fake_host.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

using namespace ci;
using namespace std::chrono_literals;

namespace {

using Strings = std::vector<std::string>;

/// Lives until it is told to end; one that is stubborn does not even then.
class Sleeper : public caf::event_based_actor {
 public:
  Sleeper(caf::actor_config& config, bool stubborn) : caf::event_based_actor(config) {
    if (stubborn)
      set_exit_handler([](caf::exit_msg& message) { (void)message; });
  }
  caf::behavior make_behavior() override {
    return {[](int) {}};
  }
};

/// metrics <- store <- monitor -> github, and a door that needs nobody.
struct Cast {
  test::Stage stage;
  std::map<std::string, std::vector<caf::actor>> begun; ///< every life of each actor
  Strings order, endings, restarted, given_up;
  std::set<std::string> stubborn;
  bool can_spawn = true;
  Supervision setup;
  supervisor_actor supervisor;

  Cast() {
    setup.roles = {role("metrics", {}, {}), role("store", {"metrics"}, {}), role("github", {}, {}),
                   role("monitor", {"store", "github"}, {"github"}), role("door", {}, {})};
    setup.restarted = [this](const std::string& actor) { restarted.push_back(actor); };
    setup.give_up = [this](const std::string& why) { given_up.push_back(why); };
  }
  ~Cast() {
    stubborn.clear();
    for (auto& [name, lives] : begun)
      for (auto& life : lives)
        caf::anon_send_exit(life, caf::exit_reason::kill);
    caf::anon_send_exit(supervisor, caf::exit_reason::kill);
    begun.clear();
    stage.run();
  }

  Role role(const std::string& name, Strings needs, Strings along) {
    return {name, std::move(needs), std::move(along),
            [this, name]() -> std::vector<Role::Member> {
              if (!can_spawn)
                throw std::runtime_error("no room");
              order.push_back(name);
              caf::actor actor = stage.system.spawn<Sleeper>(stubborn.count(name) > 0);
              begun[name].push_back(actor);
              return {{name, actor}};
            },
            [this, name] { endings.push_back(name); }};
  }
  void start() {
    supervisor = stage.system.spawn<Supervisor>(std::make_shared<Meter>("supervisor"), setup);
    stage.run();
    order.clear();
  }
  void kill(const std::string& name) {
    caf::anon_send_exit(begun.at(name).back(), caf::exit_reason::kill);
    stage.run();
  }
  bool alive(const caf::actor& actor) {
    caf::scoped_actor self{stage.system};
    self->monitor(actor);
    bool down = false;
    self->receive([&](caf::down_msg&) { down = true; }, caf::after(0ms) >> [] {});
    return !down;
  }
};

} // namespace

TEST_CASE("everyone is begun in order, and one that dies is begun anew after a pause") {
  Cast c;
  c.supervisor = c.stage.system.spawn<Supervisor>(std::make_shared<Meter>("supervisor"), c.setup);
  c.stage.run();
  CHECK(c.order == Strings{"metrics", "store", "github", "monitor", "door"});
  c.order.clear();
  c.kill("door");
  CHECK(c.order.empty());
  c.stage.pass(99ms);
  CHECK(c.order.empty());
  c.stage.pass(1ms);
  CHECK(c.order == Strings{"door"});
  CHECK(c.restarted == Strings{"door"});
  CHECK(c.alive(c.begun["monitor"].back()));
}

TEST_CASE("whoever holds a handle of it goes with it, the last in the list first") {
  Cast c;
  c.start();
  c.kill("store");
  // The monitor needs the store; GitHub's calls for it must not outlive it.
  CHECK(c.endings == Strings{"monitor", "github", "store"});
  c.stage.pass(100ms);
  CHECK(c.order == Strings{"store", "github", "monitor"});
  CHECK(c.begun["door"].size() == 1);
  CHECK(c.begun["metrics"].size() == 1);
  for (auto* name : {"store", "github", "monitor"})
    CHECK_FALSE(c.alive(c.begun[name].front()));
}

TEST_CASE("any of them may die at any time") {
  for (auto* name : {"metrics", "store", "github", "monitor", "door"}) {
    Cast c;
    c.start();
    c.kill(name);
    c.stage.pass(100ms);
    CHECK_MESSAGE(c.begun[name].size() == 2, name);
    CHECK_MESSAGE(c.alive(c.begun[name].back()), name);
    CHECK(c.given_up.empty());
  }
}

TEST_CASE("another death during the pause begins all of them anew, once") {
  Cast c;
  c.start();
  c.kill("store");
  c.stage.pass(50ms);
  c.kill("metrics");
  c.kill("door");
  c.stage.pass(10s);
  for (auto& [name, lives] : c.begun)
    CHECK(lives.size() == 2);
}

TEST_CASE("nothing is begun before the last one of an earlier life has ended") {
  Cast c;
  c.stubborn = {"github"};
  c.start();
  c.kill("monitor");
  c.stage.pass(44s);
  CHECK(c.order.empty());
  c.stubborn.clear();
  c.kill("github"); // now it ends
  CHECK(c.order == Strings{"github", "monitor"});
  CHECK(c.given_up.empty());
}

TEST_CASE("one that does not end at all is given up, and the process with it") {
  Cast c;
  c.stubborn = {"github"};
  c.start();
  c.kill("monitor");
  c.stage.pass(45s);
  REQUIRE(c.given_up.size() == 1);
  CHECK(c.given_up[0].find("github") != std::string::npos);
}

TEST_CASE("pauses double while deaths follow each other, and ten in a row are enough") {
  Cast c;
  c.start();
  domain::Duration pause = 100ms;
  for (int i = 0; i < 10; ++i) {
    c.kill("door");
    c.stage.pass(pause - 1ms);
    CHECK(c.order.size() == static_cast<std::size_t>(i));
    c.stage.pass(1ms);
    CHECK(c.order.size() == static_cast<std::size_t>(i + 1));
    pause = std::min<domain::Duration>(pause * 2, 10s);
  }
  CHECK(c.given_up.empty());
  c.kill("door");
  CHECK(c.given_up.size() == 1);
  c.stage.pass(60s);
  CHECK(c.order.size() == 10);
}

TEST_CASE("deaths that are far apart are no row") {
  Cast c;
  c.start();
  for (int i = 0; i < 30; ++i) {
    c.kill("door");
    c.stage.pass(61s);
  }
  CHECK(c.order.size() == 30);
  CHECK(c.given_up.empty());
}

TEST_CASE("one that can't be begun again ends the process") {
  Cast c;
  c.start();
  c.can_spawn = false;
  c.kill("door");
  c.stage.pass(100ms);
  REQUIRE(c.given_up.size() == 1);
  CHECK(c.given_up[0].find("no room") != std::string::npos);
}

TEST_CASE("at the end everyone is ended, the last in the list first, and nobody is begun anew") {
  Cast c;
  c.start();
  c.kill("store");
  caf::scoped_actor self{c.stage.system};
  bool ended = false;
  auto answer = self->request(c.supervisor, caf::infinite, end_all_atom::value);
  c.stage.run();
  answer.receive([&](caf::unit_t) { ended = true; }, [](const caf::error&) {});
  CHECK(ended);
  c.stage.pass(60s);
  CHECK(c.order.empty());
  CHECK(c.endings == Strings{"monitor", "github", "store", "door", "metrics"});
}

TEST_CASE("an armed death point kills the named actor at the named message, once") {
  DeathPoint point("monitor:take:2,journal:commit");
  CHECK(point.armed());
  CHECK_FALSE(point.reached("monitor", "take"));
  CHECK_FALSE(point.reached("monitor", "boot"));
  CHECK(point.reached("monitor", "take"));
  CHECK_FALSE(point.reached("monitor", "take"));
  CHECK(point.reached("journal", "commit"));
  CHECK_FALSE(DeathPoint(nullptr).armed());
  CHECK_FALSE(DeathPoint("").armed());
}
