#include "actors/edge/store.hpp"
#include "actors/edge/store_schema.hpp"

#include "tests/support/child_process.hpp"
#include "tests/support/lacking.hpp"
#include "tests/support/store_samples.hpp"
#include "tests/support/temp_folder.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include <sched.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>

using namespace ci;
using namespace ci::test;
using edge::Store;
namespace fs = std::filesystem;
namespace ops = domain::store;

namespace {

std::string complaint_of(const fs::path& data) {
  try {
    Store store(data);
  } catch (const edge::StoreError& error) {
    return error.what();
  }
  return "opened";
}

int mode_of(const fs::path& path) {
  struct stat s {};
  stat(path.c_str(), &s);
  return s.st_mode & 0777;
}

/// A folder with a closed store of a few hundred runners.
class Filled : public TempFolder {
 public:
  Filled() {
    domain::StoreBatch batch;
    for (int i = 1; i <= 300; ++i)
      batch.push_back(ops::PutRunner{full_runner(i)});
    Store(path()).apply(batch);
  }
  fs::path file() const { return path() / "monitor.db"; }
  /// Refused with this in the message, and the file's bytes are as before.
  void check_refused(const std::string& words) const {
    auto before = read_file(file());
    CHECK_MESSAGE(complaint_of(path()).find(words) != std::string::npos, complaint_of(path()));
    CHECK(complaint_of(path()).find(file().string()) != std::string::npos);
    CHECK(read_file(file()) == before);
  }
};

void run_sql(const fs::path& file, const char* sql) {
  SQLite::Database(file.string(), SQLite::OPEN_READWRITE).exec(sql);
}

/// Gives every connection of this process an SQL function `die()`, which ends it as kill -9 would.
void let_sql_kill() {
  auto register_die = [](sqlite3* db, char**, const sqlite3_api_routines*) {
    auto die = [](sqlite3_context*, int, sqlite3_value**) { std::raise(SIGKILL); };
    return sqlite3_create_function(db, "die", 0, SQLITE_UTF8, nullptr, die, nullptr, nullptr);
  };
  sqlite3_auto_extension(reinterpret_cast<void (*)()>(+register_die));
}

/// The released scripts and one more.
std::vector<const char*> released_and(const char* script) {
  auto released = edge::schema::released();
  std::vector<const char*> result(released.begin(), released.end());
  result.push_back(script);
  return result;
}

int version_of(const fs::path& file) {
  return SQLite::Database(file.string()).execAndGet("PRAGMA user_version").getInt();
}

/// A closed store as a program of that format would have left it, with the rows of the closed store `now` as
/// far as it has room for them.
void write_in_format(int format, const fs::path& file, const fs::path& now) {
  SQLite::Database db(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  for (int version = 0; version < format; ++version)
    db.exec(edge::schema::released()[version]);
  db.exec("DELETE FROM next_id; ATTACH '" + now.string() + "' AS now");
  SQLite::Statement tables(
      db, "SELECT s.name, group_concat(c.name) FROM main.sqlite_master AS s, pragma_table_info(s.name) AS c "
          "WHERE s.type = 'table' AND s.name NOT LIKE 'sqlite_%' GROUP BY s.name");
  while (tables.executeStep()) {
    const std::string table = tables.getColumn(0), columns = tables.getColumn(1);
    db.exec("INSERT INTO main." + table + "(" + columns + ") SELECT " + columns + " FROM now." + table);
  }
  db.exec("PRAGMA main.application_id = " +
          std::to_string(db.execAndGet("PRAGMA now.application_id").getInt()));
  db.exec("PRAGMA main.user_version = " + std::to_string(format));
}

/// Where the child must not be root: another user's rights, if this one's are unlimited.
void become_nobody() {
  if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
    _exit(3);
}

} // namespace

TEST_CASE("the folder and the files are for their owner alone, whatever the umask") {
  TempFolder folder;
  auto old = umask(0);
  {
    Store store(folder.path() / "deep" / "data");
    store.apply({ops::PutRunner{full_runner(1)}});
    CHECK(mode_of(folder.path() / "deep" / "data") == 0700);
    for (auto* file : {"monitor.db", "monitor.db-wal", "monitor.db-shm", "monitor.lock"})
      CHECK_MESSAGE(mode_of(folder.path() / "deep" / "data" / file) == 0600, file);
  }
  umask(old);
}

TEST_CASE("a store that others may read is closed to them") {
  Filled folder;
  fs::permissions(folder.file(), fs::perms(0644));
  Store store(folder.path());
  CHECK(mode_of(folder.file()) == 0600);
}

TEST_CASE("a second process on the same folder is refused and told who holds it") {
  TempFolder folder;
  Store store(folder.path());
  auto said = in_child([&] { return complaint_of(folder.path()); });
  CHECK(said.find("in use by process " + std::to_string(getpid())) != std::string::npos);
  CHECK(said.find(folder.path().string()) != std::string::npos);
}

TEST_CASE("one process can't open a folder twice either, and a closed store is free") {
  TempFolder folder;
  {
    Store store(folder.path());
    CHECK(complaint_of(folder.path()).find("in use") != std::string::npos);
  }
  CHECK(complaint_of(folder.path()) == "opened");
}

TEST_CASE("the lock of a process that was killed is free") {
  TempFolder folder;
  ChattyChild child([&](int pipe) {
    Store store(folder.path());
    if (write(pipe, "x", 1) == 1)
      pause();
  });
  char ready;
  REQUIRE(child.read(ready));
  CHECK(complaint_of(folder.path()).find("process " + std::to_string(child.pid())) != std::string::npos);
  child.kill_now();
  CHECK(complaint_of(folder.path()) == "opened");
}

TEST_CASE("a store of a newer program is refused and not touched") {
  Filled folder;
  run_sql(folder.file(), "PRAGMA user_version = 99");
  folder.check_refused("newer ci-monitor (format 99");
}

TEST_CASE("somebody else's database is refused and not touched") {
  Filled folder;
  SUBCASE("another program's") { run_sql(folder.file(), "PRAGMA application_id = 5"); }
  SUBCASE("an empty database") {
    fs::remove(folder.file());
    SQLite::Database(folder.file().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
        .exec("CREATE TABLE t(a)");
  }
  folder.check_refused("not a store of ci-monitor");
}

TEST_CASE("a damaged store is refused and not touched") {
  Filled folder;
  auto bytes = read_file(folder.file());
  REQUIRE(bytes.size() > 50'000);
  SUBCASE("overwritten from the second page on") {
    std::memset(bytes.data() + 4096, 0xaa, bytes.size() - 4096);
  }
  SUBCASE("one page in the middle overwritten") { std::memset(bytes.data() + 4096 * 16, 0xaa, 4096); }
  SUBCASE("the beginning overwritten") { std::memset(bytes.data(), 0xaa, 100); }
  SUBCASE("cut in half") { bytes.resize(bytes.size() / 2); }
  SUBCASE("cut within the first page") { bytes.resize(1000); }
  SUBCASE("cut to nothing") { bytes.clear(); }
  SUBCASE("text") { bytes = "hello\n"; }
  write_file(folder.file(), bytes);
  folder.check_refused("is damaged");
  CHECK(complaint_of(folder.path()).find("Nothing was changed") != std::string::npos);
}

TEST_CASE("a log without its store is refused and not touched") {
  Filled folder;
  fs::remove(folder.file());
  write_file(folder.file().string() + "-wal", "log");
  CHECK(complaint_of(folder.path()).find("without monitor.db") != std::string::npos);
  CHECK(read_file(folder.file().string() + "-wal") == "log");
}

TEST_CASE("a store that was being made when the process died is made anew") {
  TempFolder folder;
  write_file(folder.path() / "monitor.db.new", "half");
  CHECK(complaint_of(folder.path()) == "opened");
  CHECK(!fs::exists(folder.path() / "monitor.db.new"));
}

TEST_CASE("a folder that can't be written is refused in plain words") {
  Filled folder;
  fs::permissions(folder.path(), fs::perms(0755));
  SUBCASE("the folder is read-only") { fs::permissions(folder.path(), fs::perms(0555)); }
  SUBCASE("the folder belongs to somebody else, and so do the files") {}
  SUBCASE("there is no such folder, and it can't be made") { fs::remove_all(folder.path() / "no"); }
  auto data = folder.path();
  if (geteuid() != 0)
    fs::permissions(data, fs::perms(0555));
  auto said = in_child([&] {
    become_nobody();
    return complaint_of(data) + "\n" + complaint_of(data / "no" / "data");
  });
  CHECK_MESSAGE(said.find("Permission denied") != std::string::npos, said);
  CHECK(said.find("can't write in the data folder " + data.string()) != std::string::npos);
  CHECK(said.find("can't make the folder " + (data / "no").string()) != std::string::npos);
  CHECK(said.find("must be able to write there") != std::string::npos);
  fs::permissions(data, fs::perms(0755));
}

TEST_CASE("a data path that is a file is refused") {
  TempFolder folder;
  write_file(folder.path() / "data", "");
  CHECK(complaint_of(folder.path() / "data").find("data: File exists") != std::string::npos);
}

TEST_CASE("the ids of an empty store begin above what an older system has used") {
  TempFolder folder;
  CHECK(edge::first_free_id(folder.path()) == 1);
  write_file(folder.path() / "last-runner-id", "41\n");
  CHECK(edge::first_free_id(folder.path()) == 42);
  for (auto* name : {"7", "57", "058", "abc", "60x", "-70", "9999999999999999999999"})
    fs::create_directories(folder.path() / "runners" / name);
  CHECK(edge::first_free_id(folder.path()) == 59);
  CHECK(Store(folder.path()).load().next_id == 59);
  CHECK(read_file(folder.path() / "last-runner-id") == "58");
}

TEST_CASE("the ids of an empty store begin above those of disks that are there") {
  TempFolder folder;
  auto data = folder.path() / "data", images = folder.path() / "images";
  CHECK(edge::first_free_id(data, images) == 1);
  fs::create_directories(images / "runner");
  for (const auto* name : {"7-base.img", "64-vars.fd", "x-base.img", "99", ".98-base.img.part"})
    write_file(images / "runner" / name, "");
  CHECK(edge::first_free_id(data, images) == 65);
  CHECK(edge::first_free_id(data) == 1);
  CHECK(Store(data, {}, images).load().next_id == 65);
}

TEST_CASE("the ids of a store rise above what an older system has used meanwhile") {
  TempFolder folder;
  Store(folder.path()).apply({ops::SetNextId{10}});
  write_file(folder.path() / "last-runner-id", "99");
  CHECK(Store(folder.path()).load().next_id == 100);
}

TEST_CASE("a last-runner-id that is no number stops an empty store, and warns of a store that knows better") {
  TempFolder folder;
  auto file = folder.path() / "last-runner-id";
  for (auto* text : {"", "x", "12 13", "1.5", "-3", "99999999999999999999"}) {
    write_file(file, text);
    CHECK_MESSAGE(complaint_of(folder.path()).find(file.string()) != std::string::npos, text);
    CHECK(!fs::exists(folder.path() / "monitor.db"));
  }
  fs::remove(file);
  Store(folder.path()).apply({ops::SetNextId{10}});
  write_file(file, "x");
  std::vector<std::string> warnings;
  CHECK(Store(folder.path(), [&](auto& text) { warnings.push_back(text); }).load().next_id == 10);
  CHECK(warnings.size() == 1);
  CHECK(read_file(file) == "9");
}

TEST_CASE("a full disk is an error that passes") {
  TempFolder folder;
  auto said = in_child([&]() -> std::string {
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=1m") != 0)
      return std::string("no small disk can be mounted here: ") + std::strerror(errno);
    Store store(folder.path());
    write_file(folder.path() / "ballast", std::string(2'000'000, 'x'));
    domain::StoreBatch batch{ops::PutRunner{full_runner(1)}, ops::SetNote{"n", std::string(100'000, 'y')}};
    std::string trouble;
    try {
      store.apply(batch);
    } catch (const edge::StoreError& error) {
      trouble = error.what();
    }
    fs::remove(folder.path() / "ballast");
    store.apply(batch);
    return trouble + (store.load().runners.size() == 1 ? "; then well" : "; then lost");
  });
  if (said.starts_with("no small disk"))
    lacking(said, "CI_MONITOR_NO_DISKS");
  else
    CHECK_MESSAGE((said.find("full") != std::string::npos && said.find("then well") != std::string::npos),
                  said);
}

TEST_CASE("G5: whatever was answered before kill -9 is there afterwards, each batch whole") {
  for (int round = 0; round < 4; ++round) {
    TempFolder folder;
    ChattyChild child([&](int pipe) {
      Store store(folder.path());
      for (std::int64_t i = 1;; ++i) {
        store.apply({ops::PutRunner{full_runner(i)}, ops::AppendHistory{{at(i), "made", i, "", ""}},
                     ops::SetNote{"last", std::to_string(i)}});
        if (write(pipe, &i, sizeof i) != sizeof i)
          return;
      }
    });
    std::int64_t answered = 0;
    while (answered < 50 + 170 * round && child.read(answered)) {
    }
    child.kill_now();
    while (child.read(answered)) {
    }
    REQUIRE(answered >= 50);
    Store store(folder.path());
    auto image = store.load();
    auto count = static_cast<std::int64_t>(image.runners.size());
    CHECK(count >= answered);
    CHECK(count <= answered + 1); // one may have been committed and not answered
    CHECK(image.runners.back() == full_runner(count));
    CHECK(image.notes.at(0).second == std::to_string(count));
    CHECK(static_cast<std::int64_t>(store.history(10'000).size()) == count);
    CHECK(image.next_id == count + 1);
  }
}

TEST_CASE("a store of each older format is brought up to date, and loses nothing") {
  TempFolder now;
  domain::StoreImage expected;
  {
    Store store(now.path());
    auto other = full_runner(2);
    other.started = false;
    store.apply({ops::PutRunner{full_runner(1)}, ops::PutRunner{other}, ops::PutRunner{bare_runner(3)},
                 ops::PutReservation{full_reservation("a")}, ops::PutReservation{bare_reservation("b")},
                 ops::PutImage{full_image("linux")}, ops::AppendHistory{{at(5), "made", 2, "linux", "so"}},
                 ops::SetNote{"key", "value"}, ops::SetNextId{50}});
    expected = store.load();
  }
  const auto newest = static_cast<int>(edge::schema::released().size());
  for (int format = 1; format < newest; ++format) {
    CAPTURE(format);
    TempFolder old;
    const auto file = old.path() / "monitor.db";
    write_in_format(format, file, now.path() / "monitor.db");
    REQUIRE(version_of(file) == format);
    {
      Store store(old.path());
      auto image = store.load();
      auto runners = expected.runners;
      for (auto& runner : runners)
        runner.started |= format < 3; // nobody knows, so it may have been
      CHECK(image.runners == runners);
      REQUIRE(image.reservations.size() == 2);
      for (std::size_t i = 0; i < 2; ++i)
        CHECK(same(image.reservations[i], expected.reservations[i]));
      CHECK(image.images == (format < 2 ? std::vector<domain::ImageRecord>{} : expected.images));
      CHECK(image.notes == expected.notes);
      CHECK(image.next_id == 50);
      auto history = store.history(10);
      REQUIRE(history.size() == 1);
      CHECK(history[0].detail == "so");
      store.apply({ops::PutRunner{full_runner(60)}, ops::PutImage{full_image("new")}});
    }
    CHECK(version_of(file) == newest);
    CHECK(Store(old.path()).load().runners.back() == full_runner(60));
  }
}

TEST_CASE("G5: a migration that is killed halfway has not begun, and the next start does it whole") {
  const std::string make = "CREATE TABLE more(runner INTEGER) STRICT; ", die = "SELECT die(); ",
                    fill = "INSERT INTO more SELECT id FROM runner; ", whole = make + fill;
  const auto released = static_cast<int>(edge::schema::released().size());
  for (auto& script : {die + make, make + die + fill, make + fill + "DELETE FROM runner; " + die}) {
    Filled folder;
    auto killed = released_and(script.c_str());
    const auto outcome = in_child([&]() -> std::string {
      let_sql_kill();
      edge::schema::open(folder.path(), killed);
      return "survived";
    });
    CHECK(outcome.empty());
    CHECK(version_of(folder.file()) == released);
    CHECK(Store(folder.path()).load().runners.size() == 300); // the older program still reads it
    auto migrations = released_and(whole.c_str());
    auto db = edge::schema::open(folder.path(), migrations);
    CHECK(db->execAndGet("SELECT count(*) FROM more").getInt() == 300);
    db.reset();
    CHECK(version_of(folder.file()) == released + 1);
    folder.check_refused("newer ci-monitor");
  }
}
