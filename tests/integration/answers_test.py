"""Each answer that /openapi.json describes, asked for; that it is as described is checked when the test is over."""

import http.client
import json
import re
import signal
import uuid

import pytest

from description import collected
from harness import Answer, wait_until
from monitor import API_TOKEN, profile

PROXY = "127.0.0.5"  # so that a loopback peer is no operator at the host
GUEST = "127.64.9.9"  # an address of the guest network that no guest has
SAMPLES = {"profile_key": "linux", "count": "1", "runner_id": "1", "path": "some/file"}
URL_LIMIT, HEADER_LIMIT, BODY_LIMIT = 8 << 10, 32 << 10, 1 << 20


class Client:
    """One connection, over which anything may be sent."""

    def __init__(self, monitor, source=None):
        self.address = monitor.http.address
        self.connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=30,
                                                     source_address=(source, 0) if source else None)

    def ask(self, method, target, headers=(), body=b""):
        self.connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers:
            self.connection.putheader(name, value)
        if body or method != "GET":
            self.connection.putheader("Content-Length", str(len(body)))
        self.connection.endheaders(body)
        response = self.connection.getresponse()
        answer = Answer(response.status, response.headers, response.read(), 0.0)
        collected.add(self.address.netloc, method, target, answer)
        return answer

    def close(self):
        self.connection.close()


def ask(monitor, method, target, source=None, **more):
    client = Client(monitor, source)
    try:
        return client.ask(method, target, **more)
    finally:
        client.close()


def operations(monitor):
    """(method, a target, the described statuses) of every operation."""
    found = []
    for path, methods in monitor.http.get("/openapi.json").json()["paths"].items():
        target = re.sub(r"\{([^}]*)\}", lambda name: SAMPLES.get(name[1]) or str(uuid.uuid4()), path)
        found += [(method.upper(), target, set(map(int, described["responses"]))) for method, described in methods.items()]
    assert len(found) > 10
    return found


def bearer(token):
    return [("Authorization", f"Bearer {token}")]


def check(monitor, method, target, status, **more):
    answer = ask(monitor, method, target, **more)
    assert answer.status == status, f"{method} {target}: {answer!r}"
    return answer


def test_what_every_path_refuses(world):
    monitor = world.begin({"linux": profile(0)}, trusted_proxies=[PROXY], max_connections_per_source=8,
                          public_screenshots=False)
    for method, target, statuses in operations(monitor):
        check(monitor, method, target, 400, headers=[("Host", "another.example")])
        check(monitor, method, target, 413, body=b"x" * (BODY_LIMIT + 1))
        check(monitor, method, f"{target}?{'x' * URL_LIMIT}", 414)
        check(monitor, method, target, 431, headers=[("X-Filler", "x" * HEADER_LIMIT)])
        if 401 in statuses:
            check(monitor, method, target, 401, source=PROXY)
            check(monitor, method, target, 403, source=PROXY, headers=bearer("wrong"))
        # Guests' paths exist for guests alone, all others but one for all others.
        theirs = [source for source in (None, GUEST) if ask(monitor, "PATCH", target, source=source).status == 405]
        assert theirs == ([None, GUEST] if target == "/healthz" else [None] if 401 in statuses else theirs) and theirs
        for source in {None, GUEST} - set(theirs):
            check(monitor, method, target, 404, source=source, headers=bearer(API_TOKEN))


def test_too_many_connections_of_one_source_are_told_so(world):
    monitor = world.begin({"linux": profile(0)}, max_connections_per_source=8)
    described = operations(monitor)
    crowd = [Client(monitor) for _ in range(8)]
    for client in crowd:
        client.connection.connect()

    def crowded():
        return ask(monitor, "GET", "/healthz").status == 429
    wait_until("the crowd has come in", crowded)
    for method, target, _ in described:
        check(monitor, method, target, 429)
    check(monitor, "GET", "/healthz", 200, headers=bearer(API_TOKEN))
    for client in crowd:
        client.close()


def test_what_is_asked_of_a_service_that_stops(world):
    """503 on connections that are open already, as long as the monitor has something under way."""
    monitor = world.begin({"linux": profile(1)})
    described = operations(monitor)
    clients = [Client(monitor) for _ in described]
    for client in clients:
        assert client.ask("GET", "/healthz").status == 200
    world.github.set(answer_delay={"*": 5.5})
    wait_until("GitHub is being asked", lambda: world.github.state()["in_flight"] > 0)
    monitor.signal(signal.SIGTERM)
    wait_until("it stops", lambda: clients[0].ask("GET", "/healthz").status == 503)
    clients[0].close()
    clients[0] = Client(monitor)
    for client, (method, target, _) in list(zip(clients, described))[1:]:
        answer = client.ask(method, target, headers=bearer(API_TOKEN))
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1"), f"{method} {target}: {answer!r}"
        client.close()
    world.github.set(answer_delay={})


