"""Deaths of those actors that stand around the pool: images, pictures, files; see deaths.py."""

import pytest

from deaths import ask_until, check_whole, have_died, wait_for_deaths, with_death
from harness import wait_until
from images_test import base_files, files_of, image_of, rebuild, templates
from monitor import built_profile, profile
from pool_test import check_room

IMAGES = ["images:prepare", "images:start", "images:seal", "images:response:2", "libvirt_images:disk", "libvirt_images:iso",
          "libvirt_images:define,hypervisor:list:3", "libvirt_images:start,libvirt_control:list:4", "libvirt_images:rename",
          "monitor:response:8,journal:commit:6"]
PICTURES = ["screenshots:crank:2", "screenshots:response:3", "screenshots:shot", "screenshots:shot:2,libvirt_camera:list",
            "libvirt_camera:shot:2", "album:keep", "album:forget,album:keep:4"]
FILES = ["files:open", "files:read"]


@pytest.mark.parametrize("death", IMAGES)
def test_whoever_dies_while_an_image_is_built_on_an_empty_host(world, death):
    """G4, G5, G6, G8"""
    monitor = world.begin({"linux": built_profile(1)}, available_normal_memory="1G", environment=with_death(death))
    monitor.wait_for_runners("linux", 1, seconds=90.0)
    wait_for_deaths(monitor, death)
    check_whole(world, 1)
    wait_until("nothing but the image is left", lambda: base_files(monitor) == files_of(templates(world))
               and len(templates(world)) == 1 and not world.libvirt.guests("ci-rebuild-"))
    assert image_of(monitor)["state"] == "ready"
    check_room(world, 1)


@pytest.mark.parametrize("death", ["images:remove", "libvirt_images:forget"])
def test_whoever_dies_while_a_failed_image_is_deleted(world, death):
    """G5, G6, G8"""
    monitor = world.begin({"linux": built_profile(1)}, available_normal_memory="2G", environment=with_death(death))
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
    monitor = world.begin({"linux": profile(2)}, screenshot_interval=0.3, environment=with_death(death))
    runners = monitor.wait_for_runners("linux", 2)
    paths = [f"/runner/{runner_id}/screenshot" for runner_id in runners]

    def all_pictured():
        return all(ask_until(200, lambda p=path: monitor.http.get(f"{p}/now")) for path in paths) \
            and have_died(monitor, death)
    wait_until(f"{death}, and pictures all the same", all_pictured)
    before = monitor.http.get(f"{paths[0]}.png").headers["Last-Modified"]
    wait_until("rounds go on", lambda: monitor.http.get(f"{paths[0]}.png").headers["Last-Modified"] != before)
    assert monitor.runners("linux", "Idle") == runners


@pytest.mark.parametrize("death", FILES)
def test_who_reads_a_file_when_its_reader_dies_is_told_to_come_again(world, death):
    """G6, G10"""
    monitor = world.begin({"linux": profile(1)}, screenshot_interval=0.3)
    runner_id, = monitor.wait_for_runners("linux", 1)
    file = monitor.data / "runners" / str(runner_id) / "screenshot.png"
    wait_until("a picture", file.exists)
    monitor.stop()
    monitor.environment = with_death(death)
    monitor.begin().wait_ready()
    statuses = [monitor.http.get(f"/runner/{runner_id}/screenshot.png").status]
    assert statuses == [503]
    ask_until(200, lambda: monitor.http.get(f"/runner/{runner_id}/screenshot.png"))
    wait_for_deaths(monitor, death)
