"""What happened, and how the pools were used, as operators read it."""

import threading
import time
import uuid

from harness import wait_until
from monitor import profile

PROXY = "127.0.0.5"


def events(monitor, **query):
    """All that match, the newest first, page by page."""
    found, before = [], None
    while True:
        answer = monitor.http.get("/history.json", {**query, **({"before": before} if before else {})})
        assert answer.status == 200, answer
        page = answer.json()
        found += page["events"]
        before = page["next"]
        if before is None:
            return found


def usage(monitor, **query):
    answer = monitor.http.get("/usage.json", query)
    assert answer.status == 200, answer
    return answer.json()


def work_once(world, monitor):
    """A job on a reserved runner, from the take until it was replaced; the runner's id."""
    unique_id = str(uuid.uuid4())
    taken = monitor.take("linux", unique_id).json()["id"]
    job = world.github.queue_job(f"reserved-for:{unique_id}", seconds=600)
    wait_until("it works", lambda: monitor.runners()[taken]["status"] == "Busy")
    world.github.cancel_job(job["id"])
    wait_until("it was replaced", lambda: taken not in monitor.runners() and len(monitor.runners("linux", "Idle")) == 2)
    return taken


def test_a_runners_life_can_be_read_and_outlives_a_restart(world):
    monitor = world.begin({"linux": profile(2), "off": profile(0)})
    monitor.wait_for_runners("linux", 2)
    worked = work_once(world, monitor)
    assert monitor.take("linux", count=9).json() is None

    def life():
        return [event["event"] for event in reversed(events(monitor, runner=worked))]
    wait_until("its end is told", lambda: life()[-1:] == ["gone"])
    told = life()
    for earlier, later in zip(["ordered", "started", "jitconfig_served", "online", "reserved", "busy"],
                              ["started", "jitconfig_served", "online", "reserved", "busy", "gone"]):
        assert told.index(earlier) < told.index(later), told
    numbers = [event["number"] for event in events(monitor, limit=7)]
    assert numbers == sorted(numbers, reverse=True) and len(set(numbers)) == len(numbers)
    assert {event["profile"] for event in events(monitor, profile="linux")} == {"linux"}
    assert events(monitor, profile="off") == []
    # Nobody waits for a line that promises nothing.
    wait_until("the refusal is told", lambda: [event["detail"] for event in events(monitor, event="take_null")] == ["1"])
    assert events(monitor, until="2020-01-01T00:00:00Z") == []
    monitor.crash()
    assert life() == told


def test_the_use_of_a_pool_can_be_read(world):
    begin = time.monotonic()
    monitor = world.begin({"linux": profile(2)})
    monitor.wait_for_runners("linux", 2)
    for _ in range(2):
        work_once(world, monitor)
    monitor.take("linux", count=9)
    wait_until("both ends are told", lambda: len(events(monitor, event="gone")) == 2)
    wait_until("the refusal, too", lambda: events(monitor, event="take_null"))
    linux = usage(monitor)["profiles"]["linux"]
    wall = time.monotonic() - begin
    assert linux["jobs"] == 2 and linux["runners_made"] == linux["runners_online"] == 4
    assert linux["runners_failed"] == 0
    assert linux["takes"] == {"granted": 2, "null": 1} and linux["granted_share"] == 0.667
    for what, count in (("create_to_online", 4), ("reserved_to_busy", 2), ("end_to_removed", 2), ("end_to_replacement", 2)):
        spread = linux[what]
        assert spread["count"] == count and 0 < spread["median"] <= spread["p95"] < wall, what
    seconds = sum(linux[f"{what}_seconds"] for what in ("starting", "idle", "reserved", "busy", "ending"))
    assert 0 < seconds < 4 * wall
    assert 0 < linux["utilisation"] < 1
    assert usage(monitor)["total"]["jobs"] == 2
    old = usage(monitor, until="2020-01-01T00:00:00Z", hours=1)
    assert old["profiles"] == {} and old["total"]["utilisation"] is None


def test_they_are_for_operators_alone(world):
    monitor = world.begin({"linux": profile(0)}, trusted_proxies=[PROXY])
    for path in ("/history.json", "/usage.json"):
        assert monitor.http.get(path, token="").status == 200  # at the host itself
        assert monitor.http.request("HEAD", path).status == 200
        assert monitor.http.post(path).status == 405
    assert monitor.http.get("/history.json", {"limit": 1001}).status == 400
    assert monitor.http.get("/usage.json", {"hours": 0}).status == 400


def test_who_reads_all_of_it_holds_up_nobody(world):
    """Reads that go through the whole history, over and over, while takes are decided."""
    monitor = world.begin({"linux": profile(4)})
    monitor.wait_for_runners("linux", 4)
    stop, statuses = threading.Event(), []

    def read():
        while not stop.is_set():
            statuses.append(monitor.http.get("/usage.json").status)
            statuses.append(monitor.http.get("/history.json", {"limit": 1000}).status)
    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(3):
            unique_id = str(uuid.uuid4())
            assert monitor.take("linux", unique_id).json()["id"]
            assert monitor.http.delete(f"/reservation/{unique_id}").status == 200
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert set(statuses) == {200} and len(statuses) > 8
