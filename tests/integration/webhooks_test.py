"""Webhooks: what they make known at once, and that nothing depends on them."""

import hashlib
import hmac
import json
import time
from datetime import datetime

import pytest

from answers_test import ask
from harness import wait_until
from monitor import REPOSITORY, WEBHOOK_SECRET, profile
from outside import settle
from pool_test import check_nothing_double, wait_until_settled
from reload_test import reload

NEVER = 600.0  # a listing that no test waits for


def send_webhooks(world):
    """From now on GitHub sends them."""
    world.github.set(webhook_url=world.monitor.base_url + "/github/webhook", webhook_secret=WEBHOOK_SECRET)


def signature(body, secret=WEBHOOK_SECRET):
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def deliver(monitor, payload, event="workflow_job", secret=WEBHOOK_SECRET, source=None, **headers):
    """As GitHub would send it; `headers` go over the usual ones, None leaves one out."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    fields = {"X-Hub-Signature-256": signature(body, secret), "X-GitHub-Event": event, "Content-Type": "application/json",
              "X-GitHub-Delivery": "0b989ba4-242f-11e5-81e1-c7b6966d2516", **{k.replace("_", "-"): v for k, v in headers.items()}}
    return ask(monitor, "POST", "/github/webhook", source=source, body=body,
               headers=[(name, value) for name, value in fields.items() if value is not None])


def payload(action, registration, run_id=1, repository=REPOSITORY):
    return {"action": action, "repository": {"full_name": repository}, "workflow_job": {
        "run_id": run_id, "labels": [], "runner_id": registration["id"], "runner_name": registration["name"]}}


def outcomes(world, operation):
    return world.github.state()["counters"].get(operation, {})


def test_busy_and_done_are_known_at_once(world):
    """No listing comes meanwhile, and guests don't shut down by themselves: only webhooks can have told."""
    monitor = world.begin({"linux": profile(2)}, guests={"no_shutdown": True}, api_cache_timeout=NEVER)
    monitor.wait_for_runners("linux", 2)
    send_webhooks(world)
    job = world.github.queue_job("self-hosted-image:linux", seconds=1.0)
    (worked, runner), = monitor.wait_for_runners("linux", 1, "Busy").items()
    guest = runner["guest_name"]
    assert world.github.wait_for_job(job["id"])["runner_name"] == f"{guest}@ci0"

    def replaced():
        if guest not in world.libvirt.guests():  # G1: only when GitHub has let go of it
            assert f"{guest}@ci0" not in world.github.registrations()
        return worked not in monitor.runners() and len(monitor.runners("linux", "Idle")) == 2
    wait_until("it is replaced", replaced)
    wait_until_settled(world, 2)
    check_nothing_double(world, 2)
    assert b'ci_monitor_webhooks_total{event="job_completed",use="yes"} 1' in monitor.http.get("/metrics").body


def test_a_run_that_is_cancelled_frees_its_runners_at_once(world):
    monitor = world.begin({"linux": profile(1)}, monitor_reserve_timeout=300, reserve_timeout_max=600)
    monitor.wait_for_runners("linux", 1)
    send_webhooks(world)
    run = world.github.control("POST", "runs", {"repo": REPOSITORY})["id"]
    unique_id = "0f0e0d0c-0b0a-4908-8706-050403020100"
    assert monitor.take("linux", unique_id, run_id=run).json()
    begin = time.monotonic()
    world.github.control("DELETE", f"runs/{run}")
    wait_until("it is given up", lambda: monitor.reservation(unique_id).json()["state"] == "expired")
    print(f"given up {time.monotonic() - begin:.1f} s after its run was cancelled")


def test_late_doubled_disordered_and_lost_webhooks_do_no_harm(world):
    monitor = world.begin({"linux": profile(3)})
    monitor.wait_for_runners("linux", 3)
    send_webhooks(world)
    world.github.fault("webhook_in_progress", "delay", seconds=4.0)  # after the end, and after the runner
    world.github.fault("webhook_completed", "duplicate")
    world.github.fault("webhook_in_progress", "drop")
    world.github.fault("webhook_completed", "drop")
    world.github.fault("webhook_in_progress", "duplicate")
    world.github.fault("webhook_completed", "delay", seconds=3.0)
    jobs = [world.github.queue_job("self-hosted-image:linux", seconds=0.5) for _ in range(3)]
    for job in jobs:
        assert world.github.wait_for_job(job["id"])["conclusion"] == "success"

    def all_came():
        return all(outcomes(world, f"webhook_{what}").get("202") == 3 and outcomes(world, f"webhook_{what}").get("dropped") == 1
                   for what in ("in_progress", "completed"))
    wait_until("what was to come has come", all_came)
    monitor.wait_for_runners("linux", 3)
    wait_until_settled(world, 3)
    check_nothing_double(world, 3)


