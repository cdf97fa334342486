"""Clients that hold, drip, flood, break off: the daemon serves others meanwhile, and is whole afterwards."""

import collections
import json
import random
import re
import socket
import threading
import time
import uuid

from attack import HONEST, attacked, closed_by_peer, connections_held, handled, judge_time, limit, resident_kib
from harness import wait_until
from monitor import REPOSITORY, profile
from select_test import begin_run, select, upload

READ_LIMIT = 15.0  # seconds that a request may take to come in
# The settings' defaults, and what has none.
SELECTS = 10  # a minute and source
SELECT_CALLS = 60  # a minute, at GitHub, for all selects
WRONG_SIGNATURES = 10  # a minute and source
OF_A_GUEST = 4  # requests under way
REPEATS = 5  # of a guest's fetching its config


def sources(count):
    """Attackers' addresses."""
    return [f"127.1.{number // 250}.{number % 250 + 1}" for number in range(count)]


def begin(world, **settings):
    """A small pool; limits by source as they are by default."""
    monitor = world.begin({"linux": profile(1)}, **{"max_connections_per_source": 64, **settings})
    monitor.wait_for_runners("linux", 1)
    return monitor


def test_slow_senders_are_cut_off(world):
    monitor = begin(world)
    with attacked(monitor, "slowloris") as attackers:
        slow = [attackers.connect(source) for source in sources(20) for _ in range(20)]
        begun = time.monotonic()
        for connection in slow:
            connection.sendall(b"GET /dashboard.json HTTP/1.1\r\nHost: x\r\n")
        left = list(slow)
        while left and time.monotonic() < begun + READ_LIMIT + 10:
            for connection in left:
                try:
                    connection.sendall(b"X: y\r\n")
                except OSError:
                    pass
            time.sleep(0.5)
            left = [connection for connection in left if not closed_by_peer(connection)]
        assert not left, f"{len(left)} of {len(slow)} still drip"
        assert time.monotonic() > begun + READ_LIMIT - 2  # slow ones have their time


def test_thousands_of_idle_connections(world):
    monitor = begin(world)
    with attacked(monitor, "3,000 idle connections") as attackers:
        for source in sources(50):
            for _ in range(60):
                attackers.connect(source)
        wait_until("they are all held", lambda: connections_held(monitor) >= len(attackers.open))
        # Who comes now is served, too.
        for _ in range(50):
            answer = monitor.http.get("/healthz")
            assert answer.status == 200
            judge_time("a read of who comes while 3,000 idle", answer.seconds, limit())
        wait_until("they were told to go", lambda: all(map(closed_by_peer, attackers.open)), READ_LIMIT + 20)


def test_one_source_does_not_take_all_connections(world):
    monitor = begin(world)
    with attacked(monitor, "one source with 2,000 connections") as attackers:
        for _ in range(2000):
            attackers.connect("127.1.0.1")
        open_ones = [connection for connection in attackers.open if not closed_by_peer(connection)]
        wait_until("most were closed at once",
                   lambda: sum(not closed_by_peer(connection) for connection in open_ones) <= 4 * 64)
        assert attackers.say(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "127.1.0.2").startswith(b"HTTP/1.1 200")


def test_connections_that_come_and_go(world):
    monitor = begin(world)
    with attacked(monitor, "4,000 connections opened and reset") as attackers:
        for number in range(4000):
            connection = attackers.connect(sources(50)[number % 50])
            if number % 3 == 0:
                connection.sendall(b"GET / HTTP/1.1\r\nHo")
            if number % 2 == 0:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            if number == 2000:
                assert connections_held(monitor) > 0  # what is counted afterwards can be seen
            connection.close()
            attackers.open.clear()
    wait_until("none is left open", lambda: connections_held(monitor) == 0)


