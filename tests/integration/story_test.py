"""The whole story of a host, from nothing to a restart, each chapter on what the one before has left."""

import calendar
import threading
import time
import uuid

from harness import wait_until
from history_test import events
from images_test import base_files, files_of, image_of, rebuild, templates
from monitor import built_profile
from pool_test import check_nothing_double, check_room, wait_until_settled
from select_test import begin_run, contents, select, upload, zipped

TARGET = 3


class Watch:
    """Reads the dashboard as fast as it answers, and keeps each state that it shows."""

    def __init__(self, monitor, key):
        self.monitor, self.key, self.versions = monitor, key, {}
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.stopped.is_set():
            shown = self.monitor.dashboard()
            counts = shown["profile_runner_counts"][self.key]
            self.versions[shown["version"]] = counts["idle"] + counts["reserved"] + counts["busy"]

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()


def capacities_since(monitor, number):
    """How many could work after each event since that one, as the history tells it: nothing is missed between two looks."""
    able, found = set(), []
    for event in reversed(events(monitor, limit=1000, profile="linux")):
        if event["event"] == "online":
            able.add(event["runner"])
        elif event["event"] in ("destroying", "registration_ended"):
            able.discard(event["runner"])
        if event["number"] > number:
            found.append(len(able))
    return found


def seconds_from_now(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")) - time.time()


def fill_from_nothing(world):
    monitor = world.begin({"linux": built_profile(TARGET), "wpt": built_profile(0)}, available_normal_memory=f"{TARGET}G",
                          monitor_reserve_timeout=600, reserve_timeout_max=600)
    monitor.wait_for_runners("linux", TARGET)
    assert len(templates(world)) == 1 and base_files(monitor) == files_of(templates(world))
    assert image_of(monitor, "wpt")["state"] == "none"  # nobody wants it
    return monitor


def take_and_work(world, monitor):
    unique_id = str(uuid.uuid4())
    taken = monitor.take("linux", unique_id).json()["id"]
    job = world.github.queue_job(f"reserved-for:{unique_id}", seconds=0.3)
    assert world.github.wait_for_job(job["id"])["conclusion"] == "success"
    wait_until("replaced", lambda: taken not in monitor.runners() and len(monitor.runners("linux", "Idle")) == TARGET)
    return unique_id


def select_and_work(world, monitor):
    run_id, unique_id = begin_run(world.github), str(uuid.uuid4())
    upload(world.github, run_id, unique_id, zipped(("info", contents(unique_id, run_id))))
    selected = select(monitor, unique_id, run_id)
    assert selected.status == 200 and len(selected.json()) == 1, selected
    job = world.github.queue_job(f"reserved-for:{unique_id}", run_id=run_id, seconds=0.3)
    assert world.github.wait_for_job(job["id"])["runner_name"].partition("@")[0] == selected.json()[0]["runner"]["guest_name"]
    taken = selected.json()[0]["id"]
    wait_until("replaced", lambda: taken not in monitor.runners() and len(monitor.runners("linux", "Idle")) == TARGET)


def override_and_end(world, monitor):
    """An override asks for a profile that has no image yet: that is built, its runners made, used, and all is as before."""
    http = monitor.http
    asked = http.post("/policy/override", {"wpt": 2})
    assert (asked.status, asked.json()) == (200, {"wpt": 2}), asked
    assert http.get("/policy/override").json()["profile_target_counts"] == {"linux": 1, "wpt": 2}
    monitor.wait_for_runners("wpt", 2, seconds=120.0)
    delivered = wait_until("all are delivered", lambda: (
        ids := http.get("/policy/override").json()["actual_runner_ids_by_profile_key"]["wpt"]) and len(ids) == 2 and ids)
    assert sorted(delivered) == sorted(monitor.runners("wpt"))
    unique_id = str(uuid.uuid4())
    assert len(monitor.take("wpt", unique_id, count=2).json()) == 2
    jobs = [world.github.queue_job(f"reserved-for:{unique_id}", seconds=0.3) for _ in range(2)]
    for job in jobs:
        world.github.wait_for_job(job["id"])
    wait_until("it has ended", lambda: http.get("/policy/override").json() is None, 90.0)
    monitor.wait_for_runners("linux", TARGET, seconds=90.0)
    wait_until("its runners are gone", lambda: not monitor.runners("wpt"))


def rebuild_while_runners_serve(world, monitor):
    """G8: the host is full, one job runs and one runner is reserved all the while. Gives the reservation, which lives on."""
    kept, working = str(uuid.uuid4()), str(uuid.uuid4())
    assert monitor.take("linux", working).json()["id"]
    job = world.github.queue_job(f"reserved-for:{working}", seconds=600.0)
    monitor.wait_for_runners("linux", 1, "Busy")
    assert monitor.take("linux", kept).json()["id"]
    old = templates(world)
    number = monitor.http.get("/history.json", {"limit": 1}).json()["events"][0]["number"]
    with Watch(monitor, "linux") as watch:
        rebuild(monitor)
        wait_until("the new image serves", lambda: image_of(monitor)["state"] == "ready" and
                   image_of(monitor)["template_guest"] not in old, 120.0)
        new = image_of(monitor)["template_guest"]

        def replaced():
            idle = monitor.runners("linux", "Idle").values()
            return len(idle) == TARGET - 2 and {runner["details"]["template"] for runner in idle} == {new}
        wait_until("every idle runner is replaced", replaced, 120.0)
    assert len(watch.versions) >= 5 and min(watch.versions.values()) >= TARGET - 1, watch.versions
    told = capacities_since(monitor, number)
    assert len(told) >= 2 and min(told) == TARGET - 1, told  # the slot that the build borrows, and no more
    assert world.github.job(job["id"])["status"] == "in_progress"
    world.github.cancel_job(job["id"])
    monitor.wait_for_runners("linux", TARGET - 1)
    wait_until("its guest is gone", lambda: not monitor.runners("linux", "Busy"))
    assert len(monitor.runners("linux", "Reserved")) == 1
    return kept


def rebuild_fails_twice(world, monitor):
    old = templates(world)
    world.guests.behave({"ci-rebuild-linux": {"crash": True}})
    pauses = []
    for failures in (1, 2):
        rebuild(monitor)
        wait_until(f"failure {failures}", lambda n=failures: image_of(monitor)["failures"] == n, 90.0)
        pauses.append(seconds_from_now(image_of(monitor)["next_try"]))
    assert 200 < pauses[0] <= 301 and 500 < pauses[1] <= 601, pauses
    wait_until("what it made is deleted", lambda: base_files(monitor) == files_of(
        name for name in templates(world) if "-linux@" in name))
    assert templates(world) == old and not world.libvirt.guests("ci-rebuild-")
    monitor.wait_for_runners("linux", TARGET - 1)  # the slot that each had borrowed is a runner's again


def restart(world, monitor, again, kept, spent):
    def state():
        runners = {key: (runner["status"], runner["registration"]["id"]) for key, runner in monitor.runners().items()}
        image = {key: image_of(monitor)[key] for key in ("state", "template_guest", "failures", "next_try", "trouble")}
        reservation = monitor.reservation(kept).json()
        return runners, image, reservation["deadline"], reservation["state"], templates(world)
    before = state()
    told = events(monitor, limit=1000)
    again()
    wait_until("all is as it was", lambda: state() == before)
    assert monitor.take("linux", kept).json()["id"] in before[0]
    assert monitor.take("linux", spent).status == 410
    assert monitor.http.get("/policy/override").json() is None
    assert events(monitor, limit=1000)[-len(told):] == told
    wait_until_settled(world, TARGET)
    check_nothing_double(world, TARGET)


def test_from_an_empty_host_to_a_restart(world):
    """G2, G3, G4, G5, G8"""
    monitor = fill_from_nothing(world)
    spent = take_and_work(world, monitor)
    select_and_work(world, monitor)
    override_and_end(world, monitor)
    kept = rebuild_while_runners_serve(world, monitor)
    rebuild_fails_twice(world, monitor)
    restart(world, monitor, monitor.restart, kept, spent)
    restart(world, monitor, monitor.crash, kept, spent)
    check_room(world, TARGET)
