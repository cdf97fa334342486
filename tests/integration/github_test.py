"""GitHub as it is on good days: its limits, what it says of the token, and where else it may be."""

import time
import uuid

from harness import wait_until
from monitor import REPOSITORY, profile
from outside import settle
from pool_test import wait_until_settled
from reload_test import reload
from select_test import begin_run, select, upload


def counters(world):
    return world.github.state()["counters"]


def test_g11_what_has_not_changed_is_not_sent_again(world):
    """Listings, runners by id, workflow runs and their jobs: all that is asked again and again."""
    monitor = world.begin({"linux": profile(1)}, github={"online_delay": 8.0}, monitor_reserve_timeout=1)
    monitor.wait_for_runners("linux", 1)
    got = counters(world)["get"]  # after 2, 4, 8 s, until it was online
    assert got.get("304", 0) >= 1, got
    run_id = begin_run(world.github)
    world.github.queue_job("no-runner-has-this", run_id=run_id)
    unique_id = str(uuid.uuid4())
    assert monitor.take("linux", unique_id, run_id=run_id).json() is not None
    world.github.queue_job(f"reserved-for:{unique_id}", "no-runner-has-this", run_id=run_id)
    # Its job waits: the run is asked every 5 s.
    wait_until("the run is asked again", lambda: counters(world).get("jobs", {}).get("304", 0) >= 1)
    asked = counters(world)
    assert asked["runs"].get("304", 0) >= 1, asked
    used = world.github.state()["rate"]["used"]
    wait_until("more listings", lambda: counters(world)["list"]["304"] >= asked["list"]["304"] + 3)
    # What is not sent costs nothing of the hour's budget; what else was sent meanwhile is counted.
    assert world.github.state()["rate"]["used"] <= used + 2


def test_g11_a_take_that_the_minute_can_not_carry_gets_503_and_changes_nothing(world):
    """GitHub itself counts, and never has to say no."""
    monitor = world.begin({"linux": profile(8)})
    monitor.wait_for_runners("linux", 8)
    monitor.settings["github_writes_per_minute"] = 8  # of which one is for deletes
    monitor.write_settings()
    reload(monitor)
    world.github.set(secondary_limit=True, secondary_writes=8)
    took = []
    for _ in range(8):
        took.append(monitor.take("linux", str(uuid.uuid4())))
        if took[-1].status == 503:
            break
    refused = took[-1]
    assert refused.status == 503 and refused.json()["type"].endswith("github-away"), took
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    idle = len(monitor.runners("linux", "Idle"))
    assert idle == 8 - (len(took) - 1)
    labels = [runner["labels"] for runner in world.github.registrations().values()]
    assert sum(any(label.startswith("reserved-for:") for label in each) for each in labels) == len(took) - 1
    answers = counters(world)
    assert not any({"403", "429"} & set(statuses) for statuses in answers.values()), answers
    assert monitor.dashboard()["health"]["github"]["well"]


def test_g11_nothing_fails_while_github_holds_calls_back(world):
    """Runners that are missing wait until GitHub's hour is over; no creation fails, no number is wasted."""
    monitor = world.begin({"linux": profile(2)})
    first = monitor.wait_for_runners("linux", 2)
    hold = {"headers": {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "0", "x-ratelimit-resource": "core",
                        "x-ratelimit-reset": str(int(time.time()) + 8)}}
    world.github.fault("register", "status", status=403, body={"message": "API rate limit exceeded"}, count=1, **hold)
    world.libvirt.stop_guest(next(iter(first.values()))["guest_name"])
    counts = lambda: monitor.dashboard()["profile_runner_counts"]["linux"]  # noqa: E731
    wait_until("it says what it waits for", lambda: counts()["trouble"] == "waits for GitHub's limits on calls")
    wait_until_settled(world, 2)
    monitor.wait_for_runners("linux", 2)
    assert max(monitor.runners()) == max(first) + 1
    assert "event=create_failed" not in monitor.log()
    assert counts()["trouble"] is None


def test_the_end_of_the_token_is_told(world):
    end = int(time.time()) + 3 * 86_400
    world.github.orders = [("PUT", "token", {"expires_at": end})]
    monitor = world.begin({"linux": profile(1)})
    stated = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end))
    wait_until("the dashboard tells", lambda: monitor.dashboard()["health"]["github"]["token_expires_at"] == stated)
    assert f"ci_monitor_github_token_expiry_timestamp_seconds {end}" in monitor.http.get("/metrics").body.decode()
    assert "GitHub's token ends" in monitor.http.get("/dashboard.html").body.decode()
    assert monitor.log().count(f"event=github_token_expires at={stated}") == 1
    world.github.control("PUT", "token", {})
    wait_until("GitHub says so no more", lambda: monitor.dashboard()["health"]["github"]["token_expires_at"] is None)
    assert "token ends" not in monitor.http.get("/dashboard.html").body.decode()


def test_github_enterprise_server(world):
    """The API is below a path there, listings of more than a page and artifacts included."""
    world.github.path = "/api/v3"
    monitor = world.begin({"linux": profile(2)}, tokenless_selects_per_minute=100)
    monitor.wait_for_runners("linux", 2)
    for number in range(101):
        world.github.control("POST", "runners", {"name": f"other-{number}", "scope": f"repos/{REPOSITORY}"})
    job = world.github.queue_job("self-hosted-image:linux")
    assert world.github.wait_for_job(job["id"])["conclusion"] == "success"
    wait_until("listings of two pages", lambda: monitor.dashboard()["health"]["github"]["well"])
    monitor.wait_for_runners("linux", 2)
    run_id, unique_id = begin_run(world.github), str(uuid.uuid4())
    upload(world.github, run_id, unique_id)
    answer = select(monitor, unique_id, run_id)
    assert answer.status == 200 and answer.json(), repr(answer)
    assert "unknown" not in counters(world)  # nothing was asked for outside of it
    assert f'href="{world.github.url}/{REPOSITORY}' in monitor.http.get("/dashboard.html").body.decode()
    settle(1.0, "all is well", lambda: monitor.dashboard()["health"]["github"]["well"])
