"""The process is killed while the first image of an empty host is built, its checkout updated, and its first runner tried; and
while an image is deleted that failed, or that newer ones replace."""

import pytest

from crash import Foreign, Request, files_of, full, phases_of_images, settle_and_check, start_and_crash
from files_test import git
from harness import wait_until
from images_test import BUILD_COMMITS, TEMPLATE, base_files, image_of, rebuild, templates, unfinished, wait_replaced
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


@pytest.mark.parametrize("step, phases", [
    *((step, None) for step in (
        "update_repo.order", "update_repo.answer", "image_prepare.order", "image_prepare.answer", "image_start.order",
        "image_start.answer", "image_seal.order", "image_seal.answer", "register.answer", "start.answer", "switch.order",
        "switch.answer", "link.order", "link.answer")),
    *BUILD_COMMITS])
def test_killed_while_an_empty_host_builds_its_first_image(world, tmp_path, step, phases):
    """G4, G5: one image, one runner, the older monitor's link to it, and nothing besides."""
    clone, newest = make_checkout(tmp_path)
    monitor = world.begin({"linux": built_profile(0)}, available_normal_memory="1G", main_repo_path=str(clone))
    world.foreign = Foreign(world)
    monitor.stop()
    assert world.libvirt.guests(TEMPLATE) == {}
    monitor.profiles["linux"]["target_count"] = 1
    start_and_crash(monitor, step)
    assert phases in (None, unfinished(monitor))
    monitor.begin().wait_ready()
    settle_and_check(world, monitor, count=1, images=1)
    assert git("rev-parse", "HEAD", cwd=clone) == newest
    wait_until("it serves", lambda: image_of(monitor)["state"] == "ready")


# What is stored as being built may be deleted before it is stored that it is to be deleted.
@pytest.mark.parametrize("step, phases", [
    ("commit.order:2", [["building"]]), ("commit.answer:2", [["discarding"]]),
    ("image_discard.order", [["building"], ["discarding"]]), ("image_discard.answer", [["building"], ["discarding"]]),
    ("commit.order:3", [["discarding"]]), ("commit.answer:3", [[]])])
def test_killed_while_a_failed_image_is_deleted(world, step, phases):
    """G5, G8: whatever is left of it goes, and the next try waits if the failure is durable."""
    monitor = world.begin({"linux": built_profile(1)}, available_normal_memory="2G")
    monitor.wait_for_runners("linux", 1)
    world.foreign = Foreign(world)
    old = templates(world)
    world.guests.behave({"ci-rebuild-linux": {"crash": True}})
    monitor.stop()
    start_and_crash(monitor, step, Request(monitor, lambda _: rebuild(monitor), full(monitor, 1)))
    left = unfinished(monitor)
    assert left in phases
    world.guests.behave()
    monitor.begin().wait_ready()
    assert image_of(monitor)["failures"] == (0 if left == ["building"] else 1)
    if left != ["building"]:
        rebuild(monitor)
    wait_replaced(world, monitor, old, 1)
    settle_and_check(world, monitor, count=1, images=2)


def begin_with_three_images(world, **settings):
    """All that are kept; the newest serves. Their templates."""
    monitor = world.begin({"linux": built_profile(1)}, available_normal_memory="4G", **settings)
    monitor.wait_for_runners("linux", 1)
    world.foreign = Foreign(world)
    for _ in range(2):
        old = templates(world)
        rebuild(monitor)
        wait_replaced(world, monitor, old, 1)
    assert len(templates(world)) == 3
    return monitor, templates(world)


def check_pruned(world, monitor, before):
    """The oldest of those before has gone, the newest ones and a fourth are there."""
    wait_until("the oldest is deleted", lambda: before[0] not in templates(world), 60.0)
    wait_replaced(world, monitor, before, 1)
    settle_and_check(world, monitor, count=1, images=3)
    assert templates(world)[:2] == before[1:]


@pytest.mark.parametrize("step", ["image_discard.order", "image_discard.answer"])
def test_killed_while_an_old_image_is_deleted(world, step):
    """G4, G5: the three newest are kept, whatever happens while the fourth goes."""
    monitor, before = begin_with_three_images(world)
    monitor.stop()
    start_and_crash(monitor, step, Request(monitor, lambda _: rebuild(monitor)))
    monitor.begin().wait_ready()
    check_pruned(world, monitor, before)


@pytest.mark.parametrize("step, phases, exists", [
    ("commit.order", [], True), ("commit.answer", ["discarding"], True), ("commit.order:2", ["discarding"], False),
    ("commit.answer:2", [], False)])
def test_killed_at_a_commit_of_an_old_images_deletion(world, step, phases, exists):
    """G5: it is deleted once that is durable, and forgotten once it is deleted. The runner that the newest image replaces is let
    go of later than that: no commit of its own comes between."""
    monitor, before = begin_with_three_images(world, idle_confirmation=5.0)
    monitor.stop()
    start_and_crash(monitor, "switch.answer", Request(monitor, lambda _: rebuild(monitor), full(monitor, 1)))
    assert phases_of_images(monitor) == ["ready"] * 4
    start_and_crash(monitor, step)
    assert unfinished(monitor) == phases
    assert (before[0] in templates(world)) == (files_of(before[:1])[0] in base_files(monitor)) == exists
    monitor.begin().wait_ready()
    check_pruned(world, monitor, before)
