"""Deaths of actors over requests: selects, levers, releases, guests' own, the history, new settings; see deaths.py.

The last test holds all tables against the cast."""

import re
import signal
import uuid

import pytest

import image_deaths_test
import supervision_test
from deaths import actors_in, ask_until, begin_pool, check_whole, wait_for_deaths
from harness import wait_until
from monitor import GITHUB_TOKEN, profile
from select_test import begin_run, contents, select, upload, zipped

SELECTS = ["selector:select", "selector:response", "selector:response:2", "selector:policy", "gateway:select",
           "registrations:artifacts", "github_link:archive", "monitor:take"]
LEVERS = ["gateway:lever", "monitor:lever", "journal:commit:8,monitor:lever:2"]
RELEASES = ["gateway:release", "monitor:release", "registrations:unlabel", "github_link:unlabel"]
GUESTS = ["gateway:boot", "monitor:boot", "gateway:jit:2", "monitor:jit", "libvirt_control:addresses"]
HISTORY = ["historian:recall", "historian:tally"]
SETTINGS = ["policy:policy:2", "monitor:policy:2", "screenshots:pace", "selector:policy:2", "gateway:policy", "github_link:token",
            "registrations:token"]


@pytest.mark.parametrize("death", SELECTS)
def test_a_select_is_decided_though_an_actor_dies_over_it(world, death):
    """G2, G3, G6, G10"""
    monitor = begin_pool(world, death, 2, tokenless_selects_per_minute=1000)
    run_id, unique_id = begin_run(world.github), str(uuid.uuid4())
    upload(world.github, run_id, unique_id, zipped(("info", contents(unique_id, run_id))))

    answer = wait_until("a decision", lambda: (decided := select(monitor, unique_id, run_id)).status != 503 and decided)
    # What was undone by the restart has spent its id.
    assert answer.status in (200, 410), answer
    if answer.status == 200:
        assert select(monitor, unique_id, run_id).json()[0]["id"] == answer.json()[0]["id"]
    wait_for_deaths(monitor, death)
    monitor.http.delete(f"/reservation/{unique_id}")
    check_whole(world, 2)


@pytest.mark.parametrize("death", LEVERS)
def test_a_lever_is_pulled_though_an_actor_dies_over_it(world, death):
    """G6, G10"""
    monitor = begin_pool(world, death, 2)
    for lever in ("pause", "resume"):
        answer = ask_until(200, lambda what=lever: monitor.http.post(f"/profile/linux/{what}"))
        assert answer.json()["paused"] == (lever == "pause")
        wait_until("it is seen", lambda paused=lever == "pause": monitor.dashboard()["profile_runner_counts"]["linux"][
            "paused"] == paused)
    wait_for_deaths(monitor, death)
    check_whole(world, 2)


@pytest.mark.parametrize("death", RELEASES)
def test_a_release_is_carried_out_though_an_actor_dies_over_it(world, death):
    """G2, G6, G10"""
    monitor = begin_pool(world, death, 2)
    unique_id = str(uuid.uuid4())
    assert monitor.take("linux", unique_id).json()["id"]
    ask_until(200, lambda: monitor.http.delete(f"/reservation/{unique_id}"))
    wait_for_deaths(monitor, death)
    wait_until("released", lambda: monitor.reservation(unique_id).json()["state"] == "released")
    check_whole(world, 2)
    assert not any(label.startswith("reserved-") for runner in world.github.registrations().values() for label in runner["labels"])


@pytest.mark.parametrize("death", GUESTS)
def test_guests_are_served_though_an_actor_dies_over_them(world, death):
    """G5, G6, G7"""
    monitor = begin_pool(world, death, 2)
    wait_for_deaths(monitor, death)
    check_whole(world, 2)


@pytest.mark.parametrize("death", HISTORY)
def test_who_reads_the_history_when_its_reader_dies_is_told_to_come_again(world, death):
    """G6, G10"""
    monitor = begin_pool(world, death, 1)
    path = "/history.json" if death.endswith("recall") else "/usage.json"
    assert monitor.http.get(path).status == 503
    ask_until(200, lambda: monitor.http.get(path))
    wait_for_deaths(monitor, death)
    assert monitor.take("linux").status == 200


@pytest.mark.parametrize("death", SETTINGS)
def test_new_settings_hold_though_an_actor_dies_over_them(world, death):
    monitor = begin_pool(world, death, 1)
    monitor.profiles = {"linux": profile(2)}
    monitor.settings["screenshot_interval"] = 0.7
    monitor.write_settings()
    # Only another token is handed on to those who call GitHub.
    fresh = "a-later-" + GITHUB_TOKEN
    world.github.control("PUT", "token", {"token": fresh})
    env = monitor.folder / ".env"
    env.write_text(env.read_text().replace(GITHUB_TOKEN, fresh))
    monitor.signal(signal.SIGHUP)
    wait_for_deaths(monitor, death)
    check_whole(world, 2)
    assert monitor.dashboard()["profile_runner_counts"]["linux"]["target"] == 2


def test_every_actor_of_the_cast_dies_in_some_test(world):
    monitor = world.begin({"linux": profile(1)})
    monitor.wait_for_runners("linux", 1)
    metrics = monitor.http.get("/metrics").body.decode()
    cast = set(re.findall(r'^ci_monitor_actor_mailbox_depth\{actor="(\w+)"\}', metrics, re.MULTILINE))
    tests = [test for module in (image_deaths_test, supervision_test) for test in vars(module).values()]
    tests += [test for name, test in globals().items() if name.startswith("test_")]
    tables = [death for test in tests for mark in getattr(test, "pytestmark", []) for death in mark.args[1]]
    assert len(cast) > 15
    assert cast - {"supervisor"} == set().union(*map(actors_in, tables))
