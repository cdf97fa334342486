"""`--adopt`: a host is taken over from the older monitor, and given back (G1, G5, G7)."""

import contextlib
import signal
import subprocess

import pytest

from harness import binary, wait_until
from monitor import built_profile
from old_host import SECRET_OF_THE_DEAD, OldHost, new_id, snapshot
from outside import settle

FOREIGN_REGISTRATIONS = {"build-machine", "ci-runner-linux.70@other"}


def names_in(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


class FullHost(OldHost):
    """Something of everything."""

    def __init__(self, world):
        super().__init__(world, {"linux": built_profile(4)}, available_normal_memory="16G", monitor_reserve_timeout=300,
                         reserve_timeout_max=600)
        self.old, self.current, self.newer, self.build, self.files, self.others = (
            snapshot(hours) for hours in (20, 4, 3, 2, 1, 0.5))
        for made in (self.old, self.current, self.newer):
            self.template(made)
        self.link(self.current)
        self.rebuild(self.build)
        self.base_files(self.files).write_text("no guest")
        self.unique_id = new_id()
        # Idle, busy, reserved, on its way; off; no guest; neither.
        for runner_id in (11, 12, 13):
            self.guest(runner_id)
            self.folder(runner_id, age=3600, registration={"encoded_jit_config": f"used-by-{runner_id}"})
        self.registration(11, "online")
        self.registration(12, "online", busy=True)
        self.registration(13, "online", labels=self.reservation_labels(self.unique_id))
        self.folder(14, age=2, registration=self.register(14))
        self.guest(14, hangs=False)
        self.guest(15, start=False)
        self.registration(15, "offline")
        self.folder(15)
        self.registration(16, "offline")
        self.disk(16).write_text("disk")
        self.disk(17).write_text("disk")
        self.guest(18, profile="retired")
        self.registration(18, "online", profile="retired")
        self.folder(3, registration={"encoded_jit_config": SECRET_OF_THE_DEAD})
        (self.data / "last-runner-id").write_text("40")
        self.add_foreign_things()

    def add_foreign_things(self):
        self.define("somebody", self.base_files(self.others), start=True)
        self.define("ci-runner-linux.odd", self.images / "odd.img", start=True)
        (self.images / "runner" / "notes").write_text("foreign")
        (self.images / "base" / "linux" / "notes").write_text("foreign")
        for name in FOREIGN_REGISTRATIONS:
            self.world.github.control("POST", "runners", {"name": name, "scope": "repos/octo-org/octo-repo"})

    def check_foreign_things(self):
        guests = self.world.libvirt.guests("")
        assert guests["somebody"] and guests["ci-runner-linux.odd"]
        assert (self.images / "odd.img").exists()
        for folder in (self.images / "runner", self.images / "base" / "linux"):
            assert (folder / "notes").read_text() == "foreign"
        assert {f"base.img@{self.others}", f"config.iso@{self.others}"} <= set(names_in(self.images / "base" / "linux"))
        assert FOREIGN_REGISTRATIONS <= set(self.world.github.registrations())


def test_a_host_is_taken_over_as_it_is_left(world):
    host = FullHost(world)
    check = subprocess.run([binary("CI_MONITOR", "ci-monitor"), "--help"], capture_output=True, text=True, check=True, timeout=60)
    assert "--adopt" in check.stdout
    before = world.libvirt.guests("")
    monitor = host.begin("--adopt")
    wait_until("the runners are ours", lambda: {key: runner["status"] for key, runner in monitor.runners().items()} == {
        11: "Idle", 12: "Busy", 13: "Reserved", 14: "Idle"})
    assert monitor.runners()[14]["registration"]["name"] == "ci-runner-linux.14@ci0"
    created = monitor.runners()[11]["created_time"]
    assert created < monitor.runners()[14]["created_time"]
    assert monitor.reservation(host.unique_id).json()["state"] == "reserved"

    # What is not in order is removed, what is lives on.
    def tidy():
        return (set(world.libvirt.guests()) == {f"ci-runner-linux.{key}" for key in (11, 12, 13, 14, "odd")}
                and set(world.github.registrations()) - FOREIGN_REGISTRATIONS == {f"ci-runner-linux.{key}@ci0" for key in (11, 12, 13, 14)}
                and names_in(host.images / "runner") == [*(f"{key}-base.img" for key in (11, 12, 13, 14)), "notes"]
                and world.libvirt.guests("ci-rebuild-") == {}
                and sorted(world.libvirt.guests("ci-template-")) == [f"ci-template-linux@{made}" for made in (host.old, host.current)]
                and names_in(host.images / "base" / "linux") == sorted(
                    ["notes", *(f"{name}@{made}" for name in ("base.img", "config.iso") for made in (host.old, host.current, host.others))]))
    wait_until("what is left over is removed", tidy)
    assert all(world.libvirt.guests()[name] for name in before if before[name] and name in world.libvirt.guests())
    host.check_foreign_things()
    strangers = monitor.dashboard()["strangers"]
    assert "ci-runner-linux.odd" in strangers and len(strangers) == 1, strangers

    # Its files told what they had to.
    wait_until("its files are deleted", lambda: not [path for path in (host.data / "runners").rglob("*")
                                                     if path.name != "screenshot.png" and not path.is_dir()])
    wait_until("folders of runners that are no more, too", lambda: not (host.data / "runners" / "3").exists())
    for path in host.data.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # the draft of a picture
            content = path.read_bytes() if path.is_file() else b""
            assert SECRET_OF_THE_DEAD.encode() not in content, path
            assert b"used-by-" not in content, path

    # A job runs on what was taken over; its successor is ours from the start.
    job = world.github.queue_job("self-hosted-image:linux", seconds=0.2)
    assert world.github.wait_for_job(job["id"])["runner_name"] == "ci-runner-linux.14@ci0"
    wait_until("its successor is there", lambda: [key for key in monitor.runners("linux", "Idle") if key > 40])
    assert max(monitor.runners()) == 41
    assert host.next_id() == max(monitor.runners()) + 1
    settle(1.0, "stopped", lambda: world.libvirt.guests()["ci-runner-linux.12"])  # G1: it works on
    assert monitor.runners()[12]["status"] == "Busy"
    monitor.restart()
    wait_until("as before", lambda: [runner["status"] for key, runner in sorted(monitor.runners().items())][:3] == ["Idle", "Busy", "Reserved"])
    host.check_foreign_things()


def test_what_would_be_taken_over_is_told_and_left(world):
    host = FullHost(world)
    monitor = host.monitor
    monitor.write_settings()
    before = (world.libvirt.guests(""), sorted(str(path) for path in host.images.rglob("*")), set(world.github.registrations()))
    done = subprocess.run([binary("CI_MONITOR", "ci-monitor"), "--check", "--adopt", "--config", monitor.folder / "monitor.toml", "--env",
                           monitor.folder / ".env"], capture_output=True, text=True, timeout=60, check=False)
    for told in ("guest ci-runner-linux.11 becomes runner 11, which may be running a job",
                 "guest ci-runner-linux.15 becomes runner 15, which is off and goes", "the disk of runner 17 is deleted",
                 f"image ci-template-linux@{host.current} is kept", f"image ci-template-linux@{host.newer} is deleted"):
        assert f"note  --adopt: {told}" in done.stdout, done.stdout + done.stderr
    assert "odd" not in done.stdout and "somebody" not in done.stdout
    assert host.configs[14] not in done.stdout
    assert before == (world.libvirt.guests(""), sorted(str(path) for path in host.images.rglob("*")), set(world.github.registrations()))
    assert (host.data / "runners" / "14" / "github-api-registration").exists()


def small_host(world):
    """One that works, one on its way, one that is off."""
    host = OldHost(world, {"linux": built_profile(2)}, available_normal_memory="8G")
    made = snapshot(1)
    host.template(made)
    host.link(made)
    host.guest(5)
    host.registration(5, "online", busy=True)
    host.folder(5, age=3600)
    host.folder(6, age=0, registration=host.register(6))
    host.guest(6, hangs=False)
    host.guest(7, start=False)
    (host.data / "last-runner-id").write_text("9")
    return host


def crash_at(host, step):
    host.monitor.environment = {"CI_MONITOR_CRASH_AT": step}
    host.monitor.write_settings()
    host.monitor.start_program("--adopt")
    assert host.monitor.wait() == -signal.SIGKILL, host.monitor.log()[-3000:]
    host.monitor.child = None
    host.monitor.environment = {}


def has_files(host):
    return (host.data / "runners" / "6" / "github-api-registration").exists()


@pytest.mark.parametrize("step, again", [
    *((step, ["--adopt"]) for step in ("read_guests.order", "read_guests.answer", "commit.order", "commit.answer", "forget.order",
                                       "forget.answer", "link.order")),
    *((step, []) for step in ("read_guests.answer", "commit.order", "commit.answer", "forget.order"))])
def test_killed_while_a_host_is_taken_over(world, step, again):
    """G1, G5, G7: all of it is ours or none; what files told is durable before they are deleted."""
    host = small_host(world)
    crash_at(host, step)
    assert world.libvirt.guests()["ci-runner-linux.5"] and world.libvirt.guests()["ci-runner-linux.6"]
    taken = step not in ("read_guests.order", "read_guests.answer", "commit.order")
    assert has_files(host) or taken
    monitor = host.begin(*again)
    if not taken and not again:
        wait_until("they are reported", lambda: len(monitor.dashboard()["strangers"]) == 5)
        settle(2.0, "touched", lambda: has_files(host) and world.libvirt.guests()["ci-runner-linux.5"]
               and "ci-runner-linux.7" in world.libvirt.guests() and not any(key < 10 for key in monitor.runners()))
        return
    wait_until("they are ours", lambda: {key: runner["status"] for key, runner in monitor.runners().items()} == {5: "Busy", 6: "Idle"})
    wait_until("the files are deleted", lambda: not has_files(host))
    wait_until("what was off is removed", lambda: "ci-runner-linux.7" not in world.libvirt.guests())
    job = world.github.queue_job("self-hosted-image:linux")
    assert world.github.wait_for_job(job["id"])["runner_name"] == "ci-runner-linux.6@ci0"


def test_the_older_monitor_can_take_over_again(world):
    host = OldHost(world, {"linux": built_profile(1)}, available_normal_memory="8G")
    made = snapshot(1)
    host.template(made)
    host.link(made)
    (host.data / "last-runner-id").write_text("9")
    monitor = host.begin("--adopt")
    monitor.wait_for_runners("linux", 1)
    assert host.next_id() == max(monitor.runners()) + 1 == 11
    template, disk = host.current_image()
    assert template == f"ci-template-linux@{made}"
    assert monitor.http.post("/profile/linux/rebuild").status == 200
    wait_until("the link names the new image", lambda: host.current_image()[0] != template, 120.0)
    wait_until("the runner is replaced", lambda: [runner["status"] for runner in monitor.runners().values()] == ["Idle"])
    monitor.stop()
    template, disk = host.current_image()
    assert world.libvirt.guests("ci-template-")[template] is False, "it is there, and off"
    assert disk.exists()
    assert host.next_id() > max(int(name.rpartition(".")[2]) for name in world.libvirt.guests())
    assert not (host.data / "runners" / str(host.next_id())).exists()
    # It hands out an id or two, and goes again.
    (host.data / "last-runner-id").write_text("30")
    (host.data / "runners" / "30").mkdir()
    monitor.begin("--adopt").wait_ready()
    monitor.wait_for_runners("linux", 1)
    job = world.github.queue_job("self-hosted-image:linux")
    world.github.wait_for_job(job["id"])
    wait_until("ids go on above its", lambda: max(monitor.runners(), default=0) > 30)
