"""Images: built on an empty host, tried, switched to, replaced while runners serve; failing ones; crashes at each step (G5, G8)."""

from pathlib import Path

import pytest

from crash import Foreign, Request, files_of, full, phases_of_images, settle_and_check, start_and_crash
from harness import wait_until
from monitor import built_profile
from outside import settle

REBUILD, TEMPLATE = "ci-rebuild-", "ci-template-"
# The commits of a build: at which step the store has its image in which phase, if at all.
BUILD_COMMITS = [("commit.order", []), ("commit.answer", ["building"]), ("commit.order:2", ["building"]),
                 ("commit.answer:2", ["sealing"]), ("commit.order:3", ["sealing"]), ("commit.answer:3", ["trial"]),
                 ("commit.order:4", ["trial"]), ("commit.answer:4", ["trial"])]


def image_of(monitor, key="linux"):
    return monitor.dashboard()["profile_runner_counts"][key]["image"]


def capacity(monitor, key="linux"):
    counts = monitor.dashboard()["profile_runner_counts"][key]
    return counts["idle"] + counts["reserved"] + counts["busy"]


def templates(world):
    return sorted(world.libvirt.guests(TEMPLATE))


def base_files(monitor, key="linux"):
    folder = Path(monitor.settings["images_path"]) / "base" / key
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def rebuild(monitor, key="linux"):
    answer = monitor.http.post(f"/profile/{key}/rebuild")
    assert answer.status == 200 and answer.json() == {"profile": key, "rebuild": True}, answer


def unfinished(monitor):
    """The phases of images that are not ready, as the store has them."""
    return sorted(phase for phase in phases_of_images(monitor) if phase != "ready")


def wait_replaced(world, monitor, old, count, key="linux"):
    """All runners are made from an image that is none of the old ones; its template."""
    def replaced():
        runners = monitor.runners(key)
        made_from = {runner["details"]["template"] for runner in runners.values()}
        idle = [runner for runner in runners.values() if runner["status"] == "Idle"]
        return made_from.pop() if len(runners) == len(idle) == count and len(made_from) == 1 \
            and not made_from & set(old) else None
    return wait_until("all runners are made from the new image", replaced, 90.0)


def test_an_empty_host_builds_its_images_and_fills_its_pools(world):
    monitor = world.begin({"linux": built_profile(3), "other": built_profile(1)}, available_normal_memory="4G")
    monitor.wait_for_runners("linux", 3)
    monitor.wait_for_runners("other", 1)
    assert image_of(monitor)["state"] == "ready"
    assert world.libvirt.guests(REBUILD) == {}
    assert len(templates(world)) == 2
    assert base_files(monitor) == files_of(name for name in templates(world) if "-linux@" in name)
    metrics = monitor.http.get("/metrics").body.decode()
    assert 'ci_monitor_image_builds_total{outcome="ready",profile="linux"} 1' in metrics
    monitor.restart()
    monitor.wait_for_runners("linux", 3)
    settle(2.0, "another build", lambda: world.libvirt.guests(REBUILD) == {})


def test_a_rebuild_while_runners_serve_takes_one_slot_at_most(world):
    """G8"""
    monitor = world.begin({"linux": built_profile(2)}, available_normal_memory="2G")
    monitor.wait_for_runners("linux", 2)
    old = templates(world)
    rebuild(monitor)

    def rebuilt():
        assert capacity(monitor) >= 1
        return len(templates(world)) == 2 and image_of(monitor)["state"] == "ready"
    wait_until("the new image serves", rebuilt, 120.0)
    new = templates(world)[-1]
    assert new not in old

    def replaced():
        assert capacity(monitor) >= 1
        made_from = [runner["details"]["template"] for runner in monitor.runners("linux", "Idle").values()]
        return made_from == [new, new]
    wait_until("every idle runner is replaced", replaced, 120.0)
    assert base_files(monitor) == files_of(templates(world))


def test_a_rebuild_that_fails_backs_off_and_harms_nobody(world):
    """G8"""
    monitor = world.begin({"linux": built_profile(1)}, available_normal_memory="4G")
    monitor.wait_for_runners("linux", 1)
    old = templates(world)
    world.guests.behave({"ci-rebuild-linux": {"crash": True}})
    rebuild(monitor)
    wait_until("it failed", lambda: image_of(monitor)["failures"] == 1)
    rebuild(monitor)  # who asks again need not wait
    wait_until("it failed twice", lambda: image_of(monitor)["failures"] == 2)
    image = image_of(monitor)
    assert "destroyed" in image["trouble"] and image["trouble_since"] and image["next_try"]
    wait_until("what it made is deleted", lambda: base_files(monitor) == files_of(old))
    assert world.libvirt.guests(REBUILD) == {}
    settle(2.0, "a third try", lambda: image_of(monitor)["failures"] == 2 and world.libvirt.guests(REBUILD) == {})
    assert len(monitor.runners("linux", "Idle")) == 1 and templates(world) == old


@pytest.mark.parametrize("step", [
    "image_prepare.order", "image_prepare.answer", "image_start.order", "image_start.answer", "image_seal.order",
    "image_seal.answer", "switch.order", "switch.answer", "link.order:2", "link.answer:2"])
def test_killed_while_an_image_is_built(world, step):
    """G4, G5: finished or undone; nothing left over, nothing foreign touched. The first link of a process is the old one's."""
    monitor = world.begin({"linux": built_profile(1)}, available_normal_memory="2G")
    monitor.wait_for_runners("linux", 1)
    world.foreign = Foreign(world)
    old = templates(world)
    monitor.stop()
    start_and_crash(monitor, step, Request(monitor, lambda _: rebuild(monitor)))
    monitor.begin().wait_ready()
    wait_replaced(world, monitor, old, 1)
    settle_and_check(world, monitor, count=1, images=2)


@pytest.mark.parametrize("step, phases", BUILD_COMMITS)
def test_killed_at_a_commit_of_a_build(world, step, phases):
    """G4, G5: what was asked for is done once it is durable; it is not answered, and nothing is made, before."""
    monitor = world.begin({"linux": built_profile(1)}, available_normal_memory="2G")
    monitor.wait_for_runners("linux", 1)
    world.foreign = Foreign(world)
    old = templates(world)
    monitor.stop()
    before = world.libvirt.guests(""), base_files(monitor)
    request = Request(monitor, lambda http: http.post("/profile/linux/rebuild"), full(monitor, 1))
    start_and_crash(monitor, step, request)
    assert unfinished(monitor) == phases
    assert request.answer is None or phases
    assert ((world.libvirt.guests(""), base_files(monitor)) == before) == (":" not in step)
    monitor.begin().wait_ready()
    if not phases:
        rebuild(monitor)
    wait_replaced(world, monitor, old, 1)
    settle_and_check(world, monitor, count=1, images=2)


def test_rebuild_of_a_profile_that_is_not_there_or_made_by_hand(world):
    from monitor import profile
    monitor = world.begin({"hand": profile(1)})
    assert monitor.http.post("/profile/nobody/rebuild").status == 404
    assert monitor.http.post("/profile/hand/rebuild").status == 409
    assert monitor.http.post("/profile/hand/rebuild", token="").status == 401
