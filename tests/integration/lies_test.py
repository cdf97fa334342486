"""A job runs while GitHub is wrong about it."""

import os
import time

from outside import settle
from monitor import profile

# Seconds that the job takes. The confirmations are a thirtieth of their defaults, so this is like a job of many minutes.
LONG = float(os.environ.get("CI_MONITOR_JOB_SECONDS", "12"))


def test_g1_g6_a_job_outlives_a_github_that_says_idle_forgets_and_fails(world):
    """G1, G6: `busy` is false all the time, the runner is missing from a listing, and every call fails for a while."""
    monitor = world.begin({"linux": profile(1)}, github={"report_busy": False})
    (runner,) = monitor.wait_for_runners("linux", 1).values()
    guest, name = runner["guest_name"], runner["registration"]["name"]
    job = world.github.queue_job("self-hosted-image:linux", seconds=LONG)
    world.github.wait_for_job(job["id"], "in_progress")
    end = time.monotonic() + LONG

    def lives():
        return world.libvirt.guests().get(guest) is True
    settle(LONG / 6, f"{guest} lives while GitHub calls it idle", lives)
    world.github.fault("list", "forget", runner=name, count=2)
    settle(LONG / 6, f"{guest} lives while it is missing", lives)
    world.github.fault("*", "status", status=500, count=-1)
    settle(LONG / 6, f"{guest} lives while GitHub fails", lives)
    assert monitor.http.get("/dashboard.html").status == 200
    assert not monitor.dashboard()["health"]["github"]["well"], "the dashboard says what is wrong"
    world.github.no_faults()
    # The operator wants no runner any more: the hardest case, for now it would be destroyed if it were idle.
    monitor.settings["destroy_all_non_busy_runners"] = True
    monitor.write_settings()
    monitor.signal(1)
    settle(max(0.0, end - time.monotonic() - LONG / 5), f"{guest} lives although it is to be destroyed", lives)
    assert world.github.wait_for_job(job["id"])["conclusion"] == "success"
