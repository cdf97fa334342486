"""The process is killed within an order: before a call of a worker to libvirt, or of the disk (`<actor>.<message>`). What was made
until then is finished or undone at the next start, and what was not removed yet is removed (G1, G5). All guests boot by UEFI: each
has an NVRAM file beside its disk. Several deaths follow one another in one world."""

from pathlib import Path

import pytest

from crash import PLAINLY_FOREIGN, Foreign, Request, full, read_store, settle_and_check, start_and_crash
from crash_images_test import make_checkout
from monitor import GUEST_XML, built_profile, profile
from outside import LOADER

DISK, NVRAM, GUEST = "disk", "nvram", "guest"


def runner_parts(world, runner_id, name):
    """What there is of a runner at the host."""
    files = [path.name for path in (Path(world.monitor.settings["images_path"]) / "runner").glob(f"{runner_id}-*")]
    return {*(NVRAM if file.endswith("_VARS.fd") else DISK for file in files),
            *([GUEST] if name in world.libvirt.guests() else [])}


# Where one runner's destruction is cut short and, at the next starts, its successor's making; and what there is of it by then.
@pytest.mark.parametrize("rounds", [[
    [("libvirt_worker.halt", {DISK, NVRAM, GUEST}), ("libvirt_worker.clone", set()), ("libvirt_worker.nvram", {DISK})],
    [("libvirt_worker.undefine", {DISK, NVRAM, GUEST}), ("libvirt_worker.define", {DISK, NVRAM})],
    [("libvirt_worker.erase", {DISK, NVRAM}), ("libvirt_worker.start", {DISK, NVRAM, GUEST})]]], ids=["a-runners"])
def test_killed_before_a_call_for_a_runner(world, rounds):
    """G1, G4, G5: the room is full until the guest of the first is off. Another runner is not touched."""
    world.libvirt.uefi = True
    monitor = world.begin({"linux": profile(2)}, available_normal_memory="2G", idle_confirmation=0.2)
    other = max(monitor.wait_for_runners("linux", 2))
    for steps in rounds:
        world.foreign = Foreign(world)
        (old,) = monitor.runners().keys() - {other}
        monitor.stop()
        request = Request(monitor, lambda http, key=old: http.post(f"/runner/{key}/destroy"), full(monitor, 2))
        for step, there in steps:
            start_and_crash(monitor, step, request)
            request = None
            left = [runner_parts(world, *runner) for runner in read_store(
                monitor, f"SELECT id, guest_name FROM runner WHERE phase != 'gone' AND id != {other}")]
            assert there in left, (step, left)
        monitor.begin().wait_ready()
        settle_and_check(world, monitor, count=2)
    assert other in monitor.runners()


def image_parts(world, snapshot):
    """What there is of an image at the host."""
    folder = Path(world.monitor.settings["images_path"]) / "base" / "linux"
    return {*(path.name.partition("@")[0] for path in folder.glob(f"*@{snapshot}")),
            *(GUEST for name in world.libvirt.guests("") if name.endswith(f"@{snapshot}"))}


def begin_without_image(world, clone):
    """An empty host whose images begin with a guest of somebody else's, NVRAM included."""
    world.libvirt.uefi = True
    folder = world.folder / "monitor" / "profiles" / "linux"
    folder.mkdir(parents=True)
    (folder / "guest.xml").write_text(GUEST_XML.replace("</os>", f"{LOADER}<nvram>/any_VARS.fd</nvram></os>"))
    linux = built_profile(0)
    linux["image"]["begins_with"] = {"guest": PLAINLY_FOREIGN}
    monitor = world.begin({"linux": linux}, available_normal_memory="1G", main_repo_path=str(clone))
    world.foreign = Foreign(world)
    monitor.stop()
    linux["target_count"] = 1
    return monitor


# Each start deletes what the last one left of its image, and makes another, until it comes to the next of these; and what there is
# by then of the image that is made, or deleted.
FILES = {"base.img", "nvram.fd", "config.iso"}


@pytest.mark.parametrize("calls", [[
    ("libvirt_images.update", None), ("libvirt_images.disk", set()), ("libvirt_images.nvram", {"base.img"}),
    ("libvirt_images.iso", {"base.img", "nvram.fd"}), ("libvirt_images.define", FILES),
    ("libvirt_images.start", {*FILES, GUEST}), ("image_start.answer", {*FILES, GUEST}), ("libvirt_images.halt", {*FILES, GUEST}),
    ("libvirt_images.undefine", {*FILES, GUEST}), ("libvirt_images.forget", FILES),
    ("libvirt_images.rename", {*FILES, GUEST})]], ids=["an-images"])
def test_killed_before_a_call_for_an_image(world, tmp_path, calls):
    """G4, G5: one image, one runner, and nothing besides."""
    clone, _ = make_checkout(tmp_path)
    monitor = begin_without_image(world, clone)
    for step, there in calls:
        start_and_crash(monitor, step)
        left = [image_parts(world, snapshot) for snapshot, in read_store(monitor, "SELECT snapshot FROM image")]
        assert there in (left or [None]), (step, left)
    monitor.begin().wait_ready()
    settle_and_check(world, monitor, count=1, images=1)
