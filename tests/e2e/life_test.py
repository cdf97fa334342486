"""Runner life on real guests."""

import json
import os
import signal
import subprocess
from pathlib import Path

from harness import wait_until
from monitor import SNAPSHOT, profile
from select_test import begin_run, select, upload

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


def check_overlay(world, disk, runner_id):
    """/tmp has no reflinks here: QEMU was told of an overlay, with everything that is below it, and of all formats."""
    file, backing = disk.find("source").get("file"), disk.find("backingStore")
    if disk.find("driver").get("type") == "raw":
        assert [line for line in world.events("disk_cloned") if f"file=\"{file}\"" in line and "way=clone_reflink" in line]
        return
    assert disk.find("driver").get("type") == "qcow2" and Path(file).name.startswith(f"{runner_id}-base.img@")
    assert backing.find("format").get("type") == "raw" and "/base/" in backing.find("source").get("file")
    chain = json.loads(subprocess.run(["qemu-img", "info", "-U", "--output=json", file], capture_output=True, check=True,
                                      timeout=60).stdout)
    assert chain["format"] == "qcow2" and chain["backing-filename-format"] == "raw"
    assert chain["backing-filename"] == backing.find("source").get("file")
    assert [line for line in world.events("disk_cloned") if f"file=\"{file}\"" in line and "way=clone_overlay" in line]


def test_g1_g4_g5_two_profiles_boot_work_and_are_replaced(world):
    """G1, G4, G5: a job goes to its profile's guest; the guest powers itself off, or stays on, and is replaced."""
    stays = world.boot_script.replace("[ ! -e /disk/stays ] ||", "")
    assert stays != world.boot_script
    writes = world.boot_script.replace("say \"session", "cat /disk/mark; echo $agent >/disk/mark; sync; say \"session")
    assert writes != world.boot_script
    monitor = world.begin({"tiny": tiny(1, boot_script=writes), "stays": tiny(1, boot_script=stays)},
                          available_normal_memory="192M")
    bases = {path: path.read_bytes() for path in Path(world.images).rglob("base.img@*")}
    runners = {key: monitor.wait_for_runners(key, 1).popitem() for key in ("tiny", "stays")}
    for runner_id, runner in runners.values():
        assert runner["ipv4_address"] == world.host.address(runner["guest_name"])
        xml = world.host.definition(runner["guest_name"])
        assert xml.find("devices/interface/port").get("isolated") == "yes"
        assert xml.find("devices/interface/filterref").get("filter") == "clean-traffic"
        check_overlay(world, xml.find("devices/disk"), runner_id)
    jobs = {key: world.github.queue_job(f"self-hosted-image:{key}", seconds=2) for key in runners}
    for key, (runner_id, runner) in runners.items():
        done = world.github.wait_for_job(jobs[key]["id"])
        assert done["runner_name"] == runner["registration"]["name"] and done["conclusion"] == "success"
    for key, (runner_id, runner) in runners.items():
        nothing_left_of(world, runner_id, runner["guest_name"])
        (next_id, _), = monitor.wait_for_runners(key, 1).items()
        assert next_id > runner_id
    # What a runner writes stays on its own disk.
    assert len(bases) == 2 and all(path.read_bytes() == content for path, content in bases.items())
    for family in ("ci_monitor_runner_step_seconds_count", "ci_monitor_replacement_seconds_count"):
        assert family in monitor.http.get("/metrics").body.decode()


def test_g2_a_job_reserved_by_take_reaches_its_guest(world):
    monitor = world.begin({"tiny": tiny(2)})
    monitor.wait_for_runners("tiny", 2)
    unique_id = "0f0e0d0c-0b0a-4908-8706-050403020100"
    (taken,) = [monitor.take("tiny", unique_id).json()]
    job = world.github.queue_job(f"reserved-for:{unique_id}", seconds=1)
    done = world.github.wait_for_job(job["id"])
    assert done["runner_name"] == taken["runner"]["registration"]["name"]


def test_g2_a_job_reserved_by_select_runner_reaches_its_guest(world):
    """Without a token: an artifact of the run is the proof, and the job runs on the guest that the answer named."""
    monitor = world.begin({"linux": tiny(2)})
    monitor.wait_for_runners("linux", 2)
    run_id, unique_id = begin_run(world.github), "1f0e0d0c-0b0a-4908-8706-050403020100"
    upload(world.github, run_id, unique_id)
    answer = select(monitor, unique_id, run_id)
    assert answer.status == 200, answer
    (entry,) = answer.json()
    selected = entry["runner"]
    job = world.github.queue_job(f"reserved-for:{unique_id}", run_id=run_id, seconds=1)
    done = world.github.wait_for_job(job["id"])
    assert done["runner_name"] == selected["registration"]["name"] and done["conclusion"] == "success"
    nothing_left_of(world, entry["id"], selected["guest_name"])


def test_g5_guests_that_hang_panic_or_are_killed_are_replaced(world):
    """G5, G6: each trouble is its own profile's; the good profile has its runner all the time.

    One never asks for its JIT config, one panics, and one does not even come as far as its boot script."""
    monitor = world.begin({"good": tiny(1), "hangs": tiny(1, boot_script=HANGS), "panics": tiny(1, boot_script=PANICS),
                           "stuck": tiny(1)}, start=False, monitor_start_timeout=30)
    stuck = f"ci-template-stuck@{SNAPSHOT}"
    definition = world.folder / "stuck.xml"
    definition.write_text(world.host.virsh("dumpxml", stuck).replace("panic=-1", "panic=0 rdinit=/not/there"))
    assert "rdinit" in definition.read_text()
    world.host.virsh("define", str(definition))
    monitor.begin().wait_ready()
    (good_id, good), = monitor.wait_for_runners("good", 1).items()

    def first(key):
        return sorted(name for name in world.host.guests() if name.startswith(f"ci-runner-{key}."))
    wait_until("one that panicked was replaced", lambda: [row for row in world.events("gone") if "profile=panics" in row])
    wait_until("one that hung was replaced", lambda: [row for row in world.events("gone") if "profile=hangs" in row])
    wait_until("one that never booted was replaced", lambda: [row for row in world.events("gone") if "profile=stuck" in row])
    for key in ("hangs", "stuck"):
        assert "did not come online in time" in [row for row in world.events("destroying") if f"profile={key}" in row][0]
    assert good_id in monitor.runners("good", "Idle"), "the good runner was left alone"
    os.kill(world.host.qemu_pid(good["guest_name"]), signal.SIGKILL)
    wait_until("another good one", lambda: [key for key in monitor.runners("good", "Idle") if key != good_id])
    nothing_left_of(world, good_id, good["guest_name"])
    assert first("good") != [good["guest_name"]]
