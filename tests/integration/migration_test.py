"""A store that an older program wrote: brought up to date by the real daemon, killed -9 at each step of it (G3, G5)."""

import sqlite3
import uuid

import pytest

from crash import Foreign, files_below, read_store, settle_and_check, start_and_crash
from harness import wait_until
from monitor import profile
from pool_test import check_nothing_double, wait_until_settled

# As the first program made it; never changed (actors/edge/store_schema.cpp).
FIRST_FORMAT = """
CREATE TABLE runner(id INTEGER PRIMARY KEY, profile TEXT NOT NULL, guest_name TEXT NOT NULL, registration_name TEXT NOT NULL,
  uuid TEXT NOT NULL, mac TEXT NOT NULL, template_guest TEXT NOT NULL, held_hugepages_1g INTEGER NOT NULL,
  held_memory_bytes INTEGER NOT NULL, phase TEXT NOT NULL, created_at INTEGER NOT NULL, registration_id INTEGER,
  registration_ended INTEGER NOT NULL, jit_served_at INTEGER, jit_fetches INTEGER NOT NULL, online_at INTEGER,
  busy_seen INTEGER NOT NULL, guest_removed INTEGER NOT NULL, spoiled INTEGER NOT NULL, reason TEXT NOT NULL,
  ended_at INTEGER) STRICT;
CREATE TABLE secret(runner INTEGER PRIMARY KEY REFERENCES runner ON DELETE CASCADE, jit_config TEXT NOT NULL) STRICT;
CREATE TABLE reservation(unique_id TEXT PRIMARY KEY, unique_id_spelt TEXT NOT NULL, profile TEXT NOT NULL,
  qualified_repo TEXT NOT NULL, run_id INTEGER NOT NULL, count INTEGER NOT NULL, minimum INTEGER NOT NULL,
  phase TEXT NOT NULL, created_at INTEGER NOT NULL, granted_at INTEGER, deadline INTEGER, ended_at INTEGER,
  released INTEGER NOT NULL) STRICT;
CREATE TABLE slot(unique_id TEXT NOT NULL REFERENCES reservation ON DELETE CASCADE, position INTEGER NOT NULL,
  runner INTEGER NOT NULL, state TEXT NOT NULL, PRIMARY KEY(unique_id, position)) STRICT;
CREATE TABLE note(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE history(number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, event TEXT NOT NULL,
  runner INTEGER NOT NULL, profile TEXT NOT NULL, detail TEXT NOT NULL) STRICT;
CREATE INDEX history_at ON history(at);
CREATE TABLE next_id(id INTEGER NOT NULL) STRICT;
PRAGMA application_id = 0x63694d6f;
PRAGMA user_version = 1;
"""
TABLES = ["runner", "secret", "reservation", "slot", "note", "history", "next_id"]


def columns_of(store, table):
    return [row[1] for row in store.execute(f"PRAGMA table_info({table})")]


def shape_of(store):
    return {(name, *column) for name, in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            for column in store.execute(f"PRAGMA table_info({name})")}


def version_of(monitor):
    return read_store(monitor, "PRAGMA user_version")[0][0]


class FirstStore:
    """Takes a stopped monitor's store back to the first format, with all the rows that it had room for."""

    def __init__(self, monitor):
        self.monitor = monitor
        path, draft = monitor.data / "monitor.db", monitor.data / "draft"
        with sqlite3.connect(path) as newest:
            self.shape = shape_of(newest)
            rows = {}
            older = sqlite3.connect(draft)
            older.executescript(FIRST_FORMAT)
            self.columns = {table: columns_of(older, table) for table in TABLES}
            for table, columns in self.columns.items():
                rows[table] = newest.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()
                older.executemany(f"INSERT INTO {table} VALUES({', '.join('?' * len(columns))})", rows[table])
            older.commit()
            older.close()
        newest.close()
        self.rows = rows
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        draft.rename(path)
        path.chmod(0o600)
        assert version_of(monitor) == 1 and self.rows == self.now()

    def now(self):
        """The same columns of what stands in the file."""
        return {table: read_store(self.monitor, f"SELECT {', '.join(columns)} FROM {table}")
                for table, columns in self.columns.items()}


