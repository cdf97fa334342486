"""calls.py MINUTES LIVES: what the daemon asks of GitHub, by github-simulator's count, with the default times.

First a pool of 20 runners is idle for so many minutes: calls an hour, how many of them 304 (which cost nothing of GitHub's
hourly budget), and how much of the budget was used. Then runners take so many jobs, one after the other is replaced: calls a
runner's life, from its registration to its end, less what the idle pool would have cost meanwhile.
"""

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from conftest import World  # noqa: E402
from harness import wait_until  # noqa: E402
from monitor import QUICK, profile  # noqa: E402

POOL = 20
# GitHub's own delays as one sees them there, and the daemon's own times.
GITHUB = {"online_delay": 1.0, "busy_delay": 2.0, "gone_delay": 3.0}
DEFAULTS = {"monitor_poll_interval": 5, "api_cache_timeout": 30, "monitor_start_timeout": 120, "monitor_reserve_timeout": 60,
            "reserve_timeout_max": 600, "idle_confirmation": 60, "reserved_confirmation": 90, "monitor_lost_timeout": 1800,
            "github_writes_per_minute": 80, "github_points_per_minute": 900}
assert set(QUICK) <= set(DEFAULTS), "a time that is not the default one"


class Count:
    """Calls from its beginning on, by operation and status."""

    def __init__(self, github):
        self.github = github
        self.begin, self.used, self.seconds = self.now(), self.spent(), time.monotonic()

    def now(self):
        return Counter({(operation, status): number for operation, statuses in self.github.state()["counters"].items()
                        for status, number in statuses.items()
                        if operation not in ("session", "job", "alive", "done", "end_session")})

    def spent(self):
        return self.github.state()["rate"]["used"]

    def calls(self):
        return self.now() - self.begin

    def budget(self):
        return self.spent() - self.used

    def hours(self):
        return (time.monotonic() - self.seconds) / 3600


def table(calls, each=1.0):
    return ", ".join(f"{operation} {status}: {number / each:.2f}" for (operation, status), number in sorted(calls.items()))


def main(minutes, lives):
    world = World(Path(tempfile.mkdtemp(prefix="ci-monitor-calls-")))
    try:
        monitor = world.begin({"linux": profile(POOL)}, github=GITHUB, **DEFAULTS)
        monitor.wait_for_runners("linux", POOL, seconds=180.0)
        idle = Count(world.github)
        time.sleep(minutes * 60)
        quiet, hours, budget = idle.calls(), idle.hours(), idle.budget()
        total = sum(quiet.values())
        unchanged = sum(number for (_, status), number in quiet.items() if status == "304")
        print(f"idle pool of {POOL}, {hours * 60:.1f} min: {total / hours:.0f} calls an hour, {unchanged / hours:.0f} of them 304, "
              f"{budget / hours:.0f} of the hour's budget")
        print(f"  an hour: {table(quiet, hours)}")
        work = Count(world.github)
        before = world.github.state()["registered_ever"]
        for _ in range(lives):
            job = world.github.queue_job("self-hosted-image:linux", seconds=5.0)
            world.github.wait_for_job(job["id"])
        wait_until("all are replaced", lambda: world.github.state()["registered_ever"] >= before + lives, 180.0)
        monitor.wait_for_runners("linux", POOL, seconds=180.0)
        busy, hours = work.calls(), work.hours()
        cost = Counter({key: number - round(quiet.get(key, 0) * hours / idle.hours()) for key, number in busy.items()})
        print(f"{lives} runner lives: {sum(busy.values()) / lives:.2f} calls a life, with the polls of these "
              f"{hours * 60:.1f} min; {table(busy, lives)}")
        print(f"  without the idle pool's polls: {sum(number for number in cost.values() if number > 0) / lives:.2f}")
    finally:
        world.end()


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
