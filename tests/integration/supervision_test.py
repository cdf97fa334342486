"""Deaths of actors while the pool is made and over takes, and the supervisor's own; see deaths.py."""

import time
import uuid

import pytest

from deaths import begin_pool, check_whole, restarts, wait_for_deaths
from harness import wait_until
from pool_test import check_room

CLIENT_PATIENCE = 30.0


def take_for_certain(monitor, profile_key):
    """As a client does: 503 is repeated with the same id, until there is an outcome."""
    unique_id = str(uuid.uuid4())
    end = time.monotonic() + CLIENT_PATIENCE
    while True:
        answer = monitor.take(profile_key, unique_id)
        if answer.status != 503:
            # An unanswered one may have been undone by the restart: its id is spent then.
            assert answer.status in (200, 410), answer
            return unique_id, answer
        assert answer.headers["Retry-After"]
        assert time.monotonic() < end, "never answered"
        time.sleep(0.05)


def begin(world, death):
    """A pool of three that fills its host."""
    return begin_pool(world, death, 3, available_normal_memory="3G")


@pytest.mark.parametrize("death", [
    "metrics:time:20", "journal:commit", "journal:flush:4", "github_link:register:2", "github_link:answer:2",
    "registrations:register", "registrations:response:3", "libvirt_control:list:2", "libvirt_control:changed:2",
    "libvirt_worker:clone:2", "libvirt_worker:define", "libvirt_worker:start:3", "hypervisor:prepare:2",
    "hypervisor:start", "hypervisor:response:4", "guest:start:2", "guest:response:3", "policy:watch",
    "monitor:crank:6", "monitor:response:3", "monitor:response:9", "monitor:guest:2"])
def test_any_actor_may_die_while_the_pool_is_made(world, death):
    """G4, G5, G6"""
    monitor = begin(world, death)
    wait_for_deaths(monitor, death)
    check_whole(world, 3)
    check_room(world, 3)


@pytest.mark.parametrize("death", ["monitor:take", "monitor:response:60", "gateway:take", "gateway:response",
                                   "journal:commit:20", "github_link:label", "registrations:label"])
def test_a_take_is_decided_though_an_actor_dies_over_it(world, death):
    """G2, G3, G6, G10"""
    monitor = begin(world, death)
    unique_id, answer = take_for_certain(monitor, "linux")
    if answer.status == 200:
        again = monitor.take("linux", unique_id)
        assert again.json()["id"] == answer.json()["id"]
    # Whatever became of it, the pool is whole again and its reads were never interrupted.
    monitor.http.delete(f"/reservation/{unique_id}")
    monitor.wait_for_runners("linux", 3)
    assert "event=supervision_failed" not in monitor.log()


def test_reads_go_on_while_the_monitor_is_begun_anew(world):
    monitor = begin(world, "monitor:take")
    version = monitor.dashboard()["version"]
    assert monitor.take("linux").status == 503
    assert len(monitor.runners("linux")) == 3  # as it was seen last
    assert monitor.http.get("/healthz").status == 200
    wait_until("the monitor is begun anew", lambda: restarts(monitor).get("monitor"))
    wait_until("it publishes again", lambda: monitor.dashboard()["version"] > version)
    _, answer = take_for_certain(monitor, "linux")
    assert answer.json()["id"] in monitor.runners("linux")


def test_without_its_supervisor_the_process_ends_and_says_that_it_failed(world):
    """systemd starts it again."""
    monitor = begin(world, "supervisor:anew,monitor:take")
    guests = world.libvirt.guests()
    monitor.take("linux")
    assert monitor.wait(15.0) == 1
    monitor.child = None
    assert world.libvirt.guests() == guests
    monitor.environment = {}
    monitor.begin().wait_ready()
    monitor.wait_for_runners("linux", 3)
