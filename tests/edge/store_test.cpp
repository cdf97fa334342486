#include "actors/edge/store.hpp"

#include "tests/support/store_samples.hpp"
#include "tests/support/temp_folder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>

#include <sys/resource.h>

using namespace ci;
using namespace ci::test;
using edge::Store;
namespace ops = domain::store;

namespace {

domain::StoreImage reopened(const TempFolder& folder) { return Store(folder.path()).load(); }

domain::StoreBatch put(const domain::RunnerRecord& runner) { return {ops::PutRunner{runner}}; }

/// Whether any file of the folder holds these bytes.
bool on_disk(const TempFolder& folder, const std::string& bytes) {
  for (auto& entry : std::filesystem::directory_iterator(folder.path()))
    if (entry.is_regular_file() && read_file(entry.path()).find(bytes) != std::string::npos)
      return true;
  return false;
}

/// Files of this process can't grow beyond so many bytes for as long as this lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &old_);
    rlimit now{bytes, old_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_{};
  void (*old_handler_)(int);
};

} // namespace

TEST_CASE("a new store is empty and its ids begin at 1") {
  TempFolder folder;
  auto image = Store(folder.path()).load();
  CHECK(image.runners.empty());
  CHECK(image.reservations.empty());
  CHECK(image.notes.empty());
  CHECK(image.next_id == 1);
}

TEST_CASE("every field of a runner comes back after a restart") {
  TempFolder folder;
  Store(folder.path()).apply({ops::PutRunner{full_runner(7)}, ops::PutRunner{bare_runner(3)}});
  auto image = reopened(folder);
  REQUIRE(image.runners.size() == 2);
  CHECK(image.runners[0] == bare_runner(3));
  CHECK(image.runners[1] == full_runner(7));
}

TEST_CASE("every phase of a runner comes back") {
  TempFolder folder;
  using domain::Phase;
  for (auto phase : {Phase::creating, Phase::live, Phase::destroying, Phase::gone}) {
    auto runner = bare_runner(1);
    runner.phase = phase;
    Store(folder.path()).apply(put(runner));
    CHECK(reopened(folder).runners.at(0).phase == phase);
  }
}

TEST_CASE("a value that has no word is refused, and nothing of its batch is written") {
  TempFolder folder;
  Store store(folder.path());
  auto runner = bare_runner(2);
  runner.phase = static_cast<domain::Phase>(77);
  CHECK_THROWS_AS(store.apply({ops::PutRunner{bare_runner(1)}, ops::PutRunner{runner}}), edge::StoreError);
  CHECK(store.load().runners.empty());
}

TEST_CASE("G3: every field of a reservation comes back after a restart, its slots in their order") {
  TempFolder folder;
  Store(folder.path())
      .apply({ops::PutReservation{full_reservation("b")}, ops::PutReservation{bare_reservation("a")}});
  auto image = reopened(folder);
  REQUIRE(image.reservations.size() == 2);
  CHECK(same(image.reservations[0], bare_reservation("a")));
  CHECK(same(image.reservations[1], full_reservation("b")));
}

TEST_CASE("every phase of a reservation comes back") {
  TempFolder folder;
  using domain::ReservationPhase;
  for (auto phase : {ReservationPhase::pending, ReservationPhase::undoing, ReservationPhase::granted,
                     ReservationPhase::releasing, ReservationPhase::ended}) {
    auto reservation = full_reservation("x");
    reservation.phase = phase;
    Store(folder.path()).apply({ops::PutReservation{reservation}});
    CHECK(same(reopened(folder).reservations.at(0), reservation));
  }
}

TEST_CASE("writing a row again replaces all of it") {
  TempFolder folder;
  Store store(folder.path());
  store.apply({ops::PutRunner{full_runner(1)}, ops::PutReservation{full_reservation("x")}});
  auto reservation = bare_reservation("x");
  reservation.slots = {{4, domain::SlotState::finished}};
  store.apply({ops::PutRunner{bare_runner(1)}, ops::PutReservation{reservation}});
  auto image = store.load();
  REQUIRE(image.runners.size() == 1);
  CHECK(image.runners[0] == bare_runner(1));
  REQUIRE(image.reservations.size() == 1);
  CHECK(same(image.reservations[0], reservation));
}

TEST_CASE("what is dropped is gone with its slots and secrets, and nothing else is") {
  TempFolder folder;
  Store store(folder.path());
  store.apply({ops::PutRunner{full_runner(1)}, ops::PutRunner{full_runner(2)},
               ops::PutReservation{full_reservation("x")}, ops::PutReservation{full_reservation("y")}});
  store.apply(
      {ops::DropRunner{1}, ops::DropReservation{"x"}, ops::DropRunner{99}, ops::DropReservation{"z"}});
  // A reservation of the same name begins without the old slots.
  store.apply({ops::PutReservation{bare_reservation("x")}});
  auto image = store.load();
  REQUIRE(image.runners.size() == 1);
  CHECK(image.runners[0] == full_runner(2));
  REQUIRE(image.reservations.size() == 2);
  CHECK(same(image.reservations[0], bare_reservation("x")));
  CHECK(same(image.reservations[1], full_reservation("y")));
}

