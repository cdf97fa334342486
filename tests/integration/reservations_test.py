"""A reservation's rules as its client sees them: states, minimum, the queue's deadline."""

import threading
import uuid

from harness import wait_until
from history_test import events
from monitor import profile
from pool_test import reservation_labels


def state(monitor, unique_id):
    return monitor.reservation(unique_id).json()["state"]


def test_a_reservation_is_deciding_reserved_started_and_finished(world):
    monitor = world.begin({"linux": profile(1)})
    runner_id, = monitor.wait_for_runners("linux", 1)
    unique_id, answers = str(uuid.uuid4()), []
    world.github.fault("label", "delay", seconds=3.0)
    asking = threading.Thread(target=lambda: answers.append(monitor.take("linux", unique_id)))
    asking.start()
    wait_until("it is being decided", lambda: monitor.reservation(unique_id).status == 200)
    shown = monitor.reservation(unique_id).json()
    assert (shown["state"], shown["deadline"], [slot["id"] for slot in shown["runners"]]) == ("deciding", None, [runner_id])
    again = monitor.take("linux", unique_id)  # waits for the first one's answer
    asking.join()
    assert answers[0].status == again.status == 200
    assert answers[0].json()["id"] == again.json()["id"] == runner_id
    shown = monitor.reservation(unique_id.upper()).json()
    assert shown["state"] == "reserved" and shown["deadline"] and shown["runners"][0]["runner"]["status"] == "Reserved"
    job = world.github.queue_job(f"reserved-for:{unique_id}", seconds=600)
    wait_until("it has started", lambda: state(monitor, unique_id) == "started")
    assert monitor.http.delete(f"/reservation/{unique_id}").json()["state"] == "started"  # what has begun is left alone
    world.github.cancel_job(job["id"])
    wait_until("it has ended", lambda: monitor.reservation(unique_id).json()["ended_time"])
    assert monitor.http.delete(f"/reservation/{unique_id}").status == 200  # idempotent
    assert monitor.take("linux", unique_id).status == 410
    assert monitor.take("linux", unique_id, run_id=2).status == 409


def test_a_take_with_a_minimum_gets_as_many_as_there_are(world):
    monitor = world.begin({"linux": profile(3)})
    idle = monitor.wait_for_runners("linux", 3)
    assert monitor.take("linux", count=5, minimum=4).json() is None
    assert reservation_labels(world) == set()
    taken = monitor.take("linux", count=5, minimum=2).json()
    assert [entry["id"] for entry in taken] == sorted(idle)


def test_a_member_of_a_queue_is_told_within_the_deadline_what_github_did_not_confirm(world):
    """Whoever distributes jobs over several hosts asks the next one; nothing stays reserved here."""
    monitor = world.begin({"linux": profile(1)}, queue_member=True, take_deadline=1.0)
    idle = monitor.wait_for_runners("linux", 1)
    world.github.fault("label", "delay", seconds=5.0)
    unique_id = str(uuid.uuid4())
    answer = monitor.take("linux", unique_id)
    assert answer.status == 503 and answer.headers["Retry-After"] and 0.9 < answer.seconds < 4.5, answer.seconds
    wait_until("it is undone", lambda: not reservation_labels(world) and monitor.runners("linux", "Idle").keys() == idle.keys())
    wait_until("it is forgotten", lambda: monitor.reservation(unique_id).status == 404)
    assert monitor.take("linux", unique_id).json()["id"] in idle
    assert [event["event"] for event in events(monitor, profile="linux") if event["event"].startswith("take_")] == [
        "take_granted", "take_github_away"]  # the newest first
