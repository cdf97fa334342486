"""The process is killed at a named step of actors/edge/crash_point.hpp, `<step>.<moment>` or `<step>.<moment>:<nth time>`, and started
again: what leads there, and how the host is counted afterwards."""

import os
import signal
import sqlite3
import threading
import time
from pathlib import Path

from harness import wait_until
from monitor import REPOSITORY, SNAPSHOT, profile
from outside import definition_of
from pool_test import check_nothing_double, check_room, wait_until_settled

PROFILES = {"linux": profile(3, memory="1G")}
LEFT_OVERS_STAY = 120.0  # seconds from a start, at most (G5)
LOOKS_OURS, PLAINLY_FOREIGN = "ci-runner-linux.777", "debugging"
FOREIGN_NVRAM = "nvram/debugging_VARS.fd"
# None has a name that the daemon gives (spec: what is ours on disk) but the last: that of an image that its store lacks.
FOREIGN_FILES = ["runner/777", "runner/debugging-777-base.img", f"base/linux/base.img.{SNAPSHOT}", "base/linux/notes",
                 "base/other/base.img@yesterday", FOREIGN_NVRAM,
                 "base/linux/base.img@2020-01-01T00:00:00.000000000Z"]


class Foreign:
    """What somebody else keeps on the same host and the same account: a registration, guests that are off, files."""

    def __init__(self, world):
        self.world = world
        self.images = Path(world.monitor.settings["images_path"])
        self.registration = f"{LOOKS_OURS}@ci0"
        world.github.control("POST", "runners", {"name": self.registration, "scope": f"repos/{REPOSITORY}",
                                                 "labels": ["self-hosted", "somebody-elses"]})
        self.files = {self.images / name: f"foreign {name}".encode() for name in FOREIGN_FILES}
        for path, contents in self.files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(contents)
        for name in (LOOKS_OURS, PLAINLY_FOREIGN):
            disk = self.images / "runner" / f"of-{name}.img"
            self.files[disk] = name.encode()
            disk.write_bytes(name.encode())
            definition = world.folder / "foreign.xml"
            nvram = self.images / FOREIGN_NVRAM if name == PLAINLY_FOREIGN else None
            definition.write_text(definition_of(name, disk, nvram))
            world.libvirt.virsh("define", str(definition))
        self.before = self.seen()

    def seen(self):
        """All of it as it is now."""
        registered = self.world.github.registrations().get(self.registration, {})
        states = self.world.libvirt.guests("")
        return {"registration": [registered.get(key) for key in ("id", "labels", "status")],
                "guests": {name: (states[name], self.world.libvirt.xml(name))
                           for name in (LOOKS_OURS, PLAINLY_FOREIGN) if name in states},
                "files": {path: path.read_bytes() for path in self.files if path.exists()}}

    def check_untouched(self):
        assert self.seen() == self.before
        assert self.before["registration"][0] and len(self.before["guests"]) == 2 and self.before["files"] == self.files

    def remove(self):
        """So that what is there is the daemon's."""
        self.world.github.control("DELETE", f"runners/{self.registration}".replace("@", "%40"))
        for name in (LOOKS_OURS, PLAINLY_FOREIGN):
            self.world.libvirt.virsh("undefine", name)
        for path in self.files:
            path.unlink()
        for name in ("base/other", "nvram"):
            (self.images / name).rmdir()


def begin(world, profiles=None, **more):
    """A host that has room for the pool and nothing besides, and things that are not ours."""
    monitor = world.begin(profiles or PROFILES, available_normal_memory="3G", **more)
    world.foreign = Foreign(world)
    return monitor


def guests_that_run(world):
    return sorted(name for name, runs in world.libvirt.guests().items() if runs)


def begin_without_guests(world):
    """A pool that was there, whose guests went off while nobody looked: the next start makes it anew."""
    monitor = begin(world)
    monitor.wait_for_runners("linux", 3)
    monitor.stop()
    for name in guests_that_run(world):
        world.libvirt.stop_guest(name)
    return monitor


class Request:
    """What leads to the step: `send` gets the client once the daemon is ready and `until` returns, and it dies meanwhile."""

    def __init__(self, monitor, send, until=lambda: None):
        self.monitor, self.send, self.until = monitor, send, until
        self.sent, self.answer = False, None

    def __call__(self):
        try:
            self.monitor.wait_ready()
            self.until()
            self.sent = True
            self.answer = self.send(self.monitor.http)
        except Exception:  # noqa: BLE001 - it dies under the request
            pass


def start_and_crash(monitor, step, request=None):
    """Starts it with the step set, makes the request, and waits for its death, which the request must have led to."""
    monitor.environment = {"CI_MONITOR_CRASH_AT": step}
    if request is None:
        monitor.write_settings()
        monitor.start_program()  # it may be dead before it listens
    else:
        monitor.begin()
        client = threading.Thread(target=request, daemon=True)
        client.start()
    status = monitor.wait()
    assert status == -signal.SIGKILL, monitor.log()[-3000:]
    if request is not None:
        client.join()
        assert request.sent, "it died before the request"
    monitor.child = None
    monitor.environment = {}


