"""The process is killed at a named step, and started again: everything of ours is adopted or removed, nothing is lost that was
answered, nothing foreign is touched (G2, G3, G4, G5). The steps are those of actors/edge/crash_point.hpp.

The last test holds all tables against the program's source."""

import re
import sys
import uuid
from pathlib import Path

import pytest

import adopt_test
import crash_calls_test
import crash_destroy_test
import crash_images_test
import crash_questions_test
import disks_test
import images_test
import migration_test
from crash import PROFILES, Request, begin, begin_without_guests, full, read_store, settle_and_check, start_and_crash
from harness import wait_until
from monitor import profile
from pool_test import reservation_labels

ACTORS = Path(__file__).resolve().parents[2] / "actors"
STEP = re.compile(r"(\w+\.(?:order|answer)|libvirt_\w+\.\w+)(?::\d+)?")
QUESTIONS = {"look", "xml", "unused"}  # change nothing: whoever is killed before one is killed after what was done last


def test_a_pool_that_was_not_killed_is_counted_alike(world):
    """What those below are held against."""
    monitor = begin(world)
    monitor.wait_for_runners("linux", 3)
    monitor.restart()
    settle_and_check(world, monitor)


@pytest.mark.parametrize("step", [
    "register.order", "register.answer:2", "prepare.order:2", "prepare.answer", "start.order:2", "start.answer",
    "start.answer:3", "list_registrations.order", "list_registrations.answer", "list_guests.order",
    "list_guests.answer", "list_addresses.order", "list_addresses.answer"])
def test_killed_while_runners_are_made(world, step):
    """G4, G5"""
    monitor = begin_without_guests(world)
    start_and_crash(monitor, step)
    monitor.begin().wait_ready()
    settle_and_check(world, monitor)


# As the store has the one that is made: phase, whether it has a registration, a secret, and whether that was served.
ORDERED, REGISTERED, MADE, SERVED = (("creating", 0, 0, 0), ("creating", 1, 1, 0), ("live", 1, 1, 0), ("live", 1, 1, 1))


@pytest.mark.parametrize("step, stored", [
    ("commit.order", None), ("commit.answer", ORDERED), ("commit.order:2", ORDERED), ("commit.answer:2", REGISTERED),
    ("commit.order:3", REGISTERED), ("commit.answer:3", MADE), ("commit.order:4", MADE), ("commit.answer:4", SERVED)])
def test_killed_at_a_commit_of_a_runners_creation(world, step, stored):
    """G3, G4, G5: nothing of it exists before it is durable that it is to be made. The other two are not touched."""
    monitor = begin(world, {"linux": profile(2, memory="1G")})
    others = monitor.wait_for_runners("linux", 2)
    monitor.stop()
    monitor.profiles = PROFILES
    start_and_crash(monitor, step)
    assert read_store(monitor, "SELECT phase, registration_id IS NOT NULL, secret.runner IS NOT NULL, jit_served_at IS NOT NULL "
                      f"FROM runner LEFT JOIN secret ON secret.runner = id WHERE id > {max(others)}") == ([stored] if stored else [])
    monitor.begin().wait_ready()
    settle_and_check(world, monitor)
    assert others.keys() <= monitor.runners().keys()


@pytest.mark.parametrize("step", [
    "commit.order", "commit.answer", "label.order", "label.order:2", "label.answer", "label.answer:2", "look_slot.order",
    "look_slot.answer:2", "commit.order:2", "commit.answer:2"])