def test_huge_heads_and_bodies(world):
    monitor = begin(world)
    with attacked(monitor, "huge heads and bodies") as attackers:
        line = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
        assert attackers.say(line + b"X: " + b"y" * (33 << 10) + b"\r\n\r\n").startswith(b"HTTP/1.1 431")
        assert attackers.say(b"GET /" + b"y" * (9 << 10) + b" HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 414")
        assert attackers.say(line + b"X: y\r\n" * 200_000 + b"\r\n") == b""  # past the parser's own limit
        assert attackers.say(b"G" * 5_000_000) == b""
        too_much = b"Content-Length: 1048577\r\n\r\n" + b"x" * 1048577
        assert attackers.say(b"POST /profile/linux/take HTTP/1.1\r\nHost: x\r\n" + too_much).startswith(b"HTTP/1.1 413")
        # Bodies without an end: announced as large as can be, or in chunks.
        for head in (b"Content-Length: 9223372036854775807\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"):
            endless = attackers.connect(sources(1)[0])
            endless.sendall(b"POST /profile/linux/take HTTP/1.1\r\nHost: x\r\n" + head)
            piece = b"x" * 65536 if head.startswith(b"C") else b"10000\r\n" + b"x" * 65536 + b"\r\n"
            sent = 0
            try:
                while sent < 64 << 20:
                    sent += endless.send(piece)
            except OSError:
                pass
            assert sent < 32 << 20 and closed_by_peer(endless)


def test_bodies_that_are_never_finished(world):
    """400 of almost 4 MiB: 1.6 GiB, if they were all held."""
    monitor = begin(world)
    body = b"x" * (4_000_000)
    with attacked(monitor, "bodies without an end", memory=400_000) as attackers:
        for source in sources(100):
            for _ in range(4):
                connection = attackers.connect(source)
                try:
                    connection.sendall(b"POST /profile/linux/take HTTP/1.1\r\nHost: x\r\nContent-Length: 4100000\r\n\r\n" + body)
                except OSError:
                    pass  # it was cut off
        begun = time.monotonic()
        wait_until("all were cut off", lambda: all(map(closed_by_peer, attackers.open)), READ_LIMIT + 20)
        print(f"the last was cut off {time.monotonic() - begun:.1f} s after all were sent")
    assert monitor.runners("linux", "Idle")


def test_pipelined_requests(world):
    monitor = begin(world)
    with attacked(monitor, "pipelining") as attackers:
        one = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        last = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        for depth in (2, 40, 400):
            answers = attackers.say(one * (depth - 1) + last)
            assert answers.count(b"HTTP/1.1 200 OK") == depth
        mixed = b"GET /dashboard.json HTTP/1.1\r\nHost: x\r\n\r\n" + b"POST /profile/linux/take HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" + last
        answers = attackers.say(mixed)
        assert re.findall(rb"HTTP/1\.1 (\d+)", answers) == [b"200", b"401", b"200"]


def test_half_closed_and_deaf_clients(world):
    monitor = begin(world)
    with attacked(monitor, "half-closed and deaf clients") as attackers:
        for _ in range(100):
            half = attackers.connect(sources(1)[0])
            half.sendall(b"GET /dashboard.json HTTP/1.1\r\nHost: x\r\n\r\n")
            half.shutdown(socket.SHUT_WR)
            assert half.recv(12) == b"HTTP/1.1 200"
            half.close()
        silent = [attackers.connect(source) for source in sources(10) for _ in range(30)]
        for connection in silent:
            connection.shutdown(socket.SHUT_WR)  # nothing was asked
        wait_until("those that ask nothing are closed", lambda: all(map(closed_by_peer, silent)))
        deaf = [attackers.connect(source, receive_buffer=2048) for source in sources(10) for _ in range(30)]
        for connection in deaf:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 20)  # and reads none of it
        # Who comes now waits for some rounds of them, not for as many as they are: with sanitizers 6 to 12 s.
        answer = monitor.http.get("/healthz")
        assert answer.status == 200
        judge_time("a read of who comes while deaf ones ask", answer.seconds, 2 * limit())
        wait_until("the deaf ones are held", lambda: connections_held(monitor) >= len(deaf))
        wait_until("the deaf ones are cut off", lambda: connections_held(monitor) <= 1, READ_LIMIT + 20)  # the good client's
        assert all(map(closed_by_peer, deaf))