def test_before_the_first_crank_it_says_to_come_again(world):
    monitor = world.begin({"linux": profile(1)}, github={"answer_delay": {"*": 600}}, ready=False)
    monitor.kill()
    monitor.begin()  # 5 s after its start it shows what it has; the guests' simulator took some of them
    take = {"unique_id": str(uuid.uuid4()), "qualified_repo": "octo-org/octo-repo", "run_id": 1}
    for answer in (monitor.http.get("/dashboard.json"), monitor.http.get("/"), monitor.http.get("/dashboard.html"),
                   monitor.http.post("/profile/linux/take", take), monitor.http.post("/profile/linux/take/2", take),
                   monitor.http.get(f"/reservation/{uuid.uuid4()}"), monitor.http.delete(f"/reservation/{uuid.uuid4()}"),
                   monitor.http.get("/readyz")):
        assert answer.status == 503 and int(answer.headers["Retry-After"]) >= 1
    assert monitor.http.get("/healthz").status == 200
    assert monitor.http.get("/metrics").status == 200
    world.github.set(answer_delay={})


def test_what_readers_get_and_need_not_get_again(world):
    monitor = world.begin({"linux": profile(1)})
    monitor.wait_for_runners("linux", 1)
    for path in ("/", "/dashboard.html", "/dashboard.json", "/openapi.json"):
        first = monitor.http.get(path)
        assert first.status == 200

        def unchanged(path=path):
            etag = monitor.http.get(path).headers["ETag"]
            return monitor.http.get(path, headers={"If-None-Match": etag}).status == 304
        wait_until(f"{path} stays the same between two requests", unchanged)
        assert monitor.http.request("HEAD", path).status == 200
    assert monitor.http.get("/healthz").json() == {"status": "ok"}
    assert monitor.http.get("/readyz").json()["ready"] is True
    metrics = monitor.http.get("/metrics")
    assert metrics.status == 200 and b"ci_monitor_" in metrics.body
    assert monitor.http.get("/nothing/here").status == 404


@pytest.mark.parametrize("several", [False, True])
def test_what_becomes_of_a_reservation(world, several):
    monitor = world.begin({"linux": profile(1)})
    monitor.wait_for_runners("linux", 1)
    unique_id = str(uuid.uuid4())
    count = 1 if several else None
    assert monitor.take("linux", "no-uuid", count=count).status == 400
    assert monitor.take("no-such-profile", unique_id, count=count).status == 404
    assert monitor.take("linux", unique_id, count=count).status == 200
    assert monitor.take("linux", count=count).json() is None
    assert monitor.take("linux", unique_id, count=count, run_id=2).status == 409
    assert monitor.reservation(unique_id).status == 200
    assert monitor.http.delete(f"/reservation/{unique_id}").status == 200
    wait_until("released", lambda: monitor.reservation(unique_id).json()["state"] == "released")
    assert monitor.take("linux", unique_id, count=count).status == 410
    for method in ("GET", "DELETE"):
        assert monitor.http.request(method, "/reservation/no-uuid").status == 400
        assert monitor.http.request(method, f"/reservation/{uuid.uuid4()}").status == 404


def test_what_a_take_is_told_when_github_is_away(world):
    monitor = world.begin({"linux": profile(1)})
    monitor.wait_for_runners("linux", 1)
    world.github.fault("label", "status", status=500, count=-1)
    for count in (None, 1):
        assert monitor.take("linux", count=count).status == 503
        monitor.wait_for_runners("linux", 1)
    world.github.no_faults()


def test_what_guests_get(world):
    monitor = world.begin({"linux": profile(1)}, guests={"hang_at": "boot"})
    runner = wait_until("a guest with an address", lambda: next(
        (one for one in monitor.runners().values() if one["ipv4_address"]), None))
    address = runner["ipv4_address"]

    def booted():
        answer = ask(monitor, "GET", "/boot", source=address)
        return answer if answer.status == 200 else None
    assert wait_until("it may boot", booted).body == b"#!/bin/sh\necho boot\n"
    jit = ask(monitor, "GET", "/github-jitconfig", source=address)
    assert jit.status == 200 and json.loads(jit.body).startswith("ey")
    for path in ("/boot", "/github-jitconfig"):
        check(monitor, "GET", path, 503, source=GUEST)
    for _ in range(8):
        last = ask(monitor, "GET", "/github-jitconfig", source=address)
    assert last.status == 410


def test_what_guests_get_of_files(world, tmp_path):
    for folder in ("deps", "repo"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").write_bytes(b"0123456789")
    monitor = world.begin({"linux": profile(0)}, main_repo_path=str(tmp_path / "repo"))
    monitor.environment["IMAGE_DEPS_DIR"] = str(tmp_path / "deps")
    monitor.restart()
    for path in ("/image-deps/", "/cache/servo/"):
        whole = check(monitor, "GET", f"{path}file", 200, source=GUEST)
        check(monitor, "GET", f"{path}file", 304, source=GUEST, headers=[("If-None-Match", whole.headers["ETag"])])
        part = check(monitor, "GET", f"{path}file", 206, source=GUEST, headers=[("Range", "bytes=2-4")])
        assert part.body == b"234"
        check(monitor, "GET", f"{path}file", 416, source=GUEST, headers=[("Range", "bytes=10-")])
        check(monitor, "GET", f"{path}nothing", 404, source=GUEST)


def test_a_runner_that_may_be_busy_is_not_destroyed(world):
    """G1"""
    monitor = world.begin({"linux": profile(1)})
    (runner_id,) = monitor.wait_for_runners("linux", 1)
    job = world.github.queue_job("self-hosted-image:linux", seconds=600)
    world.github.wait_for_job(job["id"], "in_progress")
    monitor.wait_for_runners("linux", 1, "Busy")
    assert monitor.http.post(f"/runner/{runner_id}/destroy").status == 409
    world.github.cancel_job(job["id"])
