"""The process is killed over what it asks GitHub: about a registration whose answer was lost, and about a reservation's run."""

import uuid

import pytest

from crash import begin, begin_without_guests, settle_and_check, start_and_crash
from harness import wait_until
from select_test import begin_run


@pytest.mark.parametrize("first, step", [("register.order", "find.answer"), ("register.answer", "find.order"),
                                         ("register.answer", "find.answer")])
def test_killed_while_a_lost_registration_is_looked_for(world, first, step):
    """G5: whether GitHub made it or not, nothing of it is left."""
    monitor = begin_without_guests(world)
    start_and_crash(monitor, first)
    start_and_crash(monitor, step)
    monitor.begin().wait_ready()
    settle_and_check(world, monitor)


@pytest.mark.parametrize("step", ["ask_run.order", "ask_run.answer", "ask_jobs.order", "ask_jobs.answer"])
@pytest.mark.parametrize("begins", [False, True], ids=["no-job-comes", "its-job-begins-meanwhile"])
def test_killed_while_a_reservations_run_is_asked_about(world, step, begins):
    """G1, G3, G5: it is given up by what GitHub says after the start, and not if its job has begun."""
    monitor = begin(world, monitor_reserve_timeout=3, reserve_timeout_max=120)
    monitor.wait_for_runners("linux", 3)
    unique_id, run = str(uuid.uuid4()), begin_run(world.github)
    taken = monitor.take("linux", unique_id, run_id=run).json()
    monitor.stop()
    start_and_crash(monitor, step)  # past its deadline
    job = begins and world.github.queue_job(f"reserved-for:{unique_id}", seconds=2.0, run_id=run)
    if job:
        world.github.wait_for_job(job["id"], "in_progress")
    monitor.begin().wait_ready()
    wait_until("it has ended", lambda: monitor.reservation(unique_id).json()["ended_time"])
    assert monitor.reservation(unique_id).json()["state"] == ("finished" if job else "expired")
    assert not job or world.github.wait_for_job(job["id"])["conclusion"] == "success"
    wait_until("its runner is replaced", lambda: taken["id"] not in monitor.runners())
    settle_and_check(world, monitor, reservations=1)
