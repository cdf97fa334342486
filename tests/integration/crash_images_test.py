"""The process is killed while the first image of an empty host is built, its checkout updated, and its first runner tried."""

import pytest

from crash import Foreign, count_phases, read_store, start_and_crash
from files_test import git
from harness import wait_until
from images_test import REBUILD, TEMPLATE, base_files, files_of, image_of, templates
from monitor import built_profile
from pool_test import check_nothing_double, wait_until_settled


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
    "switch.answer"])
def test_killed_while_an_empty_host_builds_its_first_image(world, tmp_path, step):
    """G4, G5: one image, one runner, and nothing besides."""
    clone, newest = make_checkout(tmp_path)
    monitor = world.begin({"linux": built_profile(0)}, available_normal_memory="1G", main_repo_path=str(clone))
    foreign = Foreign(world)
    monitor.stop()
    assert world.libvirt.guests(TEMPLATE) == {}
    monitor.profiles["linux"]["target_count"] = 1
    start_and_crash(monitor, step)
    monitor.begin().wait_ready()
    monitor.wait_for_runners("linux", 1, seconds=120.0)
    assert git("rev-parse", "HEAD", cwd=clone) == newest
    wait_until("nothing is under way", lambda: count_phases(monitor, "image") == {"ready": 1}
               and count_phases(monitor, "runner").keys() <= {"live", "gone"} and image_of(monitor)["state"] == "ready")
    foreign.check_untouched()
    foreign.remove()
    wait_until_settled(world, 1)
    check_nothing_double(world, 1)
    assert world.libvirt.guests(REBUILD) == {}
    assert read_store(monitor, "SELECT template_guest FROM image") == [(name,) for name in templates(world)]
    assert base_files(monitor) == files_of(templates(world)) and len(templates(world)) == 1
