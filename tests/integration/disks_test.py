"""Runners' disks: shared blocks, else overlays, else copies; what they depend on stays, and nothing is left over (G5)."""

import shutil
import signal
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from harness import do_without, wait_until
from images_test import rebuild, templates, wait_replaced
from monitor import SNAPSHOT, built_profile, profile
from pool_test import check_nothing_double, wait_until_settled


def disk_of(world, runner):
    """The runner's first disk in libvirt's inactive definition, which must be valid."""
    definition = world.libvirt.virsh("dumpxml", "--inactive", "--security-info", runner["guest_name"])
    file = world.folder / "definition.xml"
    file.write_text(definition)
    done = subprocess.run(["virt-xml-validate", file, "domain"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return ElementTree.fromstring(definition).find("devices/disk")


def files(monitor, folder="runner"):
    path = Path(monitor.settings["images_path"]) / folder
    return sorted(path.rglob("*")) if path.exists() else []


def shares_blocks(folder):
    """Whether its file system can, by asking cp."""
    one, two = Path(folder) / "probe-1", Path(folder) / "probe-2"
    one.write_bytes(b"x" * 4096)
    done = subprocess.run(["cp", "--reflink=always", one, two], capture_output=True, timeout=60, check=False)
    one.unlink()
    two.unlink(missing_ok=True)
    return done.returncode == 0


def clones(monitor, way):
    """How many disks were made that way, by the metrics."""
    wanted = f'ci_monitor_libvirt_calls_total{{call="clone_{way}",outcome="ok"}} '
    lines = [line for line in monitor.http.get("/metrics").body.decode().splitlines() if line.startswith(wanted)]
    return int(float(lines[0].split()[-1])) if lines else 0


def check_overlay(world, monitor, runner_id, runner):
    """Its definition states the overlay and all that is below it, and the file is one."""
    base = Path(monitor.settings["images_path"]) / "base" / "linux" / f"base.img@{SNAPSHOT}"
    disk = disk_of(world, runner)
    file = Path(disk.find("source").get("file"))
    assert file.name == f"{runner_id}-{base.name}.qcow2"
    assert disk.find("driver").get("type") == "qcow2"
    backing = disk.find("backingStore")
    assert backing.get("type") == "file" and backing.find("format").get("type") == "raw"
    assert backing.find("source").get("file") == str(base)
    assert backing.find("backingStore") is not None and not list(backing.find("backingStore"))
    assert file.read_bytes()[:4] == b"QFI\xfb" and file.stat().st_mode & 0o777 == 0o600
    return base


def test_without_reflinks_a_disk_is_an_overlay(world):
    if shares_blocks(world.folder):
        do_without("CI_MONITOR_NO_DISKS", "this file system shares blocks, and TMPDIR names no other")
    monitor = world.begin({"linux": profile(2)})
    runners = monitor.wait_for_runners("linux", 2)
    for runner_id, runner in runners.items():
        base = check_overlay(world, monitor, runner_id, runner)
    before = base.read_bytes()
    assert clones(monitor, "overlay") == 2 and clones(monitor, "copy") == 0
    assert monitor.log().count("event=disk_cloned way=clone_overlay file=") == 2
    # Deleted with its runner; the base stays as it was.
    gone, runner = runners.popitem()
    world.libvirt.stop_guest(runner["guest_name"])
    wait_until("it is replaced", lambda: gone not in monitor.runners() and len(monitor.runners("linux", "Idle")) == 2)
    assert len(files(monitor)) == 2 and not [file for file in files(monitor) if file.name.startswith(f"{gone}-")]
    assert base.read_bytes() == before


def test_a_profile_that_allows_no_overlay_gets_copies(world):
    if shares_blocks(world.folder):
        do_without("CI_MONITOR_NO_DISKS", "this file system shares blocks, and TMPDIR names no other")
    monitor = world.begin({"linux": profile(1, **{"image.allow_overlay": False})})
    (_, runner), = monitor.wait_for_runners("linux", 1).items()
    disk = disk_of(world, runner)
    assert disk.find("driver").get("type") == "raw" and disk.find("backingStore") is None
    assert clones(monitor, "copy") == 1 and clones(monitor, "overlay") == 0
    assert Path(disk.find("source").get("file")).read_bytes().startswith(b"linux")


def test_without_qemu_img_disks_are_copied_and_check_says_so(world):
    if shares_blocks(world.folder):
        do_without("CI_MONITOR_NO_DISKS", "this file system shares blocks, and TMPDIR names no other")
    programs = world.folder / "programs"
    programs.mkdir()
    (programs / "setpriv").symlink_to(shutil.which("setpriv"))  # what starts it
    without = {"PATH": str(programs)}
    monitor = world.begin({"linux": profile(2)}, environment=without)
    for runner in monitor.wait_for_runners("linux", 2).values():
        assert disk_of(world, runner).find("driver").get("type") == "raw"
    assert clones(monitor, "copy") == 2 and "event=no_overlay" in monitor.log()
    monitor.stop()
    for environment, status, told in ((without, 1, "WRONG runners' disks would be whole copies"),
                                      ({}, 0, "ok    runners' disks are qcow2 overlays")):
        monitor.environment = environment
        monitor.settings["port"] = 0
        monitor.write_settings()
        monitor.start_program("--check")
        assert monitor.wait() == status, monitor.log()[-3000:]
        monitor.child = None
        assert told in monitor.log()


def test_with_reflinks_blocks_are_shared(world):
    """On btrfs, which nobody but the daemon and this test sees."""
    monitor = world.begin({"linux": profile(2)}, images_disk="256M")
    for runner in monitor.wait_for_runners("linux", 2).values():
        definition = disk_of(world, runner)
        assert definition.find("driver").get("type") == "raw" and definition.find("backingStore") is None
    assert clones(monitor, "reflink") == 2 and clones(monitor, "overlay") == clones(monitor, "copy") == 0
    (base,) = (world.disk.seen / "base" / "linux").iterdir()
    runners = list((world.disk.seen / "runner").iterdir())
    assert len(runners) == 2 and {file.read_bytes() for file in runners} == {base.read_bytes()}
    mapped = subprocess.run(["filefrag", "-v", *runners], capture_output=True, text=True, timeout=60, check=False).stdout
    assert mapped.count("shared") >= 2, mapped


@pytest.mark.parametrize("step", ["prepare.order", "prepare.answer", "start.order", "start.answer", "remove.order"])
def test_killed_with_overlays_about(world, step):
    """G5: whatever was made goes or is adopted, parts of overlays included; the base stays."""
    monitor = world.begin({"linux": profile(2)})
    old = monitor.wait_for_runners("linux", 2)
    (base,) = [file for file in files(monitor, "base") if file.is_file()]
    before = base.read_bytes()
    monitor.stop()
    for runner in old.values():
        world.libvirt.stop_guest(runner["guest_name"])
    monitor.write_settings()
    monitor.environment = {"CI_MONITOR_CRASH_AT": step}
    monitor.start_program()
    assert monitor.wait() == -signal.SIGKILL
    monitor.child, monitor.environment = None, {}
    if step != "start.answer":  # then that runner lives on
        # As a qemu-img leaves it that was killed, too.
        (base.parents[2] / "runner" / f".{max(old) + 1}-{base.name}.qcow2.part").write_bytes(b"half")
    monitor.begin().wait_ready()
    monitor.wait_for_runners("linux", 2)
    wait_until("nothing else is left", lambda: len(files(monitor)) == 2 and not set(old) & set(monitor.runners()))
    wait_until_settled(world, 2)
    check_nothing_double(world, 2)
    assert base.read_bytes() == before


def test_an_image_stays_while_a_runner_depends_on_it(world):
    """Three newer images come while a job runs on the first; then the first one goes. Over a kill -9, too."""
    monitor = world.begin({"linux": built_profile(2)}, available_normal_memory="5G")
    monitor.wait_for_runners("linux", 2)
    (first,) = templates(world)
    job = world.github.queue_job("self-hosted-image:linux", seconds=600)
    world.github.wait_for_job(job["id"], "in_progress")
    (_, busy), = monitor.wait_for_runners("linux", 1, "Busy").items()
    disk = Path(disk_of(world, busy).find("source").get("file"))
    base = files(monitor, "base/linux")[0]
    seen = [first]
    for _ in range(3):
        rebuild(monitor)
        seen.append(wait_until("a newer image serves", lambda: next(
            (runner["details"]["template"] for runner in monitor.runners("linux", "Idle").values()
             if runner["details"]["template"] not in seen), None), 120.0))
    wait_until("the first is to go", lambda: f'image={first.partition("@")[2]}' in "".join(
        line for line in monitor.log().splitlines() if "event=image_discarding" in line))
    for crash in (False, True):
        if crash:
            monitor.crash()
        monitor.wait_for_runners("linux", 1, "Busy")
        assert first in templates(world) and base.exists() and disk.exists()
    # A guest that an operator laid over it by hand counts, too.
    definition = world.folder / "debugging.xml"
    definition.write_text(f"<domain type='test'><name>debugging</name><memory>65536</memory><os><type>hvm</type></os><devices>"
                          f"<disk type='file'><driver name='qemu' type='qcow2'/><source file='/tmp/over'/><backingStore type='file'>"
                          f"<format type='raw'/><source file='{base}'/></backingStore><target dev='vda'/></disk></devices></domain>")
    world.libvirt.virsh("define", str(definition))
    world.libvirt.stop_guest(busy["guest_name"])
    wait_until("the daemon says who uses it", lambda: f"guest debugging uses {base}" in monitor.log())
    assert base.exists() and first in templates(world)
    world.libvirt.virsh("undefine", "debugging")
    wait_until("the first image is deleted", lambda: first not in templates(world) and not base.exists(), 90.0)
    assert len(templates(world)) == 3 and not disk.exists()

