#include "actors/edge/store_schema.hpp"

#include "actors/edge/crash_point.hpp"
#include "actors/edge/data_folder.hpp"

#include <sqlite3.h>

#include <string>

namespace ci::edge::schema {
namespace fs = std::filesystem;
namespace {

/// Marks the file as a store of this program ("ciMo").
constexpr int application_id = 0x63694d6f;
/// How long a commit waits for somebody who looks into the file with another program; the journal tries again
/// anyway.
constexpr int busy_timeout_ms = 500;

/// Scripts that were released are never changed. Times are
/// milliseconds since 1970, enums are words. There is no constraint that a value of domain/ could break: a
/// commit that can never succeed would hold up all those behind it.
constexpr const char* released_scripts[] = {
    R"(
CREATE TABLE runner(
  id INTEGER PRIMARY KEY,
  profile TEXT NOT NULL,
  guest_name TEXT NOT NULL,
  registration_name TEXT NOT NULL,
  uuid TEXT NOT NULL,
  mac TEXT NOT NULL,
  template_guest TEXT NOT NULL,
  held_hugepages_1g INTEGER NOT NULL,
  held_memory_bytes INTEGER NOT NULL,
  phase TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  registration_id INTEGER,
  registration_ended INTEGER NOT NULL,
  jit_served_at INTEGER,
  jit_fetches INTEGER NOT NULL,
  online_at INTEGER,
  busy_seen INTEGER NOT NULL,
  guest_removed INTEGER NOT NULL,
  spoiled INTEGER NOT NULL,
  reason TEXT NOT NULL,
  ended_at INTEGER) STRICT;
CREATE TABLE secret(
  runner INTEGER PRIMARY KEY REFERENCES runner ON DELETE CASCADE,
  jit_config TEXT NOT NULL) STRICT;
CREATE TABLE reservation(
  unique_id TEXT PRIMARY KEY,
  unique_id_spelt TEXT NOT NULL,
  profile TEXT NOT NULL,
  qualified_repo TEXT NOT NULL,
  run_id INTEGER NOT NULL,
  count INTEGER NOT NULL,
  minimum INTEGER NOT NULL,
  phase TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  granted_at INTEGER,
  deadline INTEGER,
  ended_at INTEGER,
  released INTEGER NOT NULL) STRICT;
CREATE TABLE slot(
  unique_id TEXT NOT NULL REFERENCES reservation ON DELETE CASCADE,
  position INTEGER NOT NULL,
  runner INTEGER NOT NULL,
  state TEXT NOT NULL,
  PRIMARY KEY(unique_id, position)) STRICT;
CREATE TABLE note(
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL) STRICT;
CREATE TABLE history(
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  event TEXT NOT NULL,
  runner INTEGER NOT NULL,
  profile TEXT NOT NULL,
  detail TEXT NOT NULL) STRICT;
CREATE INDEX history_at ON history(at);
CREATE TABLE next_id(
  id INTEGER NOT NULL) STRICT;
INSERT INTO next_id VALUES(1);
)",
    R"(
CREATE TABLE image(
  template_guest TEXT PRIMARY KEY,
  profile TEXT NOT NULL,
  snapshot TEXT NOT NULL,
  rebuild_guest TEXT NOT NULL,
  uuid TEXT NOT NULL,
  mac TEXT NOT NULL,
  disk_target TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  held_hugepages_1g INTEGER NOT NULL,
  held_memory_bytes INTEGER NOT NULL,
  phase TEXT NOT NULL,
  ordered_at INTEGER NOT NULL,
  trial_runner INTEGER NOT NULL,
  reason TEXT NOT NULL) STRICT;
)",
    "ALTER TABLE runner ADD COLUMN started INTEGER NOT NULL DEFAULT 1;",
};

fs::path store_file(const fs::path& data) { return data / "monitor.db"; }

[[noreturn]] void refuse_damaged(const fs::path& file, const std::string& detail) {
  throw StoreError(
      file.string() + " is damaged (" + detail +
      "). Nothing was changed or deleted. Copy monitor.db, monitor.db-wal and monitor.db-shm to a safe "
      "place, then put a backup in their place, or try `sqlite3 monitor.db .recover` on the copy; without "
      "the three files the monitor begins with an empty store");
}

int read_int(SQLite::Database& db, const char* pragma) { return db.execAndGet(pragma).getInt(); }

void check_integrity(SQLite::Database& db, const fs::path& file) {
  std::string found = db.execAndGet("PRAGMA quick_check(1)").getString();
  if (found != "ok")
    refuse_damaged(file, found.substr(0, 200));
}

