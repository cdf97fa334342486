"""The process is killed while a runner is destroyed: its guest is off, or it runs and must run until GitHub lets it go (G1, G5)."""

import pytest

from crash import Request, begin, full, guests_that_run, read_store, settle_and_check, start_and_crash
from harness import wait_until
from monitor import profile
from outside import settle


@pytest.mark.parametrize("step", ["unregister.order", "unregister.answer", "remove.order", "remove.answer", "commit.answer:2"])
def test_killed_while_a_runner_is_destroyed(world, step):
    """G5: a runner whose guest went off is removed to the end."""
    monitor = begin(world)
    monitor.wait_for_runners("linux", 3)
    monitor.stop()
    world.libvirt.stop_guest(guests_that_run(world)[0])
    start_and_crash(monitor, step)
    monitor.begin().wait_ready()
    settle_and_check(world, monitor)


@pytest.mark.parametrize("step, registered, defined", [
    ("commit.order", True, True), ("commit.answer", True, True), ("look.order", True, True), ("look.answer", True, True),
    ("look.order:2", True, True), ("look.answer:2", True, True), ("unregister.order", True, True),
    ("unregister.answer", False, True), ("commit.order:2", False, True), ("remove.order", False, True),
    ("remove.answer", False, False), ("commit.order:3", False, None), ("commit.answer:3", False, None)])
def test_killed_while_an_idle_runner_is_destroyed(world, step, registered, defined):
    """G1, G5: its guest runs until GitHub has let it go; what was answered, or is durable, is done after the next start. How
    much of it the third commit holds is a matter of time: `defined` is None there."""
    monitor = begin(world)
    runner_id, runner = min(monitor.wait_for_runners("linux", 3).items())
    monitor.stop()
    name, order = runner["guest_name"], f"/runner/{runner_id}/destroy"
    request = Request(monitor, lambda http: http.post(order), full(monitor))
    start_and_crash(monitor, step, request)

    def runs_and_is_registered():
        """Asked in this order: what GitHub let go stays so."""
        return name in guests_that_run(world), f"{name}@ci0" in world.github.registrations()
    assert runs_and_is_registered() == (True, True) if registered else not runs_and_is_registered()[1]
    assert defined is None or (name in world.libvirt.guests()) == defined
    durable = read_store(monitor, f"SELECT phase FROM runner WHERE id = {runner_id}") != [("live",)]
    assert durable or request.answer is None
    monitor.begin().wait_ready()
    if not durable:
        assert monitor.http.post(order).status == 200

    def gone():
        runs, known = runs_and_is_registered()
        assert runs or not known, "stopped before GitHub let it go"
        return not runs
    wait_until("it is gone", gone)
    settle_and_check(world, monitor)
    assert runner_id not in monitor.runners()


@pytest.mark.parametrize("step", ["commit.answer", "look.answer", "look.answer:2", "unregister.order"])
def test_killed_while_a_runner_is_destroyed_that_a_job_comes_to_meanwhile(world, step):
    """G1: what GitHub said before does not count after the start, and the job is not disturbed."""
    monitor = begin(world, {"linux": profile(1, memory="1G")})
    (runner_id, runner), = monitor.wait_for_runners("linux", 1).items()
    monitor.stop()
    start_and_crash(monitor, step, Request(monitor, lambda http: http.post(f"/runner/{runner_id}/destroy"), full(monitor, 1)))
    job = world.github.queue_job("self-hosted-image:linux", seconds=600)
    assert world.github.wait_for_job(job["id"], "in_progress")["runner_name"] == runner["registration"]["name"]
    monitor.begin().wait_ready()
    settle(3.0, "the job goes on", lambda: world.github.job(job["id"])["status"] == "in_progress"
           and runner["guest_name"] in guests_that_run(world))
    world.github.cancel_job(job["id"])
    wait_until("it is gone", lambda: runner["guest_name"] not in guests_that_run(world))
    settle_and_check(world, monitor, count=1)
    assert runner_id not in monitor.runners()
