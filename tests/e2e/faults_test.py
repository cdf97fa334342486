"""The daemon and libvirtd are killed, frozen and started again under real guests."""

import signal
import subprocess

import pytest

from harness import wait_until
from life_test import nothing_left_of, tiny
from outside import settle


def test_g1_a_job_outlives_the_daemon_and_libvirtd(world):
    """G1, G3, G6: ci-monitor killed -9, libvirtd killed -9 and started again, then frozen for 20 s, all under one job."""
    monitor = world.begin({"tiny": tiny(1)})
    (runner_id, runner), = monitor.wait_for_runners("tiny", 1).items()
    job = world.github.queue_job("self-hosted-image:tiny", seconds=60)
    world.github.wait_for_job(job["id"], "in_progress")
    pid = world.host.qemu_pid(runner["guest_name"])

    monitor.crash()
    wait_until("it is known to be busy", lambda: runner_id in monitor.runners("tiny", "Busy"))
    assert world.host.qemu_pid(runner["guest_name"]) == pid

    world.host.kill_libvirtd()
    wait_until("the dashboard says so", lambda: not monitor.dashboard()["health"]["libvirt"]["well"])
    assert monitor.http.get("/readyz").status == 200 or monitor.http.get("/healthz").status == 200
    world.host.start_libvirtd()
    wait_until("libvirt is back", lambda: monitor.dashboard()["health"]["libvirt"]["well"])
    assert world.host.qemu_pid(runner["guest_name"]) == pid

    world.host.libvirtd(signal.SIGSTOP)
    try:
        wait_until("the frozen libvirtd is noticed", lambda: not monitor.dashboard()["health"]["libvirt"]["well"])
        settle(12, "the dashboard answers at once", lambda: monitor.http.get("/dashboard.json").seconds < 1)
    finally:
        world.host.libvirtd(signal.SIGCONT)
    wait_until("libvirt is back", lambda: monitor.dashboard()["health"]["libvirt"]["well"])
    done = world.github.wait_for_job(job["id"], seconds=120)
    assert done["conclusion"] == "success" and done["runner_name"] == runner["registration"]["name"]
    nothing_left_of(world, runner_id, runner["guest_name"])
    monitor.wait_for_runners("tiny", 1)


@pytest.mark.parametrize("step", ["prepare.answer", "register.answer", "start.order", "start.answer"])
def test_g5_the_daemon_is_killed_while_a_guest_is_made(world, step):
    """G5"""
    monitor = world.begin({"tiny": tiny(1)}, start=False)
    monitor.write_settings()
    monitor.environment = {"CI_MONITOR_CRASH_AT": step}
    monitor.start_program()
    assert monitor.wait() == -signal.SIGKILL
    monitor.child, monitor.environment = None, {}
    monitor.begin().wait_ready()
    (runner_id, runner), = monitor.wait_for_runners("tiny", 1).items()
    wait_until("nothing else is left", lambda: list(world.host.guests("ci-runner-")) == [runner["guest_name"]]
               and list(world.github.registrations()) == [runner["registration"]["name"]]
               and len(world.host.disks(world.images)) == 1)


def test_g6_addresses_run_out_and_are_used_again(world):
    """One address for two guests: one of them works, and its successor with the same address gets its own config (G7)."""
    world.host.network(last_address=2)
    try:
        monitor = world.begin({"tiny": tiny(2)}, monitor_start_timeout=25)
        (runner_id, runner), = monitor.wait_for_runners("tiny", 1).items()
        wait_until("the other one is given up", lambda: world.events("destroying"))
        assert runner_id in monitor.runners("tiny", "Idle")
        job = world.github.queue_job("self-hosted-image:tiny", seconds=1)
        world.github.wait_for_job(job["id"])
        (next_id, successor), = wait_until("a successor", lambda: {
            key: value for key, value in monitor.runners("tiny", "Idle").items() if key != runner_id}).items()
        assert successor["ipv4_address"] == runner["ipv4_address"]
        assert successor["registration"]["name"].startswith(f"ci-runner-tiny.{next_id}@")
        monitor.stop()
        world.host.clean()
    finally:
        world.host.clean()
        world.host.network()


def test_g6_a_nearly_full_disk_stops_creating_and_says_so(world):
    """Below min_free_disk nothing is made; with room again it goes on by itself."""
    small = world.folder / "small"
    small.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200M", "tmpfs", small], check=True)
    filler = small / "filler"
    filler.write_bytes(b"\0" * (120 << 20))
    monitor = world.begin({"tiny": tiny(1)}, images_path=str(small), min_free_disk="100M")
    wait_until("the dashboard says so", lambda: "min_free_disk" in monitor.http.get("/dashboard.json").body.decode())
    settle(2, "no disk is made", lambda: not world.host.disks(small) and not world.host.guests("ci-runner-"))
    filler.unlink()
    monitor.wait_for_runners("tiny", 1)
