#include "actors/journal.hpp"

#include "tests/support/store_samples.hpp"
#include "tests/support/temp_folder.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <caf/scheduler/test_coordinator.hpp>
#include <doctest/doctest.h>

#include <functional>

using namespace ci;
using namespace ci::test;
namespace ops = domain::store;

namespace {

/// Stands in for the monitor: hears of the store's health.
class Watcher : public monitor_actor::base {
 public:
  Watcher(caf::actor_config& config, std::vector<StoreHealth>& heard)
      : monitor_actor::base(config), heard_(heard) {}
  behavior_type make_behavior() override {
    return {[](take_atom, const TicketPtr&, const domain::TakeRequest&) { return domain::TakeAnswer{}; },
            [](release_atom, const TicketPtr&, const std::string&) { return domain::ReleaseAnswer{}; },
            [](jit_atom, const TicketPtr&, const std::string&) { return domain::JitAnswer{}; },
            [](boot_atom, const TicketPtr&, const std::string&) { return domain::BootAnswer{}; },
            [](lever_atom, const TicketPtr&, const domain::Lever&) { return domain::LeverAnswer{}; },
            [](notice_atom, const NoticePtr&) {},
            [](guest_atom, const domain::GuestObservation&) {},
            [](host_atom, const HostConnection&) {},
            [this](store_atom, const StoreHealth& health) { heard_.push_back(health); },
            [](policy_atom, const domain::PolicyPtr&) {},
            [](token_atom) {},
            [](crank_atom, std::uint64_t) {},
            [](stop_atom) { return caf::unit; }};
  }

 private:
  std::vector<StoreHealth>& heard_;
};

/// Stands in for the metrics: keeps the names of what was timed.
class Stopwatch : public metrics_actor::base {
 public:
  Stopwatch(caf::actor_config& config, std::vector<std::string>& timed)
      : metrics_actor::base(config), timed_(timed) {}
  behavior_type make_behavior() override {
    return {[](count_atom, const std::string&, const MetricLabels&, double) {},
            [this](time_atom, const std::string& family, const MetricLabels&, double seconds) {
              timed_.push_back(seconds >= 0 ? family : "negative");
            },
            [](gauge_atom, const std::string&, const MetricLabels&, double) {}};
  }

 private:
  std::vector<std::string>& timed_;
};

/// Sends on its own behalf and keeps what came back, so that everything runs on the test's scheduler.
class Asker : public caf::event_based_actor {
 public:
  Asker(caf::actor_config& config, std::vector<std::string>& answers)
      : caf::event_based_actor(config), answers_(answers) {}
  caf::behavior make_behavior() override {
    return {[this](commit_atom, const journal_actor& journal, const domain::StoreBatch& batch,
                   const std::string& name) {
      request(journal, caf::infinite, commit_atom::value, batch)
          .then([this, name](caf::unit_t) { answers_.push_back(name); },
                [this, name](const caf::error&) { answers_.push_back(name + " failed"); });
    },
            [this](load_atom, const journal_actor& journal) {
              request(journal, caf::infinite, load_atom::value)
                  .then(
                      [this](const domain::StoreImage& image) {
                        answers_.push_back("loaded " + std::to_string(image.notes.size()));
                      },
                      [this](const caf::error&) { answers_.push_back("load failed"); });
            }};
  }

