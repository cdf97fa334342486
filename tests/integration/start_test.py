"""Starting, refusing to start, and ending."""

import os
import time

from monitor import Monitor, profile


def refused(world, monitor):
    """What a monitor says that must not start."""
    monitor.write_settings()
    monitor.start_program()
    assert monitor.wait() != 0
    monitor.child = None
    return monitor.log()


def test_a_second_monitor_on_the_same_data_folder_is_refused(world):
    monitor = world.begin({"linux": profile(0)})
    second = Monitor(world.folder / "second", world.github.url, world.libvirt.uri, {"linux": profile(0)})
    second.data = monitor.data
    said = refused(world, second)
    assert f"in use by process {monitor.pid}" in said
    assert monitor.http.get("/readyz").status == 200


def test_a_damaged_store_is_refused_and_kept(world):
    monitor = world.begin({"linux": profile(0)})
    monitor.stop()
    store = monitor.data / "monitor.db"
    damaged = b"x" * 5000
    store.write_bytes(damaged)
    assert "is damaged" in refused(world, monitor)
    assert store.read_bytes() == damaged


def test_sigterm_ends_it_within_ten_seconds_and_leaves_the_guests_running(world):
    monitor = world.begin({"linux": profile(2)})
    monitor.wait_for_runners("linux", 2)
    guests = world.libvirt.guests()
    assert len(guests) == 2 and all(guests.values())
    begin = time.monotonic()
    monitor.stop()
    assert time.monotonic() - begin < 10
    assert world.libvirt.guests() == guests


def test_the_store_is_for_its_owner_alone(world):
    """G9"""
    monitor = world.begin({"linux": profile(1)})
    monitor.wait_for_runners("linux", 1)
    assert os.stat(monitor.data).st_mode & 0o777 == 0o700
    for name in ("monitor.db", "monitor.db-wal", "monitor.lock"):
        assert os.stat(monitor.data / name).st_mode & 0o777 == 0o600
    last = int((monitor.data / "last-runner-id").read_text())
    assert last >= max(monitor.runners())