def full(monitor, count=3):
    """Until nothing is under way: the steps counted are the request's then."""
    return lambda: monitor.wait_for_runners("linux", count)


def read_store(monitor, query):
    with sqlite3.connect(f"file:{monitor.data}/monitor.db?mode=ro", uri=True) as store:
        return store.execute(query).fetchall()


def count_phases(monitor, table):
    return dict(read_store(monitor, f"SELECT phase, count(*) FROM {table} GROUP BY phase"))


def files_below(folder):
    return {str(path.relative_to(folder)) for path in Path(folder).rglob("*") if not path.is_dir()}


def phases_of_images(monitor):
    return [phase for phase, in read_store(monitor, "SELECT phase FROM image")]


def check_store(monitor, runners, reservations, images):
    """So many live runners, ended reservations and ready images, and no row about anything else but what is gone."""
    assert count_phases(monitor, "runner").keys() <= {"live", "gone"} and count_phases(monitor, "runner")["live"] == runners
    assert count_phases(monitor, "reservation") == ({"ended": reservations} if reservations else {})
    assert read_store(monitor, "SELECT count(*) FROM slot WHERE state NOT IN ('released', 'finished', 'given_up')") == [(0,)]
    assert phases_of_images(monitor) == ["ready"] * images
    for table in ("secret", "note"):
        assert read_store(monitor, f"SELECT count(*) FROM {table}") == [(0,)], table
    assert read_store(monitor, "PRAGMA quick_check") == [("ok",)]
    assert read_store(monitor, "PRAGMA foreign_key_check") == []


def files_of(names, uefi=False):
    """The files of the images with these templates."""
    files = ("base.img", "config.iso", *(["nvram.fd"] if uefi else []))
    return sorted(f"{file}@{name.partition('@')[2]}" for name in names for file in files)


def seconds_left(monitor):
    """For what is left over to go."""
    return monitor.started_at + LEFT_OVERS_STAY - time.monotonic()


def check_data_folder(monitor, built):
    """Its files are those of a monitor that was never killed; the links that the older monitor goes by (spec: taking over a
    host) name the newest images."""
    links = {f"profiles/{key}/snapshot": snapshot for _, key, snapshot in built}
    kept = {"monitor.db", "monitor.lock", "last-runner-id", *links}
    log = {"monitor.db-wal", "monitor.db-shm"}
    pictures = {f"{folder}/screenshot.png" for folder in (
        *(f"runners/{runner}" for runner in monitor.runners()), *(f"profiles/{key}" for _, key, _ in built))}
    wait_until("only what belongs to a runner or an image is in the data folder",
               lambda: kept <= files_below(monitor.data) <= kept | log | pictures, seconds_left(monitor))
    wait_until("the links name the newest images",
               lambda: {name: os.readlink(monitor.data / name) for name in links} == links, seconds_left(monitor))


def check_images(world, monitor, built):
    """Their files and templates, made by hand or built, and no guest besides but the runners'."""
    images = Path(monitor.settings["images_path"]) / "base"
    by_hand = {key: f"{key}/base.img@{SNAPSHOT}"
               for key, values in monitor.profiles.items() if not values.get("built")}
    assert files_below(images) == {*by_hand.values(), *(
        f"{key}/{file}" for template, key, _ in built for file in files_of([template], world.libvirt.uefi))}
    for key, name in by_hand.items():
        assert not world.libvirt.uefi or world.libvirt.nvram_of(key).read_text() == f"boot entries of {key}"
        assert (images / name).read_bytes() == key.encode().ljust(64 * 1024, b"\0")
    assert set(world.libvirt.guests("")) == {
        *(f"ci-template-{key}@{SNAPSHOT}" for key in by_hand), *(template for template, _, _ in built),
        *(runner["guest_name"] for runner in monitor.runners().values())}


def check_files(world, monitor):
    built = read_store(monitor, "SELECT template_guest, profile, snapshot FROM image ORDER BY snapshot")
    check_data_folder(monitor, built)
    check_images(world, monitor, built)


def settle_and_check(world, monitor, reservations=0, count=3, images=0):
    """The pool is whole, so are the images that were built, what is not ours is as it was, nothing is left over of anything
    else (G5), all of that within two minutes of the start, and at no moment was it more than the host has room for (G4)."""
    monitor.wait_for_runners("linux", count, seconds=seconds_left(monitor))
    wait_until("nothing is under way", lambda: count_phases(monitor, "runner").keys() <= {"live", "gone"}
               and phases_of_images(monitor) == ["ready"] * images
               and read_store(monitor, "SELECT count(*) FROM secret") == [(0,)], seconds_left(monitor))
    world.foreign.check_untouched()
    world.foreign.remove()
    wait_until_settled(world, count, seconds_left(monitor))
    check_nothing_double(world, count)
    check_room(world, count)
    check_store(monitor, count, reservations, images)
    check_files(world, monitor)
