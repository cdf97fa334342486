"""Runner life on real guests."""

import os
import signal

from harness import wait_until
from monitor import profile

HANGS = "#!/bin/sh\nsleep 1000000\n"
PANICS = "#!/bin/sh\necho c >/proc/sysrq-trigger\n"


def tiny(target, **more):
    return profile(target, memory="96M", **more)


def nothing_left_of(world, runner_id, guest_name):
    """G5"""
    wait_until(f"{guest_name} is gone", lambda: guest_name not in world.host.guests())
    wait_until(f"its disk is gone", lambda: not [name for name in world.host.disks(world.images)
                                                  if name.startswith(f"{runner_id}-")])
    wait_until(f"its registration is gone", lambda: f"{guest_name}@ci0" not in world.github.registrations())


def test_g1_g4_g5_two_profiles_boot_work_and_are_replaced(world):
    """G1, G4, G5: a job goes to its profile's guest; the guest powers itself off, or stays on, and is replaced."""
    stays = world.boot_script.replace("[ ! -e /disk/stays ] ||", "")
    assert stays != world.boot_script
    monitor = world.begin({"tiny": tiny(1), "stays": tiny(1, boot_script=stays)}, available_normal_memory="192M")
    runners = {key: monitor.wait_for_runners(key, 1).popitem() for key in ("tiny", "stays")}
    for runner_id, runner in runners.values():
        assert runner["ipv4_address"] == world.host.address(runner["guest_name"])
        xml = world.host.definition(runner["guest_name"])
        assert xml.find("devices/interface/port").get("isolated") == "yes"
        assert xml.find("devices/interface/filterref").get("filter") == "clean-traffic"
        assert xml.find("devices/disk/driver").get("type") == "raw"
    jobs = {key: world.github.queue_job(f"self-hosted-image:{key}", seconds=2) for key in runners}
    for key, (runner_id, runner) in runners.items():
        done = world.github.wait_for_job(jobs[key]["id"])
        assert done["runner_name"] == runner["registration"]["name"] and done["conclusion"] == "success"
    for key, (runner_id, runner) in runners.items():
        nothing_left_of(world, runner_id, runner["guest_name"])
        (next_id, _), = monitor.wait_for_runners(key, 1).items()
        assert next_id > runner_id


def test_g2_a_reserved_job_reaches_the_guest_that_was_reserved(world):
    monitor = world.begin({"tiny": tiny(2)})
    monitor.wait_for_runners("tiny", 2)
    unique_id = "0f0e0d0c-0b0a-4908-8706-050403020100"
    (taken,) = [monitor.take("tiny", unique_id).json()]
    job = world.github.queue_job(f"reserved-for:{unique_id}", seconds=1)
    done = world.github.wait_for_job(job["id"])
    assert done["runner_name"] == taken["runner"]["registration"]["name"]


def test_g5_guests_that_hang_panic_or_are_killed_are_replaced(world):
    """G5, G6: each trouble is its own profile's; the good profile has its runner all the time."""
    monitor = world.begin({"good": tiny(1), "hangs": tiny(1, boot_script=HANGS), "panics": tiny(1, boot_script=PANICS)},
                          monitor_start_timeout=30)
    (good_id, good), = monitor.wait_for_runners("good", 1).items()

    def first(key):
        return sorted(name for name in world.host.guests() if name.startswith(f"ci-runner-{key}."))
    wait_until("one that panicked was replaced", lambda: [row for row in world.events("gone") if "profile=panics" in row])
    wait_until("one that hung was replaced", lambda: [row for row in world.events("gone") if "profile=hangs" in row])
    assert "did not come online in time" in [row for row in world.events("destroying") if "profile=hangs" in row][0]
    assert good_id in monitor.runners("good", "Idle"), "the good runner was left alone"
    os.kill(world.host.qemu_pid(good["guest_name"]), signal.SIGKILL)
    wait_until("another good one", lambda: [key for key in monitor.runners("good", "Idle") if key != good_id])
    nothing_left_of(world, good_id, good["guest_name"])
    assert first("good") != [good["guest_name"]]
