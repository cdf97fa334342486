"""How long each step of a runner's life takes on real guests, one guest at a time; E2E_LIVES sets how many are measured."""

import os
import re
import statistics
from datetime import datetime

from harness import wait_until
from life_test import tiny

LIVES = int(os.environ.get("E2E_LIVES", "3"))
STEPS = ("ordered", "registered", "started", "boot", "jitconfig_served", "online")


def moments(log):
    """(seconds, event, runner) of each line; a /boot that was served counts for the runner that was started last."""
    last = None
    for line in log.splitlines():
        found = re.match(r"(\S+)Z level=\w+ event=(\w+)(.*)", line)
        if not found:
            continue
        event, rest = found[2], found[3]
        runner = re.search(r" runner=(\d+)", rest)
        if event == "started" and runner:
            last = int(runner[1])
        if event == "served" and " route=/boot status=200" in rest:
            event, runner = "boot", None
        elif not runner:
            continue
        yield datetime.fromisoformat(found[1]).timestamp(), event, int(runner[1]) if runner else last


def test_times_of_the_steps(world, capsys):
    monitor = world.begin({"tiny": tiny(1)})
    for _ in range(LIVES):
        (runner_id, _), = monitor.wait_for_runners("tiny", 1).items()
        world.github.wait_for_job(world.github.queue_job("self-hosted-image:tiny", seconds=0.5)["id"])
        wait_until("it is replaced", lambda: [key for key in monitor.runners("tiny", "Idle") if key != runner_id])
    lives, ended = {}, []
    for at, event, runner in moments(monitor.log()):
        lives.setdefault(runner, {}).setdefault(event, at)
        if event == "destroying":
            ended.append((at, runner))
    rows = {step: [life[step] - life["ordered"] for life in lives.values() if step in life] for step in STEPS[1:]}
    rows["power-off to replacement started"] = [
        min(life["started"] for number, life in lives.items() if number > runner and "started" in life) - at
        for at, runner in ended]
    assert all(len(values) >= LIVES for values in rows.values()), rows
    with capsys.disabled():
        print(f"\nseconds after the order, {LIVES + 1} guests one after another: median, worst")
        for step, values in rows.items():
            print(f"  {step:<34}{statistics.median(values):7.2f}{max(values):7.2f}")
    # Far above what it takes, far below what would be a wedge.
    assert max(rows["online"]) < 60
