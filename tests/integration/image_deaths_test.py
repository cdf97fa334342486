"""Deaths of those actors that stand around the pool: images, pictures, files.

As in supervision_test.py: whoever dies is begun anew with the state rebuilt; meanwhile requests are answered 503, and none is
dropped (a connection that closes without an answer fails the test)."""

import pytest

from harness import wait_until
from images_test import base_files, files_of, image_of, rebuild, templates
from monitor import built_profile, profile
from pool_test import check_nothing_double, wait_until_settled
from supervision_test import restarts

IMAGES = ["images:prepare", "images:start", "images:seal", "images:response:2", "libvirt_images:disk", "libvirt_images:iso",
          "libvirt_images:define,hypervisor:list:3", "libvirt_images:start,libvirt_control:list:4", "libvirt_images:rename",
          "monitor:response:8,journal:commit:6"]
PICTURES = ["screenshots:crank:2", "screenshots:response:3", "screenshots:shot", "screenshots:shot:2,libvirt_camera:list",
            "libvirt_camera:shot:2", "album:keep", "album:forget,album:keep:4"]
FILES = ["files:open", "files:read"]


def actors_in(death):
    return {point.split(":")[0] for point in death.split(",")}


def wait_for_deaths(monitor, death):
    wait_until(f"{death}: each died and was begun anew", lambda: actors_in(death) <= {
        actor for actor, count in restarts(monitor).items() if count})


def ask_until(status, ask, seconds=60.0):
    """As a client does: 503 is repeated after a moment; anything but that and the status is a failure."""
    def answered():
        answer = ask()
        assert answer.status in (status, 503), answer
        assert answer.status != 503 or answer.headers["Retry-After"]
        return answer if answer.status == status else None
    return wait_until(f"an answer {status}", answered, seconds)


def check_whole(world, count):
    monitor = world.monitor
    monitor.wait_for_runners("linux", count)
    wait_until_settled(world, count)
    check_nothing_double(world, count)
    assert monitor.running() and "event=supervision_failed" not in monitor.log()


@pytest.mark.parametrize("death", IMAGES)
def test_whoever_dies_while_an_image_is_built_on_an_empty_host(world, death):
    """G4, G5, G6, G8"""
    monitor = world.begin({"linux": built_profile(1)}, available_normal_memory="1G", environment={"CI_MONITOR_KILL_ACTOR": death})
    monitor.wait_for_runners("linux", 1, seconds=90.0)
    wait_for_deaths(monitor, death)
    check_whole(world, 1)
    wait_until("nothing but the image is left", lambda: base_files(monitor) == files_of(templates(world))
               and len(templates(world)) == 1 and not world.libvirt.guests("ci-rebuild-"))
    assert image_of(monitor)["state"] == "ready"


@pytest.mark.parametrize("death", ["images:remove", "libvirt_images:forget"])
def test_whoever_dies_while_a_failed_image_is_deleted(world, death):
    """G5, G6, G8"""
    monitor = world.begin({"linux": built_profile(1)}, available_normal_memory="2G", environment={"CI_MONITOR_KILL_ACTOR": death})
    monitor.wait_for_runners("linux", 1)
    kept = templates(world)
    world.guests.behave({"ci-rebuild-linux": {"crash": True}})
    rebuild(monitor)
    wait_for_deaths(monitor, death)
    wait_until("it failed", lambda: image_of(monitor)["failures"] == 1)
    wait_until("nothing of it is left", lambda: base_files(monitor) == files_of(kept) and templates(world) == kept
               and not world.libvirt.guests("ci-rebuild-"))
    check_whole(world, 1)


@pytest.mark.parametrize("death", PICTURES)
def test_whoever_dies_over_pictures(world, death):
    """G6, G10"""
    monitor = world.begin({"linux": profile(2)}, screenshot_interval=0.3, environment={"CI_MONITOR_KILL_ACTOR": death})
    runners = monitor.wait_for_runners("linux", 2)
    paths = [f"/runner/{runner_id}/screenshot" for runner_id in runners]

    def all_pictured():
        return all(ask_until(200, lambda p=path: monitor.http.get(f"{p}/now")) for path in paths) \
            and actors_in(death) <= {actor for actor, count in restarts(monitor).items() if count}
    wait_until(f"{death}, and pictures all the same", all_pictured)
    before = monitor.http.get(f"{paths[0]}.png").headers["Last-Modified"]
    wait_until("rounds go on", lambda: monitor.http.get(f"{paths[0]}.png").headers["Last-Modified"] > before)
    assert monitor.runners("linux", "Idle") == runners


@pytest.mark.parametrize("death", FILES)
def test_who_reads_a_file_when_its_reader_dies_is_told_to_come_again(world, death):
    """G6, G10"""
    monitor = world.begin({"linux": profile(1)}, screenshot_interval=0.3)
    runner_id, = monitor.wait_for_runners("linux", 1)
    file = monitor.data / "runners" / str(runner_id) / "screenshot.png"
    wait_until("a picture", file.exists)
    monitor.stop()
    monitor.environment = {"CI_MONITOR_KILL_ACTOR": death}
    monitor.begin().wait_ready()
    statuses = [monitor.http.get(f"/runner/{runner_id}/screenshot.png").status]
    assert statuses == [503]
    ask_until(200, lambda: monitor.http.get(f"/runner/{runner_id}/screenshot.png"))
    wait_for_deaths(monitor, death)