 private:
  std::vector<std::string>& answers_;
};

class Fixture {
 public:
  Fixture() : store_(std::make_shared<edge::Store>(folder.path())), system_(config_.testing()) {
    metrics_ = system_.spawn<Stopwatch>(timed);
    watcher_ = system_.spawn<Watcher>(heard);
    asker_ = system_.spawn<Asker>(answers);
    journal = system_.spawn<Journal>(std::make_shared<Meter>("journal"), store_, metrics_);
    caf::anon_send(journal, watch_atom::value, watcher_);
    run();
  }
  ~Fixture() {
    stop_journal();
    caf::anon_send_exit(metrics_, caf::exit_reason::kill);
    caf::anon_send_exit(watcher_, caf::exit_reason::kill);
    caf::anon_send_exit(asker_, caf::exit_reason::kill);
    run();
  }
  void stop_journal() {
    caf::anon_send_exit(journal, caf::exit_reason::user_shutdown);
    run();
  }
  void commit(domain::StoreBatch batch, const std::string& name) {
    caf::anon_send(asker_, commit_atom::value, journal, std::move(batch), name);
  }
  void load() { caf::anon_send(asker_, load_atom::value, journal); }
  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  }
  void run() { scheduler().run(); }
  void advance(int ms) {
    scheduler().advance_time(std::chrono::milliseconds(ms));
    run();
  }
  /// What is in the store, as another process sees it.
  std::string note(const std::string& key) {
    SQLite::Database db((folder.path() / "monitor.db").string());
    SQLite::Statement query(db, "SELECT value FROM note WHERE key=?");
    query.bind(1, key);
    return query.executeStep() ? query.getColumn(0).getString() : "";
  }
  /// From here on each commit that sets a note of this key fails, until allow().
  void forbid(const std::string& key) {
    sql("CREATE TRIGGER forbid BEFORE INSERT ON note WHEN NEW.key='" + key +
        "' BEGIN SELECT RAISE(ABORT,'no'); END");
  }
  void allow() { sql("DROP TRIGGER forbid"); }

  TempFolder folder;
  std::vector<StoreHealth> heard;
  std::vector<std::string> timed, answers;
  journal_actor journal;

 private:
  struct Config : caf::actor_system_config {
    Config& testing() {
      set("scheduler.policy", caf::atom("testing"));
      return *this;
    }
  };
  void sql(const std::string& text) {
    SQLite::Database((folder.path() / "monitor.db").string(), SQLite::OPEN_READWRITE).exec(text);
  }

  std::shared_ptr<edge::Store> store_;
  Config config_;
  caf::actor_system system_;
  metrics_actor metrics_;
  monitor_actor watcher_;
  caf::actor asker_;
};

domain::StoreBatch note_batch(const std::string& key, const std::string& value) {
  return {ops::SetNote{key, value}};
}
using Names = std::vector<std::string>;

} // namespace

TEST_CASE("a commit is answered when it is in the store, and its time is taken") {
  Fixture f;
  f.commit(note_batch("a", "1"), "first");
  f.run();
  CHECK(f.answers == Names{"first"});
  CHECK(f.note("a") == "1");
  CHECK(f.timed == Names{"ci_monitor_commit_seconds"});
  CHECK(f.heard.empty());
}

TEST_CASE("the image is loaded through the journal") {
  Fixture f;
  f.commit({ops::PutRunner{full_runner(4)}}, "runner");
  f.run();
  domain::StoreImage image;
  caf::scoped_actor self(f.journal.home_system());
  auto pending = self->request(f.journal, caf::infinite, load_atom::value);
  f.run();
  pending.receive([&](const domain::StoreImage& loaded) { image = loaded; }, [](const caf::error&) {});
  REQUIRE(image.runners.size() == 1);
  CHECK(image.runners[0] == full_runner(4));
  CHECK(image.next_id == 5);
}

TEST_CASE("batches that wait together share one transaction and are answered in their order") {
  Fixture f;
  Names expected;
  for (int i = 0; i < 10; ++i) {
    f.commit(note_batch("k", std::to_string(i)), std::to_string(i));
    expected.push_back(std::to_string(i));
  }
  f.run();
  CHECK(f.answers == expected);
  CHECK(f.note("k") == "9");
  CHECK(f.timed.size() < 10);
}