def test_killed_while_a_take_is_decided(world, step):
    """G2, G3: after the crash a repeat gets both runners or none is reserved; never half."""
    monitor = begin(world, monitor_reserve_timeout=60, reserve_timeout_max=120)
    monitor.wait_for_runners("linux", 3)
    monitor.stop()
    unique_id = str(uuid.uuid4())
    request = Request(monitor, lambda _: monitor.take("linux", unique_id, count=2), full(monitor))
    start_and_crash(monitor, step, request)
    assert request.answer is None, "answered before the step"
    monitor.begin().wait_ready()
    granted = monitor.reservation(unique_id)
    if granted.status == 200 and granted.json()["state"] == "reserved":
        first = {entry["id"] for entry in monitor.take("linux", unique_id, count=2).json()}
        assert len(first) == 2
    else:
        wait_until("the labels come off", lambda: not reservation_labels(world))
        monitor.wait_for_runners("linux", 3)
        both = wait_until("a repeat gets both",
                          lambda: (answer := monitor.take("linux", unique_id, count=2)).status == 200 and answer.json())
        assert len(both) == 2
    assert monitor.http.delete(f"/reservation/{unique_id}").status == 200
    wait_until("the labels come off", lambda: not reservation_labels(world))
    settle_and_check(world, monitor, reservations=1)


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
    start_and_crash(monitor, step, Request(monitor, lambda http: http.delete(f"/reservation/{unique_id}"),
                                           lambda: monitor.wait_for_runners("linux", 2, "Reserved")))
    monitor.begin().wait_ready()
    assert monitor.http.delete(f"/reservation/{unique_id}").status == 200
    wait_until("the labels come off", lambda: not reservation_labels(world))
    wait_until("it is released", lambda: monitor.reservation(unique_id).json()["state"] == "released")
    assert monitor.take("linux", unique_id, count=2).status == 410
    settle_and_check(world, monitor, reservations=1)


def override_of(monitor):
    return monitor.http.get("/policy/override", token="").json()


@pytest.mark.parametrize("step, in_force", [("override.order", False), ("override.answer", True)])
def test_killed_while_an_override_is_granted(world, step, in_force):
    """G3, G4, G5: in force or not as the store has it, never half; afterwards the host is as it was."""
    monitor = begin(world, {**PROFILES, "wpt": profile(0, memory="1G")})
    monitor.wait_for_runners("linux", 3)
    monitor.stop()
    start_and_crash(monitor, step, Request(monitor, lambda http: http.post("/policy/override", {"wpt": 2})))
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
    start_and_crash(monitor, step, Request(monitor, lambda http: http.delete("/policy/override")))
    monitor.begin().wait_ready()
    assert (override_of(monitor) is not None) == in_force
    assert monitor.http.delete("/policy/override").json() == ({"wpt": 2} if in_force else None)
    settle_and_check(world, monitor)


def worker_calls():
    """Of the source: by what guests' and images' orders change the host."""
    words = dict(re.findall(r'using (\w+) = caf::atom_constant<caf::atom\("(\w+)"\)>;', (ACTORS / "atoms.hpp").read_text()))
    calls = set()
    for file, worker in (("guest.cpp", "libvirt_worker"), ("images.cpp", "libvirt_images")):
        source = (ACTORS / file).read_text()
        asked = re.findall(r"\bask\((?:work,\s+)?\w+,\s+&\w+::\w+,\s+(\w+)::value", source)
        assert len(asked) == len(re.findall(r"\bask\(", source)) - 1, file  # its own
        calls |= {f"{worker}.{words[atom]}" for atom in asked if words[atom] not in QUESTIONS}
    return calls


def named_steps():
    """Of the source: each order and its answer, the commits that have a step of their own, and the calls within orders."""
    orders = (ACTORS / "monitor_orders.cpp").read_text()
    named = re.findall(r'\bask(?:_github)?<\w[\w:]*>\(\s*(?:parts_\.\w+,\s*)?"(\w+)"', orders)
    assert len(named) == len(re.findall(r"\bask(?:_github)?<\w[\w:]*>\(", orders)) - 1  # ask_github's own
    named += re.findall(r'return "(\w+)";', (ACTORS / "crash_point.hpp").read_text())
    steps = {f"{name}.{moment}" for name in named for moment in ("order", "answer")}
    steps |= worker_calls()
    for file in ACTORS.rglob("*.cpp"):
        steps |= {".".join(found) for found in re.findall(r'\breached\("(\w+)", "(\w+)"\)', file.read_text())}
    return steps


def steps_in(values):
    """Those in a test's table, whose rows may have more than that."""
    for value in values:
        if isinstance(value, str):
            yield from STEP.fullmatch(value).groups() if STEP.fullmatch(value) else ()
        elif isinstance(value, (list, tuple)):
            yield from steps_in(value)


def test_the_process_is_killed_at_every_step_in_some_test():
    modules = (adopt_test, crash_calls_test, crash_destroy_test, crash_images_test, crash_questions_test, disks_test, images_test, migration_test,
               sys.modules[__name__])
    marks = [mark for module in modules for name, test in vars(module).items() if name.startswith("test_")
             for mark in getattr(test, "pytestmark", [])]
    killed_at = {step for mark in marks for step in steps_in(mark.args[1])}
    assert len(named_steps()) > 50
    assert killed_at == named_steps()