def all_there_is(world):
    """Ours and others': guests and whether they run, ids of registrations by name, files of disks and images."""
    return (world.libvirt.guests(""), {name: known["id"] for name, known in world.github.registrations().items()},
            files_below(world.monitor.settings["images_path"]))


def test_killed_while_an_older_store_is_brought_up_to_date(world):
    """G3, G5: each format is there whole or not at all, no row is lost, and the pool goes on where it was."""
    monitor = world.begin({"linux": profile(2)}, available_normal_memory="2G", monitor_reserve_timeout=300,
                          reserve_timeout_max=600)
    world.foreign = Foreign(world)
    idle = monitor.wait_for_runners("linux", 2)
    unique_id = str(uuid.uuid4())
    runner = monitor.take("linux", unique_id).json()["id"]
    deadline = monitor.reservation(unique_id).json()["deadline"]
    monitor.stop()
    everything = all_there_is(world)
    newest = version_of(monitor)
    assert newest >= 3
    first = FirstStore(monitor)
    assert len(first.rows["runner"]) == 2 and len(first.rows["slot"]) == 1 and len(first.rows["history"]) > 5
    for version in range(1, newest):
        for step, left in (("migrate.order", version), ("migrate.answer", version + 1)):
            start_and_crash(monitor, step)
            assert version_of(monitor) == left
            assert read_store(monitor, "PRAGMA quick_check") == [("ok",)]
            assert first.now() == first.rows
    with sqlite3.connect(f"file:{monitor.data}/monitor.db?mode=ro", uri=True) as store:
        assert shape_of(store) == first.shape
    store.close()
    monitor.begin().wait_ready()
    monitor.wait_for_runners("linux", 1, "Reserved")
    monitor.wait_for_runners("linux", 1)
    assert monitor.runners().keys() == idle.keys()
    assert monitor.take("linux", unique_id).json()["id"] == runner
    assert monitor.reservation(unique_id).json()["deadline"] == deadline
    wait_until("libvirt, GitHub and the disks are as before", lambda: all_there_is(world) == everything)
    job = world.github.queue_job(f"reserved-for:{unique_id}")
    assert world.github.wait_for_job(job["id"])["runner_name"] == idle[runner]["registration"]["name"]
    wait_until("it is replaced", lambda: runner not in monitor.runners() and len(monitor.runners("linux", "Idle")) == 2)
    assert min(set(monitor.runners()) - set(idle)) > max(idle)
    wait_until("its reservation has ended", lambda: monitor.reservation(unique_id).json()["ended_time"])
    settle_and_check(world, monitor, reservations=1, count=2)
    told = read_store(monitor, "SELECT number, event FROM history")
    kept = [(row[0], row[2]) for row in first.rows["history"]]
    assert told[:len(kept)] == kept


def test_an_older_store_is_brought_up_to_date_in_one_start(world):
    """G3"""
    monitor = world.begin({"linux": profile(1)})
    idle = monitor.wait_for_runners("linux", 1)
    monitor.stop()
    newest = version_of(monitor)
    first = FirstStore(monitor)
    monitor.begin().wait_ready()
    assert version_of(monitor) == newest
    assert monitor.wait_for_runners("linux", 1).keys() == idle.keys()
    assert read_store(monitor, "SELECT id, guest_name, uuid, phase FROM runner") == [
        (row[0], row[2], row[4], "live") for row in first.rows["runner"]]
    wait_until_settled(world, 1)
    check_nothing_double(world, 1)


@pytest.mark.parametrize("step", ["migrate.order:2", "migrate.answer:3"])
def test_killed_while_a_store_is_made(world, step):
    """G5: there is none until all of it is there, and what was begun is made anew."""
    monitor = world.begin({"linux": profile(0)}, available_normal_memory="1G")
    world.foreign = Foreign(world)
    monitor.stop()
    for path in monitor.data.glob("monitor.db*"):
        path.unlink()
    start_and_crash(monitor, step)
    assert not (monitor.data / "monitor.db").exists() and (monitor.data / "monitor.db.new").exists()
    monitor.begin().wait_ready()
    assert {path.name for path in monitor.data.glob("monitor.db*")} <= {"monitor.db", "monitor.db-wal", "monitor.db-shm"}
    monitor.profiles = {"linux": profile(1)}
    monitor.restart()
    settle_and_check(world, monitor, count=1)
