"""How long each step of a runner's life takes on real guests, one guest at a time; E2E_LIVES sets how many are measured."""

import json
import os
import re
import statistics
import threading
import time
from datetime import datetime
from pathlib import Path

from harness import wait_until
from life_test import tiny

LIVES = int(os.environ.get("E2E_LIVES", "3"))
STEPS = ("disk", "registered", "defined", "started", "lease", "boot", "jitconfig", "online")
LEASES = Path("/var/lib/libvirt/dnsmasq/virbr0.status")  # libvirt's helper writes it when dnsmasq gives an address


class LeaseWatch(threading.Thread):
    """When each MAC address first had a lease, by the wall clock: the daemon sees it later, when it looks."""

    def __init__(self):
        super().__init__(daemon=True)
        self.first, self.over = {}, threading.Event()

    def run(self):
        last = None
        while not self.over.wait(0.02):
            try:
                changed = LEASES.stat().st_mtime_ns
                if changed != last:
                    for lease in json.loads(LEASES.read_text() or "[]"):
                        self.first.setdefault(lease["mac-address"], time.time())
                last = changed
            except (OSError, ValueError):
                pass  # it is being written

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


def measured(log, event):
    """The daemon's own measurements: step (or None) -> seconds, in the order of its log."""
    found = {}
    for line in log.splitlines():
        match = re.search(rf" event={event} runner=\d+ (?:step=(\w+) )?.*?seconds=([0-9.]+)", line)
        if match:
            found.setdefault(match[1], []).append(float(match[2]))
    return found


def ordered(log):
    """When each runner was ordered, by the wall clock."""
    return {int(match[2]): datetime.fromisoformat(match[1] + "+00:00").timestamp()
            for match in re.finditer(r"(?m)^(\S+)Z level=\w+ event=ordered runner=(\d+)", log)}


def test_times_of_the_steps(world, capsys):
    """From the daemon's measurements, which its histograms have too; leases also by dnsmasq's own account."""
    monitor = world.begin({"tiny": tiny(1)}, start=False)
    macs = {}
    with LeaseWatch() as leases:
        monitor.begin().wait_ready()
        for life in range(LIVES + 1):
            (runner_id, runner), = wait_until("the next one", lambda: {
                key: value for key, value in monitor.runners("tiny", "Idle").items() if key not in macs}).items()
            macs[runner_id] = world.host.mac(runner["guest_name"])
            if life < LIVES:
                world.github.wait_for_job(world.github.queue_job("self-hosted-image:tiny", seconds=0.5)["id"])
    rows = {step: values for step, values in measured(monitor.log(), "step").items() if step}
    assert set(rows) == set(STEPS), rows
    rows = {step: rows[step] for step in STEPS}
    begin = ordered(monitor.log())
    rows["lease, by dnsmasq"] = [leases.first[mac] - begin[runner_id] for runner_id, mac in macs.items()]
    rows["power-off to replacement started"] = measured(monitor.log(), "replaced")[None]
    assert all(len(values) >= LIVES for values in rows.values()), rows
    metrics = monitor.http.get("/metrics").body.decode()
    for step in STEPS:
        assert f'ci_monitor_runner_step_seconds_count{{step="{step}"}} {len(rows[step])}' in metrics
    assert 'ci_monitor_replacement_seconds_count{profile="tiny"}' in metrics
    with capsys.disabled():
        print(f"\nseconds after the order, {LIVES + 1} guests one after another: median, worst")
        for step, values in rows.items():
            print(f"  {step:<34}{statistics.median(values):7.2f}{max(values):7.2f}")
    # Far above what it takes, far below what would be a wedge.
    assert max(rows["online"]) < 60
