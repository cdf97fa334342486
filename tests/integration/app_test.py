"""A GitHub App instead of a token."""

import subprocess

import pytest

from harness import wait_until
from monitor import Monitor, profile
from outside import settle
from pool_test import wait_until_settled
from under_fault import RIGHT_AGAIN

APP, INSTALLATION = "4711", 5_000_000_001


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout


@pytest.fixture
def app(world):
    """The App's settings; GitHub knows it, and takes no other token."""
    key = world.folder / "app.pem"
    openssl("genrsa", "-out", str(key), "2048")
    key.chmod(0o600)
    world.github.orders = [
        ("PUT", "app", {"id": APP, "installation_id": INSTALLATION, "public_key": openssl("rsa", "-in", str(key), "-pubout")}),
        ("PUT", "token", {"token": "one-that-nobody-has"})]
    return {"github_app_id": APP, "github_app_installation_id": INSTALLATION, "github_app_private_key_file": str(key)}


def counters(world, operation):
    return world.github.state()["counters"].get(operation, {})


def check_nothing_was_told(world, monitor):
    """G9"""
    key = (world.folder / "app.pem").read_text().splitlines()[1]
    for text in (monitor.log(), monitor.http.get("/dashboard.json").body.decode(), monitor.http.get("/metrics").body.decode()):
        for secret in ("ghs_", "eyJ", key):
            assert secret not in text


def test_a_pool_lives_on_tokens_that_are_renewed_before_they_end(world, app):
    monitor = world.begin({"linux": profile(3)}, github={"app_token_lifetime": 8.0}, **app)
    monitor.wait_for_runners("linux", 3)
    job = world.github.queue_job("self-hosted-image:linux", seconds=1.0)
    assert world.github.wait_for_job(job["id"])["conclusion"] == "success"
    wait_until("the second renewal", lambda: counters(world, "access_token").get("201", 0) >= 3)
    wait_until_settled(world, 3)
    # Never asked with a token that had ended, and one renewal is enough for all.
    assert not any(answers.get("401") for answers in world.github.state()["counters"].values())
    assert set(counters(world, "access_token")) == {"201"}
    check_nothing_was_told(world, monitor)


@pytest.mark.parametrize("ahead", [-3600, 3600])
def test_clocks_may_differ(world, app, ahead):
    monitor = world.begin({"linux": profile(1)}, github={"clock_offset": ahead}, **app)
    monitor.wait_for_runners("linux", 1)
    assert counters(world, "access_token") == {"401": 1, "201": 1}


def test_g6_a_token_that_is_refused_is_replaced_and_the_call_sent_again(world, app):
    monitor = world.begin({"linux": profile(3)}, **app)
    monitor.wait_for_runners("linux", 3)
    before = counters(world, "access_token")["201"]
    world.github.control("DELETE", "app/tokens")
    settle(2.0, "nobody notices", lambda: monitor.dashboard()["health"]["github"]["well"])
    assert monitor.take("linux").json() is not None
    assert counters(world, "access_token")["201"] == before + 1


def test_g6_an_app_that_may_not_is_said_and_tried_again(world, app):
    monitor = world.begin({"linux": profile(2)}, **app)
    monitor.wait_for_runners("linux", 2)
    world.github.fault("access_token", "status", status=403, body={"message": "This installation has been suspended"}, count=-1)
    world.github.control("DELETE", "app/tokens")

    def trouble():
        return monitor.dashboard()["health"]["github"]["trouble"] or ""
    wait_until("the dashboard says so", lambda: "no token of the GitHub App: This installation has been suspended" in trouble())
    assert monitor.take("linux").status == 503
    calls = counters(world, "access_token").get("403", 0)
    settle(3.0, "GitHub is not asked all the time", lambda: counters(world, "access_token").get("403", 0) <= calls + 3)
    world.github.no_faults()
    wait_until("all is well", lambda: not trouble(), RIGHT_AGAIN)
    monitor.wait_for_runners("linux", 2)
    assert monitor.take("linux").json() is not None
    check_nothing_was_told(world, monitor)


def test_another_key_needs_no_restart(world, app):
    monitor = world.begin({"linux": profile(1)}, **app)
    monitor.wait_for_runners("linux", 1)
    key = world.folder / "app.pem"
    openssl("genrsa", "-out", str(key), "2048")
    public = openssl("rsa", "-in", str(key), "-pubout")
    world.github.control("PUT", "app", {"id": APP, "installation_id": INSTALLATION, "public_key": public})
    world.github.control("DELETE", "app/tokens")
    wait_until("a token by the new key", lambda: counters(world, "access_token").get("201", 0) >= 2)
    assert monitor.dashboard()["health"]["github"]["well"]


@pytest.mark.parametrize("arguments", [(), ("--check",)])
def test_g9_a_key_that_others_may_read_is_refused(world, app, arguments):
    (world.folder / "app.pem").chmod(0o644)
    monitor = Monitor(world.folder / "monitor", "http://127.0.0.1:1", "test:///default", {"linux": profile(1)}, **app)
    monitor.write_settings()
    monitor.start_program(*arguments)
    assert monitor.wait() != 0
    monitor.child = None
    assert "github_app_private_key_file: others may read or change it: chmod 600" in monitor.log()
