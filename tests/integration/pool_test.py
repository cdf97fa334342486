"""A pool's life: filled, taken from, worked, replaced, and carried over a restart."""

import os
import uuid

from harness import PATIENCE, wait_until
from monitor import profile


def labels_at_github(world, runner):
    return set(world.github.registrations()[runner["registration"]["name"]]["labels"])


def reservation_labels(world):
    """Every `reserved-...` label that any registration bears."""
    return {label for registration in world.github.registrations().values() for label in registration["labels"]
            if label.startswith("reserved-")}


def check_nothing_double(world, count):
    """Exactly one guest and one registration a runner, one disk a guest and one NVRAM file where it boots by UEFI, and nothing
    besides."""
    runners = world.monitor.runners()
    assert len(runners) == count
    names = {runner["guest_name"] for runner in runners.values()}
    assert set(world.libvirt.guests()) == names and len(names) == count
    assert set(world.github.registrations()) == {f"{name}@ci0" for name in names}
    files = os.listdir(f"{world.monitor.settings['images_path']}/runner")
    assert sorted(int(file.split("-")[0]) for file in files) == sorted(list(runners) * (2 if world.libvirt.uefi else 1)), files


def wait_until_settled(world, count, seconds=PATIENCE):
    """What is gone is gone at all parties; they are told one after the other."""
    def settled():
        names = {runner["guest_name"] for runner in world.monitor.runners().values()}
        return (len(names) == count and set(world.libvirt.guests()) == names
                and set(world.github.registrations()) == {f"{name}@ci0" for name in names})
    wait_until(f"{count} runners at all parties", settled, seconds)


def gigabytes(size):
    return int(size.removesuffix("G"))


def check_room(world, count):
    """G4, by all events of libvirt: so many guests ran at once, and never more than the host has room for, where all
    profiles are of one size."""
    size, = {gigabytes(values["requires_normal_memory"]) for values in world.monitor.profiles.values()}
    room = gigabytes(world.monitor.settings["available_normal_memory"]) // size
    libvirt = world.libvirt
    wait_until("the events tell who runs now",
               lambda: libvirt.heard()[0] == {name for name, runs in libvirt.guests("").items() if runs})
    most = libvirt.heard()[1]
    assert count <= most <= room, f"{most} guests ran at once"


def reserve(monitor):
    """A full pool of two, and one of its runners reserved: what must not be lost."""
    monitor.wait_for_runners("linux", 2)
    unique_id = str(uuid.uuid4())
    taken = monitor.take("linux", unique_id)
    assert taken.status == 200
    return unique_id, taken.json()["id"]


def check_nothing_lost(world, unique_id, runner, deadline=None):
    """G3: the reservation holds its runner, and everybody else says so too."""
    monitor = world.monitor
    monitor.wait_for_runners("linux", 1, "Reserved")
    monitor.wait_for_runners("linux", 1)
    assert monitor.take("linux", unique_id).json()["id"] == runner
    if deadline is not None:
        assert monitor.reservation(unique_id).json()["deadline"] == deadline
    wait_until_settled(world, 2)
    check_nothing_double(world, 2)


def test_pools_are_filled(world):
    monitor = world.begin({"linux": profile(3), "windows": profile(1), "off": profile(0)})
    monitor.wait_for_runners("linux", 3)
    monitor.wait_for_runners("windows", 1)
    check_nothing_double(world, 4)
    counts = monitor.dashboard()["profile_runner_counts"]
    assert (counts["linux"]["target"], counts["linux"]["idle"], counts["linux"]["wanted"]) == (3, 3, 0)
    assert (counts["off"]["target"], counts["off"]["healthy"]) == (0, 0)
    for runner in monitor.runners("linux").values():
        assert {"self-hosted", "X64", "self-hosted-image:linux"} <= labels_at_github(world, runner)


def test_take_gives_the_lowest_idle_runner_and_the_same_again(world):
    monitor = world.begin({"linux": profile(3)})
    idle = monitor.wait_for_runners("linux", 3)
    unique_id = str(uuid.uuid4())
    first = monitor.take("linux", unique_id, run_id=7)
    assert first.status == 200
    taken = first.json()
    assert taken["id"] == min(idle)
    assert taken["runner"]["status"] == "Reserved"
    labels = labels_at_github(world, taken["runner"])
    assert f"reserved-for:{unique_id}" in labels
    assert "reserved-by:octo-org/octo-repo/actions/runs/7" in labels
    assert monitor.runners()[taken["id"]]["status"] == "Reserved"
    again = monitor.take("linux", unique_id.upper(), run_id=7)
    assert (again.status, again.json()["id"]) == (200, taken["id"])
    assert monitor.take("linux", unique_id, run_id=8).status == 409
    assert monitor.reservation(unique_id).json()["state"] == "reserved"
    assert len(monitor.runners("linux", "Idle")) == 2