def test_a_webhook_alone_ends_nothing(world):
    """G1: signed as it should be, it says of a runner at work that its job is over, again and again."""
    monitor = world.begin({"linux": profile(2)})
    monitor.wait_for_runners("linux", 2)
    job = world.github.queue_job("self-hosted-image:linux", seconds=600)
    (busy,) = monitor.wait_for_runners("linux", 1, "Busy").values()

    def works():
        assert deliver(monitor, payload("completed", busy["registration"])).status == 202
        return world.libvirt.guests().get(busy["guest_name"]) is True
    settle(3.0, "the job goes on", works)
    world.github.cancel_job(job["id"])


def test_who_is_believed_and_what_is_answered(world):
    monitor = world.begin({"linux": profile(1)}, trusted_proxies=["127.0.0.5"])
    (runner,) = monitor.wait_for_runners("linux", 1).values()
    registration = runner["registration"]
    begun = payload("in_progress", registration)
    assert deliver(monitor, begun, secret="a-secret-that-is-not-ours").status == 403
    assert deliver(monitor, begun, X_Hub_Signature_256=None).status == 403
    assert deliver(monitor, begun, X_Hub_Signature_256="sha256=" + "0" * 64).status == 403
    assert deliver(monitor, begun, Content_Type="application/x-www-form-urlencoded").status == 400
    assert deliver(monitor, begun, X_GitHub_Event=None).status == 400
    assert deliver(monitor, b"{").status == 400
    assert deliver(monitor, begun, source="127.64.9.9").status == 404  # guests have no business here
    assert deliver(monitor, {"zen": "Design for failure."}, event="ping").status == 202
    assert deliver(monitor, b"anything", event="push").status == 202
    # Others' runners and repositories.
    assert deliver(monitor, payload("in_progress", {**registration, "name": "GitHub Actions 2"})).status == 202
    assert deliver(monitor, payload("completed", {**registration, "id": registration["id"] + 1})).status == 202
    settle(1.0, "idle", lambda: len(monitor.runners("linux", "Idle")) == 1)
    assert deliver(monitor, begun).status == 202
    monitor.wait_for_runners("linux", 1, "Busy")
    # Who tries again and again is held off; what GitHub signed is not, wherever it comes from.
    stranger = {"source": "127.0.0.5", "secret": "a-secret-that-is-not-ours", "X_Real_IP": "192.0.2.1"}
    answers = [deliver(monitor, begun, **stranger).status for _ in range(12)]
    assert answers == [403] * 10 + [429] * 2
    assert deliver(monitor, begun).status == 202
    assert deliver(monitor, begun, source=stranger["source"]).status == 202


def test_the_secret_is_read_again(world):
    monitor = world.begin({"linux": profile(0)})
    ping = {"zen": "Keep it logically awesome."}
    fresh = "another-webhook-secret-0123456789"
    assert deliver(monitor, ping, event="ping").status == 202
    env = monitor.folder / ".env"
    text = env.read_text()
    env.write_text(text.replace(WEBHOOK_SECRET, fresh))
    assert fresh not in reload(monitor)
    assert deliver(monitor, ping, event="ping").status == 403
    assert deliver(monitor, ping, event="ping", secret=fresh).status == 202
    env.write_text(text.replace(f"GITHUB_WEBHOOK_SECRET={WEBHOOK_SECRET}\n", ""))
    reload(monitor)
    assert deliver(monitor, ping, event="ping").status == 404


@pytest.mark.parametrize("shuts_down", [True, False])
@pytest.mark.parametrize("webhooks", [True, False])
def test_time_from_a_jobs_end_to_its_replacement(world, webhooks, shuts_down):
    """Printed; `pytest -s -k replacement`. Listings every 15 s, a registration that goes 3 s after the job's end."""
    monitor = world.begin({"linux": profile(1)}, github={"gone_delay": 3.0}, guests={"no_shutdown": not shuts_down},
                          api_cache_timeout=15.0, monitor_poll_interval=5.0)
    monitor.wait_for_runners("linux", 1)
    if webhooks:
        send_webhooks(world)
    took = []
    for _ in range(2):
        (worked,) = monitor.wait_for_runners("linux", 1)
        job = world.github.queue_job("self-hosted-image:linux", seconds=1.0)
        done = world.github.wait_for_job(job["id"])
        wait_until("a new one is ordered", lambda: max(monitor.runners(), default=0) > worked)
        took.append(time.time() - datetime.fromisoformat(done["completed_at"].replace("Z", "+00:00")).timestamp())
    print(f"webhooks={webhooks} shuts_down={shuts_down}: " + ", ".join(f"{seconds:.2f} s" for seconds in took))
    wait_until_settled(world, 1)
