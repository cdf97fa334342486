"""A store that can't be written, read or understood: it says so plainly, serves what it can, and loses nothing."""

import shutil
import sqlite3
import uuid

import pytest

from harness import wait_until
from monitor import profile
from outside import settle
from pool_test import check_nothing_lost, reserve
from start_test import refused

# Room for the store and its log, and little more.
SMALL = "1M"
PROFILES = {"linux": profile(2)}


def contents(folder):
    """What the store's files hold. An index of its log, and an empty log, come and go with every reader."""
    found = {path.name: path.read_bytes() for path in sorted(folder.glob("monitor.db*"))}
    return {name: data for name, data in found.items() if data and not name.endswith("-shm")}


LONG = {"monitor_reserve_timeout": 300, "reserve_timeout_max": 600}


def test_g6_a_full_disk_stops_promises_and_nothing_else(world):
    """G3, G6, G10: takes are refused in time, reads and jobs go on, and all is well as soon as there is room."""
    monitor = world.begin({"linux": profile(3)}, data_disk=SMALL, **LONG)
    monitor.wait_for_runners("linux", 3)
    # Once the served secrets are wiped from it, the log gives no room back any more.
    wait_until("the log is tidied", lambda: (world.disk.seen / "monitor.db-wal").stat().st_size == 0)
    unique_id = str(uuid.uuid4())
    runner = monitor.take("linux", unique_id).json()["id"]
    world.disk.fill()
    waiting = str(uuid.uuid4())
    refusal = monitor.take("linux", waiting)
    assert refusal.status in (503, 504) and refusal.seconds < 30, refusal
    wait_until("the page says so", lambda: not monitor.dashboard()["health"]["store"]["well"])
    assert "full" in monitor.http.get("/readyz").json()["store"]["trouble"]
    assert "event=store_stuck" in monitor.log() and "full" in monitor.log()
    assert monitor.reservation(unique_id).json()["state"] == "reserved"
    assert monitor.http.get("/dashboard.html").status == 200
    guests = world.libvirt.guests()
    settle(2.0, "the guests live", lambda: world.libvirt.guests() == guests)
    world.disk.free()
    wait_until("the store is well again", lambda: monitor.dashboard()["health"]["store"]["well"])
    again = wait_until("the refused take gets its runner",
                       lambda: (answer := monitor.take("linux", waiting)).status == 200 and answer.json())
    assert again["id"] != runner
    assert monitor.take("linux", unique_id).json()["id"] == runner
    monitor.crash()
    monitor.wait_for_runners("linux", 2, "Reserved")
    assert monitor.take("linux", unique_id).json()["id"] == runner
    assert monitor.take("linux", waiting).json()["id"] == again["id"]


def test_g3_a_start_on_a_full_disk_loses_nothing(world):
    monitor = world.begin(PROFILES, data_disk=SMALL, **LONG)
    unique_id, runner = reserve(monitor)
    deadline = monitor.reservation(unique_id).json()["deadline"]
    monitor.kill()
    world.disk.fill()
    monitor.begin().wait_ready()
    assert "No space left on device" in monitor.log()
    assert monitor.take("linux", unique_id).json()["id"] == runner
    monitor.kill()
    world.disk.free()
    monitor.begin().wait_ready()
    check_nothing_lost(world, unique_id, runner, deadline)


def test_a_read_only_data_folder_is_refused_and_untouched(world):
    monitor = world.begin(PROFILES, data_disk=SMALL, **LONG)
    unique_id, runner = reserve(monitor)
    monitor.stop()
    world.disk.set_read_only(True)
    before = contents(world.disk.seen)
    said = refused(world, monitor)
    assert str(monitor.data) in said and "Read-only file system" in said
    assert contents(world.disk.seen) == before
    assert sum(world.libvirt.guests().values()) == 2
    world.disk.set_read_only(False)
    monitor.begin().wait_ready()
    check_nothing_lost(world, unique_id, runner)


def overwrite_a_page(path):
    page = 4096
    data = bytearray(path.read_bytes())
    data[page:2 * page] = b"\xa5" * page
    path.write_bytes(data)


def cut_in_half(path):
    data = path.read_bytes()
    path.write_bytes(data[:len(data) // 2])


def claim_a_newer_format(path):
    store = sqlite3.connect(path)
    store.execute("PRAGMA user_version = 999")
    store.close()


@pytest.mark.parametrize("spoil, complaint", [
    (overwrite_a_page, "is damaged"), (cut_in_half, "is damaged"), (claim_a_newer_format, "newer ci-monitor")])
def test_a_store_that_it_does_not_understand_is_refused_and_kept(world, spoil, complaint):
    """G3: the operator who puts the backup back has lost nothing, and no guest was touched meanwhile."""
    monitor = world.begin(PROFILES, **LONG)
    unique_id, runner = reserve(monitor)
    monitor.stop()
    store = monitor.data / "monitor.db"
    backup = world.folder / "backup.db"
    shutil.copyfile(store, backup)
    spoil(store)
    before = contents(monitor.data)
    said = refused(world, monitor)
    assert complaint in said and str(store) in said
    assert contents(monitor.data) == before
    assert sum(world.libvirt.guests().values()) == 2
    shutil.copyfile(backup, store)
    monitor.begin().wait_ready()
    check_nothing_lost(world, unique_id, runner)