def test_too_many_is_null_and_changes_nothing(world):
    monitor = world.begin({"linux": profile(3)})
    idle = monitor.wait_for_runners("linux", 3)
    answer = monitor.take("linux", count=4)
    assert (answer.status, answer.json()) == (200, None)
    assert monitor.runners("linux", "Idle") == idle
    assert reservation_labels(world) == set()
    unique_id = str(uuid.uuid4())
    three = monitor.take("linux", unique_id, count=3)
    assert three.status == 200
    assert [entry["id"] for entry in three.json()] == sorted(idle)
    for entry in three.json():
        assert f"reserved-for:{unique_id}" in labels_at_github(world, entry["runner"])
    assert monitor.take("linux").json() is None


def test_runners_are_replaced_when_their_jobs_are_over(world):
    monitor = world.begin({"linux": profile(3)})
    idle = monitor.wait_for_runners("linux", 3)
    unique_id = str(uuid.uuid4())
    taken = [entry["id"] for entry in monitor.take("linux", unique_id, count=2).json()]
    names = {idle[runner_id]["registration"]["name"] for runner_id in taken}
    jobs = [world.github.queue_job(f"reserved-for:{unique_id}", seconds=1.0) for _ in taken]
    done = [world.github.wait_for_job(job["id"]) for job in jobs]
    assert {job["runner_name"] for job in done} == names
    assert {job["conclusion"] for job in done} == {"success"}

    def replaced():
        now = monitor.runners("linux", "Idle")
        return len(now) == 3 and not set(taken) & set(now) and now
    now = wait_until("new runners in place of those that worked", replaced)
    assert min(set(now) - set(idle)) > max(idle)
    assert set(idle) - set(taken) <= set(now)
    wait_until_settled(world, 3)
    check_nothing_double(world, 3)
    wait_until("its reservation has ended", lambda: monitor.reservation(unique_id).json()["state"] == "finished")
    assert monitor.take("linux", unique_id, count=2).status == 410


def check_carried_over(world, again):
    """G3, G5: `again` ends and starts the monitor while a reservation lives."""
    monitor = world.begin({"linux": profile(3), "windows": profile(1)})
    monitor.wait_for_runners("linux", 3)
    monitor.wait_for_runners("windows", 1)
    unique_id = str(uuid.uuid4())
    taken = monitor.take("linux", unique_id, count=2).json()
    ids = [entry["id"] for entry in taken]
    before = {key: runner["registration"]["id"] for key, runner in monitor.runners().items()}
    deadline = monitor.reservation(unique_id).json()["deadline"]
    again(monitor)
    monitor.wait_for_runners("linux", 2, "Reserved")
    monitor.wait_for_runners("linux", 1)
    monitor.wait_for_runners("windows", 1)
    wait_until_settled(world, 4)  # libvirt's listing may come a moment after GitHub's
    assert {key: runner["registration"]["id"] for key, runner in monitor.runners().items()} == before
    check_nothing_double(world, 4)
    assert [entry["id"] for entry in monitor.take("linux", unique_id, count=2).json()] == ids
    assert monitor.reservation(unique_id).json()["deadline"] == deadline
    jobs = [world.github.queue_job(f"reserved-for:{unique_id}", seconds=0.5) for _ in ids]
    names = {entry["runner"]["registration"]["name"] for entry in taken}
    assert {world.github.wait_for_job(job["id"])["runner_name"] for job in jobs} == names
    wait_until("the pool is full again",
               lambda: len(monitor.runners("linux", "Idle")) == 3 and not set(ids) & set(monitor.runners()))
    wait_until_settled(world, 4)
    check_nothing_double(world, 4)


def test_nothing_is_lost_and_nothing_double_after_sigterm(world):
    check_carried_over(world, lambda monitor: monitor.restart())


def test_nothing_is_lost_and_nothing_double_after_kill_9(world):
    check_carried_over(world, lambda monitor: monitor.crash())