int newest(Migrations migrations) { return static_cast<int>(migrations.size()); }

void check_origin(SQLite::Database& db, const fs::path& file, Migrations migrations) {
  if (read_int(db, "PRAGMA application_id") != application_id)
    throw StoreError(file.string() + " is not a store of ci-monitor; move it away, or set another "
                                     "SERVO_CI_MONITOR_DATA_PATH");
  auto version = read_int(db, "PRAGMA user_version");
  if (version > newest(migrations))
    throw StoreError(file.string() + " was written by a newer ci-monitor (format " + std::to_string(version) +
                     ", this one knows up to " + std::to_string(newest(migrations)) +
                     "): start the newer program, or put back the backup made before the upgrade");
}

void migrate(SQLite::Database& db, Migrations migrations) {
  CrashPoint crash;
  for (auto version = read_int(db, "PRAGMA user_version"); version < newest(migrations); ++version) {
    SQLite::Transaction transaction(db, SQLite::TransactionBehavior::IMMEDIATE);
    db.exec(migrations[version]);
    db.exec("PRAGMA user_version = " + std::to_string(version + 1));
    crash.reached("migrate", "order");
    transaction.commit();
    crash.reached("migrate", "answer");
  }
}

void keep_log_on_close(SQLite::Database& db, bool keep) {
  sqlite3_db_config(db.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep ? 1 : 0, nullptr);
}

void set_up(SQLite::Database& db, const fs::path& file) {
  std::string mode = db.execAndGet("PRAGMA journal_mode = WAL").getString();
  if (mode != "wal")
    throw StoreError(file.string() + " can't be kept with a write-ahead log (mode " + mode +
                     "): the data folder must be on a local file system");
  // A commit is answered once it is on disk: the answer to a client may follow it at once.
  db.exec("PRAGMA synchronous = FULL");
  db.exec("PRAGMA foreign_keys = ON");
  // Deleted secrets are overwritten, not merely unlinked.
  db.exec("PRAGMA secure_delete = ON");
}

bool damaged(const SQLite::Exception& error) {
  return error.getErrorCode() == SQLITE_CORRUPT || error.getErrorCode() == SQLITE_NOTADB;
}

} // namespace

Migrations released() { return released_scripts; }

bool exists(const fs::path& data) {
  std::error_code error;
  auto file = store_file(data);
  if (fs::exists(file, error))
    return true;
  // SQLite would write an orphaned log into a new store.
  if (auto log = fs::path(file.string() + "-wal"); fs::exists(log, error))
    throw StoreError(log.string() +
                     " is there without monitor.db: put monitor.db back beside it, or move both away "
                     "to begin with an empty store");
  if (error)
    throw StoreError("can't look for " + file.string() + ": " + error.message());
  return false;
}

// Under another name first: a store that is there but empty has then lost its contents, and is refused.
void create(const fs::path& data, domain::RunnerId next_id) {
  auto draft = data / "monitor.db.new";
  try {
    for (const auto* suffix : {"", "-journal"})
      fs::remove(draft.string() + suffix);
    create_private_file(draft);
    {
      SQLite::Database db(draft.string(), SQLite::OPEN_READWRITE, busy_timeout_ms);
      db.exec("PRAGMA application_id = " + std::to_string(application_id));
      migrate(db, released());
      db.exec("UPDATE next_id SET id = " + std::to_string(next_id));
    }
    fs::rename(draft, store_file(data));
  } catch (const SQLite::Exception& error) {
    throw StoreError("can't create " + store_file(data).string() + ": " + error.what());
  } catch (const fs::filesystem_error& error) {
    throw StoreError("can't create " + store_file(data).string() + ": " + error.code().message());
  }
  sync_folder(data);
}

std::unique_ptr<SQLite::Database> open(const fs::path& data, Migrations migrations) {
  auto file = store_file(data);
  std::error_code error;
  if (fs::file_size(file, error) == 0 && !error)
    refuse_damaged(file, "the file is empty");
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write, error);
  try {
    auto db = std::make_unique<SQLite::Database>(file.string(), SQLite::OPEN_READWRITE, busy_timeout_ms);
    keep_log_on_close(*db, true);
    check_origin(*db, file, migrations);
    check_integrity(*db, file);
    keep_log_on_close(*db, false);
    set_up(*db, file);
    migrate(*db, migrations);
    return db;
  } catch (const SQLite::Exception& failure) {
    if (damaged(failure))
      refuse_damaged(file, failure.what());
    throw StoreError("can't open " + file.string() + ": " + failure.what());
  }
}

} // namespace ci::edge::schema