TEST_CASE("a failing commit is tried again until it succeeds, and those behind it wait in order") {
  Fixture f;
  f.forbid("bad");
  f.commit(note_batch("bad", "1"), "bad");
  f.commit(note_batch("good", "1"), "good");
  f.run();
  CHECK(f.answers.empty());
  CHECK(f.note("good").empty());
  REQUIRE(f.heard.size() == 1);
  CHECK(!f.heard[0].well);
  CHECK(f.heard[0].trouble.find("monitor.db") != std::string::npos);
  for (int i = 0; i < 20; ++i)
    f.advance(5'000);
  CHECK(f.answers.empty());
  CHECK(f.heard.size() == 1);
  f.allow();
  f.advance(5'000);
  CHECK(f.answers == Names{"bad", "good"});
  CHECK(f.note("bad") == "1");
  CHECK(f.note("good") == "1");
  REQUIRE(f.heard.size() == 2);
  CHECK(f.heard[1].well);
  CHECK(f.heard[1].trouble.empty());
}

TEST_CASE("nothing is loaded before everything that was ordered earlier is in the store") {
  Fixture f;
  f.forbid("bad");
  f.commit(note_batch("bad", "1"), "bad");
  f.commit(note_batch("good", "1"), "good");
  f.run();
  f.load();
  f.run();
  CHECK(f.answers == Names{"load failed"});
  f.allow();
  f.load();
  f.run();
  CHECK(f.answers == Names{"load failed", "bad", "good", "loaded 2"});
  CHECK(f.heard.size() == 1);
  f.advance(5'000);
  REQUIRE(f.heard.size() == 2);
  CHECK(f.heard[1].well);
}

TEST_CASE("the first pause is 100 ms, and pauses begin small again after a success") {
  for (int round = 0; round < 2; ++round) {
    Fixture f;
    for (int failure = 0; failure <= round; ++failure) {
      f.forbid("bad");
      f.commit(note_batch("bad", "1"), "bad");
      f.run();
      f.allow();
      f.advance(99);
      CHECK(f.answers.size() == static_cast<std::size_t>(failure));
      f.advance(1);
      CHECK(f.answers.size() == static_cast<std::size_t>(failure) + 1);
    }
  }
}

TEST_CASE("pauses double up to 5 s") {
  Fixture f;
  f.forbid("bad");
  f.commit(note_batch("bad", "1"), "bad");
  f.run();
  for (int pause : {100, 200, 400, 800, 1'600, 3'200, 5'000, 5'000})
    f.advance(pause);
  f.allow();
  f.advance(4'999);
  CHECK(f.answers.empty());
  f.advance(1);
  CHECK(f.answers == Names{"bad"});
}

TEST_CASE("batches in front of a bad one get through") {
  Fixture f;
  f.forbid("bad");
  for (auto* key : {"a", "b", "bad", "c"})
    f.commit(note_batch(key, "1"), key);
  f.run();
  for (int i = 0; i < 20; ++i)
    f.advance(5'000);
  CHECK(f.answers == Names{"a", "b"});
  CHECK(f.note("b") == "1");
  CHECK(f.note("c").empty());
}

TEST_CASE("a watcher that comes late hears of trouble at once") {
  Fixture f;
  f.forbid("bad");
  f.commit(note_batch("bad", "1"), "bad");
  f.run();
  std::vector<StoreHealth> late;
  auto watcher = f.journal.home_system().spawn<Watcher>(late);
  caf::anon_send(f.journal, watch_atom::value, watcher);
  f.run();
  REQUIRE(late.size() == 1);
  CHECK(!late[0].well);
  f.stop_journal();
  caf::anon_send_exit(watcher, caf::exit_reason::kill);
  f.run();
}

TEST_CASE("at its end the journal writes what it can") {
  Fixture f;
  f.forbid("bad");
  f.commit(note_batch("bad", "1"), "bad");
  f.run();
  f.allow();
  f.stop_journal();
  CHECK(f.answers == Names{"bad"});
  CHECK(f.note("bad") == "1");
}

TEST_CASE("at its end the journal answers what it can't write with an error") {
  Fixture f;
  f.forbid("bad");
  f.commit(note_batch("bad", "1"), "bad");
  f.commit(note_batch("good", "1"), "good");
  f.run();
  f.stop_journal();
  CHECK(f.answers == Names{"bad failed", "good failed"});
}

TEST_CASE("G9: deleted secrets are out of the log after 10 s") {
  Fixture f;
  auto runner = full_runner(1);
  runner.jit_config = "TOP-SECRET-TEXT";
  f.commit({ops::PutRunner{runner}}, "made");
  f.commit({ops::DropRunner{1}}, "dropped");
  f.run();
  auto log = f.folder.path() / "monitor.db-wal";
  CHECK(!read_file(log).empty());
  f.advance(10'000);
  CHECK(read_file(log).empty());
  CHECK(read_file(f.folder.path() / "monitor.db").find(runner.jit_config) == std::string::npos);
}

TEST_CASE("what is to be taken over comes with the store, and the older monitor's files go and its link is kept by it") {
  TempFolder folder;
  caf::actor_system_config config;
  caf::actor_system system{config};
  Names timed;
  auto metrics = system.spawn<Stopwatch>(timed);
  auto inherit = [] {
    domain::Inheritance left;
    left.disks = {7};
    return left;
  };
  journal_actor journal = system.spawn<Journal, caf::detached>(
      std::make_shared<Meter>("journal"), std::make_shared<edge::Store>(folder.path()), metrics, inherit);
  caf::scoped_actor self(system);
  std::optional<domain::Inheritance> left;
  auto patience = std::chrono::seconds(30);
  self->request(journal, patience, load_atom::value)
      .receive([&](domain::StoreImage& image) { left = image.inherited; }, [](const caf::error&) {});
  REQUIRE(left);
  CHECK(left->disks == std::set<domain::RunnerId>{7});
  std::filesystem::create_directories(folder.path() / "runners/7/any");
  ForgottenReply forgotten;
  self->request(journal, patience, forget_atom::value, domain::InheritedFiles{8, {}, {}})
      .receive([&](ForgottenReply& reply) { forgotten = reply; }, [](const caf::error&) {});
  CHECK(forgotten.all);
  CHECK_FALSE(std::filesystem::exists(folder.path() / "runners/7"));
  self->request(journal, patience, link_atom::value, std::string("linux"), std::string("A"))
      .receive([&](domain::HostReply& reply) { CHECK(reply.error == ""); }, [](const caf::error&) { FAIL("no answer"); });
  CHECK(std::filesystem::read_symlink(folder.path() / "profiles/linux/snapshot") == "A");
  for (auto handle : {caf::actor_cast<caf::actor>(journal), caf::actor_cast<caf::actor>(metrics)}) {
    caf::anon_send_exit(handle, caf::exit_reason::user_shutdown);
    self->wait_for(handle);
  }
}

TEST_CASE("as the daemon spawns it, in a thread of its own, it commits and ends") {
  TempFolder folder;
  Names timed;
  caf::actor_system_config config;
  caf::actor_system system{config};
  auto metrics = system.spawn<Stopwatch>(timed);
  journal_actor journal = system.spawn<Journal, caf::detached>(
      std::make_shared<Meter>("journal"), std::make_shared<edge::Store>(folder.path()), metrics);
  caf::scoped_actor self(system);
  auto committed = false;
  self->request(journal, std::chrono::seconds(30), commit_atom::value, note_batch("a", "1"))
      .receive([&](caf::unit_t) { committed = true; }, [](const caf::error&) {});
  CHECK(committed);
  caf::anon_send_exit(journal, caf::exit_reason::user_shutdown);
  self->wait_for(journal);
  caf::anon_send_exit(metrics, caf::exit_reason::user_shutdown);
  CHECK(edge::Store(folder.path()).load().notes.size() == 1);
}
