"""The process is killed at a named step, and started again: everything of ours is adopted or removed, nothing is lost that was
answered, nothing foreign is touched (G2, G3, G4, G5). The steps are those of actors/crash_point.hpp."""

import signal
import sqlite3
import threading
import uuid

import pytest

from harness import wait_until
from monitor import profile
from pool_test import check_nothing_double, reservation_labels, wait_until_settled

FOREIGN = "ci-runner-linux.777"
PROFILES = {"linux": profile(3, memory="1G")}


def begin(world, profiles=None, **more):
    """A host that has room for the pool and nothing besides, and a foreign registration that only looks ours."""
    monitor = world.begin(profiles or PROFILES, available_normal_memory="3G", **more)
    world.github.control("POST", "runners", {"name": f"{FOREIGN}@ci0", "scope": "repos/octo-org/octo-repo"})
    return monitor


def start_and_crash(monitor, step, act=None):
    """Starts it with the step set, lets `act` do what leads there, and waits for its death."""
    monitor.environment = {"CI_MONITOR_CRASH_AT": step}
    if act is None:
        monitor.start_program()  # it may be dead before it listens
    else:
        monitor.begin()
        threading.Thread(target=act, daemon=True).start()
    status = monitor.wait()
    assert status == -signal.SIGKILL, monitor.log()[-3000:]
    monitor.child = None
    monitor.environment = {}


def settle_and_check(world, monitor):
    monitor.wait_for_runners("linux", 3, seconds=60.0)
    foreign = world.github.registrations().pop(f"{FOREIGN}@ci0", None)
    assert foreign is not None, "a foreign registration was touched"
    world.github.control("DELETE", f"runners/{FOREIGN}@ci0".replace("@", "%40"))
    wait_until_settled(world, 3)
    check_nothing_double(world, 3)
    with sqlite3.connect(f"file:{monitor.data}/monitor.db?mode=ro", uri=True) as store:
        phases = [row[0] for row in store.execute("SELECT phase FROM runner")]
    assert phases.count("live") == 3 and set(phases) <= {"live", "gone"}


@pytest.mark.parametrize("step", [
    "commit.order", "commit.answer", "register.order", "register.answer:2", "prepare.order:2", "prepare.answer",
    "commit.order:2", "commit.answer:2", "start.order:2", "start.answer", "start.answer:3", "commit.answer:4"])
def test_killed_while_runners_are_made(world, step):
    """G4, G5"""
    monitor = begin(world)
    monitor.wait_for_runners("linux", 3)
    monitor.stop()
    # From here on nothing is left of the first pool: the next start makes it anew.
    for name in world.libvirt.guests():
        world.libvirt.stop_guest(name)
    start_and_crash(monitor, step)
    monitor.begin().wait_ready()
    settle_and_check(world, monitor)


@pytest.mark.parametrize("step", [
    "commit.order", "commit.answer", "label.order", "label.order:2", "label.answer", "label.answer:2", "look_slot.order",
    "look_slot.answer:2", "commit.order:2", "commit.answer:2"])
def test_killed_while_a_take_is_decided(world, step):
    """G2, G3: after the crash a repeat gets both runners or none is reserved; never half."""
    monitor = begin(world, monitor_reserve_timeout=60, reserve_timeout_max=120)
    monitor.wait_for_runners("linux", 3)
    monitor.stop()
    unique_id = str(uuid.uuid4())
    answers = []

    def act():
        try:
            monitor.wait_ready().wait_for_runners("linux", 3)
            # Nothing else is under way then, so the steps counted are the take's.
            answers.append(monitor.take("linux", unique_id, count=2))
        except Exception:  # noqa: BLE001 - it dies under the request
            pass
    start_and_crash(monitor, step, act)
    monitor.begin().wait_ready()
    assert not answers, "answered before the step"
    granted = monitor.reservation(unique_id)
    if granted.status == 200 and granted.json()["state"] == "reserved":
        first = {entry["id"] for entry in monitor.take("linux", unique_id, count=2).json()}
        assert len(first) == 2
    else:
        wait_until("the labels come off", lambda: not reservation_labels(world))
        monitor.wait_for_runners("linux", 3)
        answer = wait_until("a repeat gets both", lambda: monitor.take("linux", unique_id, count=2).json())
        assert len(answer) == 2
    assert monitor.http.delete(f"/reservation/{unique_id}").status == 200
    wait_until("the labels come off", lambda: not reservation_labels(world))
    settle_and_check(world, monitor)


