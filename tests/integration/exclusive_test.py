"""exclusive_reservations: runners that only their reservation's job can get."""

import re
import uuid

from harness import wait_until
from monitor import profile
from outside import settle
from pool_test import check_nothing_double, wait_until_settled

USUAL = {"self-hosted", "X64", "self-hosted-image:linux"}
EXCLUSIVE = re.compile(rb"exclusive-[0-9a-f]{32}")


def labels(world, name):
    return world.github.registrations()[name]["labels"]


def test_nobody_gets_an_exclusive_runner_but_the_job_that_it_is_reserved_for(world):
    monitor = world.begin({"linux": profile(2)}, exclusive_reservations=True)
    idle = monitor.wait_for_runners("linux", 2)
    for runner in idle.values():
        (only,) = labels(world, runner["registration"]["name"])
        assert EXCLUSIVE.fullmatch(only.encode())
    broad = [world.github.queue_job(*wanted, seconds=1.0) for wanted in (["self-hosted"], ["X64"], sorted(USUAL))]
    unique_id = str(uuid.uuid4())
    taken = monitor.take("linux", unique_id).json()["runner"]
    name = taken["registration"]["name"]

    def none_stolen():
        return {world.github.job(job["id"])["status"] for job in broad} == {"queued"}
    settle(2.0, "the others wait", none_stolen)
    assert labels(world, name)[1] == f"reserved-for:{unique_id}" and not USUAL & set(labels(world, name))
    job = world.github.queue_job(f"reserved-for:{unique_id}", seconds=600)
    assert world.github.wait_for_job(job["id"], "in_progress")["runner_name"] == name
    wait_until("it bears the usual labels, too", lambda: USUAL <= set(labels(world, name)))
    world.github.cancel_job(job["id"])
    assert none_stolen()
    monitor.wait_for_runners("linux", 2)
    wait_until_settled(world, 2)
    check_nothing_double(world, 2)


def test_the_label_of_an_exclusive_runner_is_told_to_nobody(world):
    """G9: whoever knows it can have the runner."""
    monitor = world.begin({"linux": profile(2)}, exclusive_reservations=True)
    monitor.wait_for_runners("linux", 2)
    unique_id = str(uuid.uuid4())
    answers = [monitor.take("linux", unique_id)]
    assert b"reserved-for:" in answers[0].body
    answers += [monitor.http.get(path) for path in ("/", "/dashboard.html", "/dashboard.json", "/metrics", "/openapi.json",
                                                    f"/reservation/{unique_id}")]
    answers.append(monitor.http.delete(f"/reservation/{unique_id}"))
    for answer in answers:
        assert not EXCLUSIVE.search(answer.body), repr(answer)
    assert not EXCLUSIVE.search(monitor.log_path.read_bytes())