def flood(attackers, connections, request, meanwhile=lambda: None, seconds=4.0):
    """Each of the connections, by source, asks what `request()` makes as fast as it is answered: (source, path, answer) of all.
    `meanwhile` is done once, in its midst."""
    answers, end = [], time.monotonic() + seconds

    def ask(source):
        connection = attackers.connect(source)
        while time.monotonic() < end:
            data = request()
            connection.sendall(data)
            answers.append((source, data.split(b" ", 2)[1].split(b"?")[0], connection.recv(65536)))
    threads = [threading.Thread(target=ask, args=(source,)) for source in connections]
    for thread in threads:
        thread.start()
    try:
        wait_until("the flood is there", lambda: len(answers) > 10 * len(connections))
        meanwhile()
    finally:
        for thread in threads:
            thread.join()
    codes = collections.Counter(status(answer) for _, _, answer in answers)
    print(f"{len(answers)} answers: {dict(codes)}")
    return answers


def status(answer):
    return int(answer[9:12])


def cranked(monitor):
    """What anybody's requests made the monitor do, by message."""
    return {message: handled(monitor, message) for message in ("take", "lever", "release", "boot", "jit", "notice")}


def test_floods_without_a_token(world):
    monitor = begin(world)
    before = cranked(monitor)  # the honest guest's own
    requests = [
        b"POST /profile/linux/take?unique_id=0f0e0d0c-0b0a-4908-8706-050403020100&qualified_repo=octo-org/octo-repo&run_id=1",
        b"POST /policy/override?linux=5", b"DELETE /policy/override", b"POST /profile/linux/pause",
        b"DELETE /reservation/0f0e0d0c-0b0a-4908-8706-050403020100", b"GET /boot", b"GET /github-jitconfig"]

    def guess():
        return (random.choice(requests) + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
                + random.choice([b"", b"Authorization: Bearer guess\r\n"]) + b"\r\n")
    with attacked(monitor, "floods of cranking requests without a token") as attackers:
        answers = flood(attackers, sources(8), guess)
    assert len(answers) > 200 and {status(answer) for _, _, answer in answers} <= {401, 403, 404}
    assert cranked(monitor) == before
    assert len(monitor.runners("linux", "Idle")) == 1
    assert monitor.http.get("/policy/override").json() is None


def test_a_flood_of_selects_without_an_artifact(world):
    """Each with another name, so that none is answered by what is remembered; a run that has one is served meanwhile."""
    monitor = world.begin({"linux": profile(2)})
    monitor.wait_for_runners("linux", 2)
    run_id, unique_id = begin_run(world.github), str(uuid.uuid4())
    upload(world.github, run_id, unique_id)

    def ask():
        return (b"POST /select-runner?unique_id=%b&qualified_repo=octo-org/octo-repo&run_id=%d HTTP/1.1\r\nHost: x\r\n"
                b"Content-Length: 0\r\n\r\n" % (str(uuid.uuid4()).encode(), random.randrange(1, 10**9)))
    asked, taken = sources(12), []
    before = cranked(monitor)
    with attacked(monitor, "selects without an artifact") as attackers:
        answers = flood(attackers, asked, ask, lambda: taken.extend([monitor.take("linux"), select(monitor, unique_id, run_id)]))
    assert len(taken) == 2 and all(answer.status == 200 and answer.json() for answer in taken), taken
    assert {status(answer) for _, _, answer in answers} <= {403, 429, 503}
    assert all(b"\r\nRetry-After: " in answer for _, _, answer in answers if status(answer) != 403)
    for source in asked:
        assert sum(status(answer) != 429 for who, _, answer in answers if who == source) <= SELECTS
    assert len(answers) > 2 * SELECTS * len(asked)
    assert 0 < handled(monitor, "select", "selector") <= SELECTS * len(asked) + 1
    assert 0 < sum(world.github.state()["counters"]["artifacts"].values()) <= SELECT_CALLS
    assert cranked(monitor) == {**before, "take": 2}


