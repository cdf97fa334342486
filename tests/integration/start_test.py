"""Starting, refusing to start, and ending."""

import os
import signal
import socket
import time

from monitor import Monitor, profile


def refused(world, monitor):
    """What a monitor says that must not start."""
    monitor.write_settings()
    monitor.start_program()
    assert monitor.wait() != 0
    monitor.child = None
    return monitor.log()


def checked(monitor):
    """What --check says of a host where something is wrong."""
    monitor.write_settings()
    monitor.start_program("--check")
    assert monitor.wait() == 1
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


def test_a_guest_filter_that_does_not_exist_is_refused_with_what_mends_it(world):
    monitor = world.begin({"linux": profile(0)})
    monitor.stop()
    monitor.settings["guest_filter"] = "clean-traffic"  # libvirt's test driver has no filters at all
    said = refused(world, monitor)
    assert "there is no network filter clean-traffic" in said and "nwfilter" in said
    assert "WRONG guest_filter" in checked(monitor)


def test_a_check_in_a_working_folder_that_is_gone_says_so(world):
    monitor = world.begin({"linux": profile(0)})
    monitor.stop()
    monitor.data = "./data"  # the default
    monitor.enter = ["sh", "-c", 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', "sh"]
    assert "WRONG data folder ./data: the working folder is gone\n" in checked(monitor)
    assert "not started: can't make the data folder ./data" in refused(world, monitor)
    monitor.more_env["IMAGE_DEPS_DIR"] = "deps"
    assert "IMAGE_DEPS_DIR: expected an absolute path: the working folder is gone" in refused(world, monitor)


class Systemd:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(20)
        self.address = str(path)

    def wait_for(self, word):
        """What else came before it."""
        before = []
        while True:
            words = self.socket.recv(4096).decode().splitlines()
            if word in words:
                return before
            before += words


def test_systemd_is_told_of_readiness_watchdog_reloading_and_the_end(world):
    systemd = Systemd(world.folder / "notify")
    monitor = world.begin({"linux": profile(0)}, environment={"NOTIFY_SOCKET": systemd.address})
    systemd.wait_for("READY=1")
    assert monitor.http.get("/readyz").status == 200
    systemd.wait_for("WATCHDOG=1")
    monitor.signal(signal.SIGHUP)
    assert "READY=1" not in systemd.wait_for("RELOADING=1")
    systemd.wait_for("READY=1")
    monitor.signal(signal.SIGTERM)
    systemd.wait_for("STOPPING=1")
    assert monitor.wait() == 0
    monitor.child = None
    systemd.socket.close()
