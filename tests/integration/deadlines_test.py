"""Reservations past their answer: when one is given up, what is asked before, and who takes a lost runner's place."""

import uuid

from harness import wait_until
from monitor import REPOSITORY, profile
from outside import settle
from pool_test import check_nothing_double, wait_until_settled

LONG = {"monitor_reserve_timeout": 300, "reserve_timeout_max": 600}


class Reserved:
    """A reservation of one runner for a workflow run of its own."""

    def __init__(self, world, count=None):
        self.world, self.monitor = world, world.monitor
        self.unique_id = str(uuid.uuid4())
        self.run = world.github.control("POST", "runs", {"repo": REPOSITORY})["id"]
        answer = self.monitor.take("linux", self.unique_id, count=count, run_id=self.run).json()
        self.runner = answer["runner"]
        self.name = self.runner["registration"]["name"]

    def queue(self, *more_labels, seconds=0.0):
        return self.world.github.queue_job(f"reserved-for:{self.unique_id}", *more_labels, seconds=seconds, run_id=self.run)

    def wait_with_a_job(self):
        """It has the reservation's label and one that nobody has: it is queued for ever."""
        return self.queue("no-runner-has-this")

    @property
    def state(self):
        return self.monitor.reservation(self.unique_id).json()["state"]

    def lives(self):
        return self.runner["guest_name"] in self.world.libvirt.guests()

    def bearers(self):
        """Names of the registrations that bear its label."""
        label = f"reserved-for:{self.unique_id}"
        return {name for name, one in self.world.github.registrations().items() if label in one["labels"]}


def count_of(monitor, family):
    """Of the profile linux."""
    for line in monitor.http.get("/metrics").body.decode().splitlines():
        if line.startswith(f'{family}{{profile="linux"}}'):
            return float(line.split()[-1])
    return 0.0


def settled_pool(world, count):
    world.monitor.wait_for_runners("linux", count)
    wait_until_settled(world, count)
    check_nothing_double(world, count)


def test_past_its_deadline_a_reservation_lives_only_as_long_as_a_job_waits_for_it(world):
    monitor = world.begin({"linux": profile(2)}, monitor_reserve_timeout=4, reserve_timeout_max=14)
    monitor.wait_for_runners("linux", 2)
    awaited, forgotten = Reserved(world), Reserved(world)
    awaited.wait_with_a_job()
    wait_until("given up, as no job of its run waits", lambda: forgotten.state == "expired")
    assert awaited.state == "reserved" and awaited.lives()
    wait_until("its runner is replaced", lambda: not forgotten.lives())
    wait_until("given up in the end", lambda: awaited.state == "expired")
    assert "expired: no job of its reservation began in time" in monitor.log()
    settled_pool(world, 2)


def test_a_reservation_is_kept_while_github_cannot_tell_of_its_run(world):
    monitor = world.begin({"linux": profile(1)}, monitor_reserve_timeout=3, reserve_timeout_max=60)
    monitor.wait_for_runners("linux", 1)
    world.github.fault("runs", "reset", count=-1)
    reserved = Reserved(world)
    wait_until("it was asked past the deadline", lambda: world.github.state()["counters"].get("runs", {}).get("reset", 0) > 0)
    settle(3.0, "kept", lambda: reserved.state == "reserved" and reserved.lives())
    world.github.no_faults()
    wait_until("given up", lambda: reserved.state == "expired")
    settled_pool(world, 1)


def test_runs_that_end_free_their_runners_before_the_deadline(world):
    monitor = world.begin({"linux": profile(2)}, **LONG)
    monitor.wait_for_runners("linux", 2)
    cancelled, completed = Reserved(world), Reserved(world)
    world.github.control("DELETE", f"runs/{cancelled.run}")
    world.github.control("PUT", f"runs/{completed.run}", {"status": "completed", "conclusion": "success"})
    for one in (cancelled, completed):
        wait_until("given up", lambda one=one: one.state == "expired")
        wait_until("its runner is replaced", lambda one=one: not one.lives())
    log = monitor.log()
    assert "expired: its workflow run was cancelled" in log and "expired: its workflow run is over" in log
    settled_pool(world, 2)


def test_a_reserved_runner_that_dies_is_replaced_by_an_idle_one(world):
    monitor = world.begin({"linux": profile(3)}, **LONG)
    monitor.wait_for_runners("linux", 3)
    reserved = Reserved(world)
    world.libvirt.stop_guest(reserved.runner["guest_name"])

    def listens_no_more():
        at_github = world.github.registrations().get(reserved.name)
        return at_github is None or not (at_github["session"] or {}).get("polling")
    wait_until("its program is gone", listens_no_more)
    job = reserved.queue(seconds=0.5)
    done = world.github.wait_for_job(job["id"])
    assert done["conclusion"] == "success" and done["runner_name"] != reserved.name
    assert count_of(monitor, "ci_monitor_replaced_total") == 1
    assert "event=runner_replaced" in monitor.log()
    wait_until("its job has ended", lambda: reserved.state == "finished")
    settled_pool(world, 3)


def test_a_stolen_runner_is_noticed_shown_counted_and_replaced(world):
    """G2: a job with a broad runs-on comes first; the reservation's job gets another runner."""
    monitor = world.begin({"linux": profile(3)}, **LONG)
    monitor.wait_for_runners("linux", 3)
    reserved = Reserved(world)
    thief = world.github.queue_job("self-hosted-image:linux", seconds=25.0)  # GitHub's list is doubted for 10 s
    assert world.github.wait_for_job(thief["id"], "in_progress")["runner_name"] == reserved.name
    job = reserved.queue(seconds=0.5)
    wait_until("it is shown", lambda: any(runner["details"].get("stolen_from") == reserved.unique_id
                                          for runner in monitor.runners("linux", "Busy").values()))
    done = world.github.wait_for_job(job["id"])
    assert done["conclusion"] == "success" and done["runner_name"] != reserved.name
    assert count_of(monitor, "ci_monitor_stolen_total") == 1
    assert count_of(monitor, "ci_monitor_replaced_total") == 1
    # The thief is not disturbed.
    assert world.github.wait_for_job(thief["id"])["conclusion"] == "success"
    wait_until("its job has ended", lambda: reserved.state == "finished")
    settled_pool(world, 3)
