"""Actors that die at named messages (actors/death_point.hpp): `<actor>:<message>`, `<actor>:<message>:<nth time>`, several parted
by commas. They are begun anew, with their state from the store, GitHub and libvirt, as if the process had been started again; the
process itself lives on, and answers meanwhile: 503 where it can't do better, never nothing (a connection that closes without an
answer fails the test)."""

import re

from harness import wait_until
from monitor import profile
from pool_test import check_nothing_double, wait_until_settled


def with_death(death):
    """The environment of a monitor that is to live through it."""
    return {"CI_MONITOR_KILL_ACTOR": death}


def begin_pool(world, death, count, **settings):
    """So many runners, with that death ahead of the monitor, or behind it where making them comes to those messages."""
    monitor = world.begin({"linux": profile(count)}, environment=with_death(death), **settings)
    monitor.wait_for_runners("linux", count)
    return monitor


def restarts(monitor):
    """By actor, as /metrics has them."""
    text = monitor.http.get("/metrics").body.decode()
    found = re.findall(r'^ci_monitor_actor_restarts_total\{actor="(\w+)"\} (\d+)', text, re.MULTILINE)
    return {actor: int(count) for actor, count in found}


def actors_in(death):
    return {point.split(":")[0] for point in death.split(",")}


def have_died(monitor, death):
    """Whether all of them have, and were begun anew."""
    return actors_in(death) <= {actor for actor, count in restarts(monitor).items() if count}


def wait_for_deaths(monitor, death):
    wait_until(f"{death}: each died and was begun anew", lambda: have_died(monitor, death))


def ask_until(status, ask, seconds=60.0):
    """As a client does: 503 is repeated after a moment; anything but that and the status is a failure."""
    def answered():
        answer = ask()
        assert answer.status in (status, 503), answer
        assert answer.status != 503 or answer.headers["Retry-After"]
        return answer if answer.status == status else None
    return wait_until(f"an answer {status}", answered, seconds)


def check_whole(world, count):
    """So many runners are there again and nothing beside them."""
    monitor = world.monitor
    monitor.wait_for_runners("linux", count)
    wait_until_settled(world, count)
    check_nothing_double(world, count)
    assert monitor.running() and "event=supervision_failed" not in monitor.log()
