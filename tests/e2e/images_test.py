"""Images built by real guests: the first one, a rebuild while runners serve, a build that goes wrong, a crash."""

import functools
import http.server
import os
import shutil
import signal
import threading

import pytest

from harness import wait_until
from host import GATEWAY, GUEST, PROFILE
from life_test import tiny
from outside import settle

SWITCH_PORT = 8003
# A build whose script fails. The guest powers off all the same, as some do: only the trial runner can tell.
SABOTAGE = f"timeout 5 wget -q -O /dev/null http://{GATEWAY}:{SWITCH_PORT}/sabotage && exit 1\n"


@pytest.fixture
def sabotage(world):
    """A file: while it is there, builds fail."""
    folder = world.folder / "switch"
    folder.mkdir(parents=True)
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    server = http.server.ThreadingHTTPServer((GATEWAY, SWITCH_PORT), functools.partial(quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder / "sabotage"
    server.shutdown()
    server.server_close()


def begin(world, target=1, keys=("tiny",), script=None, **settings):
    """An empty host, with the example profile's folder for each key."""
    lib, deps = world.folder / "lib", world.folder / "deps"
    (deps / "tiny").mkdir(parents=True)
    shutil.copy(GUEST / "blank.img", deps / "tiny" / "blank.img")
    for key in keys:
        shutil.copytree(PROFILE, lib / "profiles" / key)
        if script:
            (lib / "profiles" / key / "boot-script").write_text(script)
    profiles = {key: {**tiny(target), "boot_script": None, "template": None} for key in keys}
    return world.begin(profiles, templates=False, env={"IMAGE_DEPS_DIR": deps, "LIB_MONITOR_DIR": lib},
                       available_normal_memory=f"{96 * target * len(keys)}M", monitor_start_timeout=40, **settings)


def templates(world, key="tiny"):
    return sorted(world.host.guests(f"ci-template-{key}@"))


def test_g8_an_image_is_built_on_an_empty_host_and_rebuilt_while_runners_serve(world):
    """G4, G8: with room for the pool alone, a rebuild borrows one slot and no more."""
    monitor = begin(world, target=2)
    first = monitor.wait_for_runners("tiny", 2)
    assert len(templates(world)) == 1
    job = world.github.queue_job("self-hosted-image:tiny", seconds=1)
    world.github.wait_for_job(job["id"])

    def replaced():
        idle = monitor.runners("tiny", "Idle")
        return idle if len(idle) == 2 and set(idle) - set(first) else None
    before = wait_until("a new one is there in place of the one that worked", replaced)

    stop, lowest = threading.Event(), []

    def watch():
        while not stop.wait(0.2):
            lowest.append(monitor.dashboard()["profile_runner_counts"]["tiny"]["healthy"])
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    assert monitor.http.post("/profile/tiny/rebuild").status == 200
    wait_until("the new image serves, and both runners are made from it",
               lambda: len(templates(world)) == 2 and len(monitor.runners("tiny", "Idle")) == 2
               and not set(before) & set(monitor.runners("tiny")), seconds=150)
    stop.set()
    watcher.join()
    assert min(lowest) >= 1, "capacity never below target - 1"
    assert not world.host.guests("ci-rebuild-")


def test_g5_g8_the_daemon_is_killed_during_a_build(world):
    """What the cut-off build made goes; the next one succeeds."""
    monitor = begin(world)
    wait_until("a build runs", lambda: "running" in world.host.guests("ci-rebuild-").values())
    (cut_off,) = world.host.guests("ci-rebuild-")
    monitor.crash()
    monitor.wait_for_runners("tiny", 1, seconds=120)
    assert cut_off not in world.host.guests()
    (template,) = templates(world)
    files = sorted(path.name for path in (world.folder / "monitor" / "images" / "base" / "tiny").iterdir())
    assert all(name.endswith(template.partition("@")[2]) for name in files), files


def test_g8_a_build_that_the_host_stops_has_failed(world):
    """A signal to QEMU: libvirt's state afterwards is that of a guest that shut itself down."""
    monitor = begin(world, script="#!/bin/sh\nsleep 1000000\n")
    wait_until("a build runs", lambda: "running" in world.host.guests("ci-rebuild-").values())
    (rebuild_guest,) = world.host.guests("ci-rebuild-")
    os.kill(world.host.qemu_pid(rebuild_guest), signal.SIGTERM)
    image = wait_until("it has failed", lambda: (found := monitor.dashboard()["profile_runner_counts"]["tiny"]["image"])
                       and found["trouble"] and found)
    assert "shutdown by the host" in image["trouble"], image
    wait_until("what it made is gone", lambda: rebuild_guest not in world.host.guests())
    assert not templates(world) and not monitor.runners("tiny")


def test_g8_two_profiles_and_a_build_that_fails(world, sabotage):
    """G6, G8: the old image serves on; the dashboard says since when and why; the other profile is left alone."""
    boot_script = world.boot_script.replace("if ! [ -e /disk/built ]; then\n", "if ! [ -e /disk/built ]; then\n" + SABOTAGE)
    assert SABOTAGE in boot_script
    monitor = begin(world, keys=("tiny", "other"), script=boot_script)
    for key in ("tiny", "other"):
        monitor.wait_for_runners(key, 1, seconds=120)
    old = templates(world)
    sabotage.write_text("yes")
    assert monitor.http.post("/profile/tiny/rebuild").status == 200
    wait_until("the dashboard says so", lambda: monitor.dashboard()["profile_runner_counts"]["tiny"]["image"]["trouble"],
               seconds=150)
    wait_until("what it made is gone", lambda: templates(world) == old and not world.host.guests("ci-rebuild-"))
    monitor.wait_for_runners("tiny", 1)
    assert monitor.runners("other", "Idle")
    settle(1, "no build at once", lambda: not world.host.guests("ci-rebuild-"))