TEST_CASE("text may hold any bytes") {
  TempFolder folder;
  Store store(folder.path());
  auto runner = bare_runner(1);
  runner.reason = std::string("a\0b\xff'\"\n", 7);
  runner.jit_config = std::string("\0\0", 2);
  store.apply(put(runner));
  CHECK(store.load().runners.at(0) == runner);
}

TEST_CASE("ids never go backwards") {
  TempFolder folder;
  {
    Store store(folder.path());
    store.apply({ops::SetNextId{10}});
    CHECK(store.load().next_id == 10);
    store.apply({ops::SetNextId{4}});
    CHECK(store.load().next_id == 10);
    store.apply(put(bare_runner(11)));
    CHECK(store.load().next_id == 12);
    store.apply({ops::DropRunner{11}});
    CHECK(store.load().next_id == 12);
  }
  CHECK(reopened(folder).next_id == 12);
}

TEST_CASE("the highest id handed out stands in last-runner-id after each commit") {
  TempFolder folder;
  Store store(folder.path());
  CHECK(!std::filesystem::exists(folder.path() / "last-runner-id"));
  store.apply({ops::SetNextId{10}});
  CHECK(read_file(folder.path() / "last-runner-id") == "9");
  store.apply(put(bare_runner(30)));
  CHECK(read_file(folder.path() / "last-runner-id") == "30");
}

TEST_CASE("a last-runner-id that can't be written is a warning, once, and the commit stands") {
  TempFolder folder;
  std::vector<std::string> warnings;
  Store store(folder.path(), [&](const std::string& text) { warnings.push_back(text); });
  std::filesystem::create_directory(folder.path() / "last-runner-id.new");
  store.apply({ops::SetNextId{10}});
  store.apply({ops::SetNextId{11}});
  CHECK(warnings.size() == 1);
  CHECK(store.load().next_id == 11);
  std::filesystem::remove(folder.path() / "last-runner-id.new");
  store.apply({ops::SetNextId{12}});
  CHECK(read_file(folder.path() / "last-runner-id") == "11");
}

TEST_CASE("notes are set, replaced and deleted") {
  TempFolder folder;
  Store store(folder.path());
  store.apply({ops::SetNote{"b", "1"}, ops::SetNote{"a", "2"}, ops::SetNote{"c", "3"}});
  store.apply({ops::SetNote{"b", "4"}, ops::SetNote{"c", ""}, ops::SetNote{"d", ""}});
  using Notes = std::vector<std::pair<std::string, std::string>>;
  CHECK(store.load().notes == Notes{{"a", "2"}, {"b", "4"}});
}

TEST_CASE("a jump of the clock moves every stored time, but not the history") {
  TempFolder folder;
  Store store(folder.path());
  store.apply({ops::PutRunner{full_runner(1)}, ops::PutRunner{bare_runner(2)},
               ops::PutReservation{full_reservation("x")}, ops::PutReservation{bare_reservation("y")},
               ops::AppendHistory{{at(5), "e", 1, "p", "d"}}});
  domain::Duration by(-250);
  store.apply({ops::ShiftTimes{by}});
  auto image = store.load();
  auto runner = full_runner(1);
  for (auto* time : {&*runner.jit_served_at, &*runner.online_at, &*runner.ended_at, &runner.created_at})
    *time += by;
  CHECK(image.runners[0] == runner);
  CHECK(!image.runners[1].online_at);
  CHECK(image.runners[1].created_at == at(-250));
  auto reservation = full_reservation("x");
  for (auto* time :
       {&*reservation.granted_at, &*reservation.deadline, &*reservation.ended_at, &reservation.created_at})
    *time += by;
  CHECK(same(image.reservations[0], reservation));
  CHECK(!image.reservations[1].deadline);
  CHECK(store.history(1).at(0).at == at(5));
}

TEST_CASE("history comes back newest first and is pruned by age") {
  TempFolder folder;
  Store store(folder.path());
  for (int i = 1; i <= 5; ++i)
    store.apply({ops::AppendHistory{{at(i * 100), "event" + std::to_string(i), i, "linux", "detail"}}});
  auto history = store.history(2);
  REQUIRE(history.size() == 2);
  CHECK(history[0].event == "event5");
  CHECK(history[0].at == at(500));
  CHECK(history[0].runner == 5);
  CHECK(history[0].profile == "linux");
  CHECK(history[0].detail == "detail");
  store.apply({ops::PruneHistory{at(300)}});
  CHECK(store.history(10).size() == 3);
}

