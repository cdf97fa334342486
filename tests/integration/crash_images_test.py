"""The process is killed while the first image of an empty host is built, its checkout updated, and its first runner tried."""

import pytest

from crash import Foreign, settle_and_check, start_and_crash
from files_test import git
from harness import wait_until
from images_test import TEMPLATE, image_of
from monitor import built_profile


def make_checkout(folder):
    """A clone that is one commit behind its origin; the clone, and the commit that it lacks."""
    origin, clone = folder / "origin", folder / "clone"
    origin.mkdir()
    git("init", "-q", "-b", "main", cwd=origin)
    git("commit", "-q", "--allow-empty", "-m", "first", cwd=origin)
    git("clone", "-q", str(origin), str(clone))
    git("commit", "-q", "--allow-empty", "-m", "second", cwd=origin)
    return clone, git("rev-parse", "HEAD", cwd=origin)


@pytest.mark.parametrize("step", [
    "update_repo.order", "update_repo.answer", "image_prepare.order", "image_prepare.answer", "image_start.order",
    "image_start.answer", "image_seal.order", "image_seal.answer", "register.answer", "start.answer", "switch.order",
    "switch.answer", "link.order", "link.answer"])
def test_killed_while_an_empty_host_builds_its_first_image(world, tmp_path, step):
    """G4, G5: one image, one runner, the older monitor's link to it, and nothing besides."""
    clone, newest = make_checkout(tmp_path)
    monitor = world.begin({"linux": built_profile(0)}, available_normal_memory="1G", main_repo_path=str(clone))
    world.foreign = Foreign(world)
    monitor.stop()
    assert world.libvirt.guests(TEMPLATE) == {}
    monitor.profiles["linux"]["target_count"] = 1
    start_and_crash(monitor, step)
    monitor.begin().wait_ready()
    settle_and_check(world, monitor, count=1, images=1)
    assert git("rev-parse", "HEAD", cwd=clone) == newest
    wait_until("it serves", lambda: image_of(monitor)["state"] == "ready")