def test_a_flood_of_wrongly_signed_webhooks(world):
    monitor = begin(world)
    body = json.dumps({"action": "in_progress", "repository": {"full_name": REPOSITORY}, "workflow_job": {
        "run_id": 1, "labels": [], "runner_id": 1, "runner_name": "ci-runner-linux.1@ci0"}}).encode()

    def deliver():
        signature = random.choice([b"", b"X-Hub-Signature-256: sha256=%064x\r\n" % random.getrandbits(256)])
        return (b"POST /github/webhook HTTP/1.1\r\nHost: x\r\nX-GitHub-Event: workflow_job\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n%b\r\n%b" % (len(body), signature, body))
    asked = sources(8)
    before = cranked(monitor)
    with attacked(monitor, "wrongly signed webhooks") as attackers:
        answers = flood(attackers, asked, deliver)
    for source in asked:
        codes = [status(answer) for who, _, answer in answers if who == source]
        assert codes == [403] * WRONG_SIGNATURES + [429] * (len(codes) - WRONG_SIGNATURES), source
    assert cranked(monitor) == before


def test_a_flood_from_guests(world):
    """They may crank, but only few requests at a time; and they get their config a few times at most."""
    monitor = world.begin({"linux": profile(3)}, guests={"hang_at": "boot"}, monitor_start_timeout=300)
    wait_until("three guests with addresses",
               lambda: sum(bool(runner["ipv4_address"]) for runner in monitor.runners("linux").values()) == 3)
    guests = [runner["ipv4_address"] for runner in monitor.runners("linux").values()]
    taken = []

    def ask():
        return random.choice([b"GET /boot", b"GET /github-jitconfig"]) + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    before, looked_up = cranked(monitor), handled(monitor, "addresses", "hypervisor")
    with attacked(monitor, "guests that ask without end") as attackers:
        answers = flood(attackers, [guest for guest in guests for _ in range(8)], ask, lambda: taken.append(monitor.take("linux")))
    assert taken[0].status == 200  # half of all places are for those who show the token
    refused = [answer for _, _, answer in answers if b"Too many requests" in answer]
    assert refused and all(status(answer) == 503 and b"\r\nRetry-After: " in answer for answer in refused)
    after, looked_up = cranked(monitor), handled(monitor, "addresses", "hypervisor") - looked_up
    assert after == {**before, "take": 1, "boot": after["boot"], "jit": after["jit"]}
    guests_cranked = after["boot"] + after["jit"] - before["boot"] - before["jit"]
    assert guests_cranked <= len(answers) - len(refused)
    # One look-up is under way at a time, and answers all that wait for it; some may have waited too long for theirs.
    assert 0 < guests_cranked <= OF_A_GUEST * len(guests) * (looked_up + 3)
    for guest in guests:
        configs = [status(answer) for who, path, answer in answers
                   if who == guest and path == b"/github-jitconfig" and b"Too many requests" not in answer]
        assert 1 <= configs.count(200) <= 1 + REPEATS and set(configs) <= {200, 410, 503}, guest
    assert world.github.state()["counters"]["get"]["200"] <= 3 * REPEATS * len(guests)


def test_pictures_asked_for_without_end(world):
    monitor = begin(world)
    runner_id, = monitor.runners("linux")
    ask = f"GET /runner/{runner_id}/screenshot/now HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    with attacked(monitor, "pictures without end") as attackers:
        answers = [attackers.say(ask, "127.1.0.1") for _ in range(80)]
        assert sum(answer.startswith(b"HTTP/1.1 200") for answer in answers) == 60
        refused = [answer for answer in answers if answer.startswith(b"HTTP/1.1 429")]
        assert len(refused) == 20 and all(b"\r\nRetry-After: " in answer for answer in refused)
        assert attackers.say(ask, HONEST).startswith(b"HTTP/1.1 200")


def test_bytes_that_are_no_http(world):
    monitor = begin(world)
    chance = random.Random(7)
    with attacked(monitor, "bytes that are no HTTP") as attackers:
        samples = [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\0" * 1000, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                   b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", b"GET\r\n\r\n", b"\r\n" * 1000, b"GET / HTTP/1.1\nHost: x\n\n",
                   b"GET / HTTP/1.1\r\nHost: x\r\nX\0: y\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nX: \x7f\x01\r\n\r\n",
                   b"CONNECT 1.2.3.4:80 HTTP/1.1\r\nHost: x\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
                   b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"]
        samples += [chance.randbytes(chance.randrange(1, 3000)) for _ in range(40)]

        def one(sample):
            answer = attackers.say(sample)
            assert b" 500 " not in answer[:20], sample
        threads = [threading.Thread(target=one, args=(sample,)) for sample in samples]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert resident_kib(monitor.pid)