TEST_CASE("G12: history has a highest number of lines") {
  TempFolder folder;
  Store store(folder.path());
  domain::StoreBatch batch;
  for (int i = 0; i < edge::max_history_rows + 50; ++i)
    batch.push_back(ops::AppendHistory{{at(i), "e", i, "", ""}});
  store.apply(batch);
  auto history = store.history(static_cast<std::size_t>(edge::max_history_rows) * 2);
  CHECK(history.size() == edge::max_history_rows);
  CHECK(history.front().runner == edge::max_history_rows + 49);
  CHECK(history.back().runner == 50);
}

TEST_CASE("several batches share a transaction, in their order") {
  TempFolder folder;
  Store store(folder.path());
  domain::StoreBatch first{ops::SetNote{"k", "1"}}, second{ops::SetNote{"k", "2"}};
  store.apply_all({&first, &second});
  CHECK(store.load().notes.at(0).second == "2");
  store.apply_all({});
  store.apply(domain::StoreBatch{});
}

TEST_CASE("a disk that takes no more fails the whole batch, and the same batch succeeds later") {
  TempFolder folder;
  Store store(folder.path());
  store.apply(put(bare_runner(1)));
  domain::StoreBatch batch{ops::PutRunner{full_runner(2)}, ops::SetNote{"big", std::string(400'000, 'x')},
                           ops::AppendHistory{{at(1), "e", 2, "", ""}}, ops::SetNextId{50}};
  {
    FileSizeLimit limit(200'000);
    for (int i = 0; i < 3; ++i)
      CHECK_THROWS_WITH_AS(store.apply(batch), doctest::Contains("monitor.db"), edge::StoreError);
    auto image = store.load();
    CHECK(image.runners.size() == 1);
    CHECK(image.notes.empty());
    CHECK(image.next_id == 2);
    CHECK(read_file(folder.path() / "last-runner-id") == "1");
  }
  store.apply(batch);
  auto image = store.load();
  CHECK(image.runners.size() == 2);
  CHECK(image.next_id == 50);
  CHECK(store.history(10).size() == 1);
}

TEST_CASE("G9: a secret that was deleted is gone from the disk") {
  TempFolder folder;
  Store store(folder.path());
  store.tidy();
  CHECK(!store.needs_tidying());
  std::string secret = "TOP-SECRET-";
  for (int i = 0; i < 1'000; ++i)
    secret += "0123456789"; // spans several pages
  auto probe = std::string("TOP-SECRET-0123"), tail = std::string("567890123456789");
  auto runner = full_runner(1);
  runner.jit_config = secret;
  store.apply(put(runner));
  REQUIRE(on_disk(folder, probe));
  SUBCASE("by an update, out of the log") { runner.jit_config.clear(); }
  SUBCASE("by an update, out of the main file") {
    store.tidy();
    REQUIRE(on_disk(folder, probe));
    runner.jit_config.clear();
  }
  SUBCASE("by another one") { runner.jit_config = "other"; }
  CHECK(!store.needs_tidying());
  store.apply(put(runner));
  CHECK(store.needs_tidying());
  store.tidy();
  CHECK(!store.needs_tidying());
  CHECK(!on_disk(folder, probe));
  CHECK(!on_disk(folder, tail));
  CHECK(store.load().runners.at(0) == runner);
}

TEST_CASE("G9: the secret of a forgotten runner is gone from the disk") {
  TempFolder folder;
  Store store(folder.path());
  auto runner = full_runner(1);
  runner.jit_config = "TOP-SECRET";
  store.apply(put(runner));
  store.apply({ops::DropRunner{1}});
  store.tidy();
  CHECK(!on_disk(folder, "TOP-SECRET"));
}

TEST_CASE("an image is read as it was written, moves with the clock, and is forgotten") {
  TempFolder folder;
  {
    Store store(folder.path());
    auto changed = full_image("linux");
    changed.phase = ci::domain::ImagePhase::building;
    store.apply({ops::PutImage{changed}, ops::PutImage{full_image("other")}});
    store.apply({ops::PutImage{full_image("linux")}, ops::ShiftTimes{domain::Duration(5)}});
  }
  Store store(folder.path());
  auto images = store.load().images;
  REQUIRE(images.size() == 2);
  auto expected = full_image("linux");
  expected.ordered_at += domain::Duration(5);
  CHECK(images[0] == expected);
  store.apply({ops::DropImage{expected.template_guest}});
  CHECK(store.load().images.size() == 1);
}