@pytest.mark.parametrize("step", ["commit.order", "commit.answer", "unlabel.order", "unlabel.order:2", "unlabel.answer",
                                  "unlabel.answer:2", "commit.order:2", "commit.answer:2"])
def test_killed_while_a_reservation_is_released(world, step):
    """G2, G3, G5: a repeat of the release ends it, whatever the crash left of the first."""
    monitor = begin(world, monitor_reserve_timeout=60, reserve_timeout_max=120)
    monitor.wait_for_runners("linux", 3)
    unique_id = str(uuid.uuid4())
    taken = monitor.take("linux", unique_id, count=2)
    assert taken.status == 200
    monitor.stop()

    def act():
        try:
            monitor.wait_ready().wait_for_runners("linux", 2, "Reserved")
            monitor.http.delete(f"/reservation/{unique_id}")
        except Exception:  # noqa: BLE001 - it dies under the request
            pass
    start_and_crash(monitor, step, act)
    monitor.begin().wait_ready()
    assert monitor.http.delete(f"/reservation/{unique_id}").status == 200
    wait_until("the labels come off", lambda: not reservation_labels(world))
    wait_until("it is released", lambda: monitor.reservation(unique_id).json()["state"] == "released")
    assert monitor.take("linux", unique_id, count=2).status == 410
    settle_and_check(world, monitor)


@pytest.mark.parametrize("step", ["unregister.order", "unregister.answer", "remove.order", "remove.answer", "commit.answer:2"])
def test_killed_while_a_runner_is_destroyed(world, step):
    """G5: a runner whose guest went off is removed to the end."""
    monitor = begin(world)
    monitor.wait_for_runners("linux", 3)
    monitor.stop()
    world.libvirt.stop_guest(sorted(world.libvirt.guests())[0])
    start_and_crash(monitor, step)
    monitor.begin().wait_ready()
    settle_and_check(world, monitor)


def override_of(monitor):
    return monitor.http.get("/policy/override", token="").json()


def pull(monitor, request):
    """What leads to the step: it dies under the request."""
    def act():
        try:
            request(monitor.wait_ready().http)
        except Exception:  # noqa: BLE001 - it dies under the request
            pass
    return act


@pytest.mark.parametrize("step, in_force", [("override.order", False), ("override.answer", True)])
def test_killed_while_an_override_is_granted(world, step, in_force):
    """G3, G4, G5: in force or not as the store has it, never half; afterwards the host is as it was."""
    monitor = begin(world, {**PROFILES, "wpt": profile(0, memory="1G")})
    monitor.wait_for_runners("linux", 3)
    monitor.stop()
    start_and_crash(monitor, step, pull(monitor, lambda http: http.post("/policy/override", {"wpt": 2})))
    monitor.begin().wait_ready()
    found = override_of(monitor)
    assert (found is not None) == in_force
    if in_force:
        assert found["profile_override_counts"] == {"wpt": 2}
        assert found["profile_target_counts"] == {"linux": 1, "wpt": 2}
        assert monitor.http.post("/policy/override", {"wpt": 2}).status == 409
        monitor.wait_for_runners("wpt", 2)
    assert monitor.http.delete("/policy/override").json() == ({"wpt": 2} if in_force else None)
    settle_and_check(world, monitor)


@pytest.mark.parametrize("step, in_force", [("override.order", True), ("override.answer", False)])
def test_killed_while_an_override_is_cancelled(world, step, in_force):
    """G3, G5: a repeat ends it, whatever the crash left."""
    monitor = begin(world, {**PROFILES, "wpt": profile(0, memory="1G")})
    monitor.wait_for_runners("linux", 3)
    assert monitor.http.post("/policy/override", {"wpt": 2}).status == 200
    monitor.wait_for_runners("wpt", 2)
    monitor.stop()
    start_and_crash(monitor, step, pull(monitor, lambda http: http.delete("/policy/override")))
    monitor.begin().wait_ready()
    assert (override_of(monitor) is not None) == in_force
    assert monitor.http.delete("/policy/override").json() == ({"wpt": 2} if in_force else None)
    settle_and_check(world, monitor)
