"""Clients that hold, drip, flood, break off: the daemon serves others meanwhile, and is whole afterwards."""

import random
import re
import socket
import threading
import time

from attack import HONEST, attacked, closed_by_peer, resident_kib
from harness import wait_until
from monitor import profile

READ_LIMIT = 15.0  # seconds that a request may take to come in


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
        # Who comes now is served, too.
        for _ in range(50):
            assert monitor.http.get("/healthz").status == 200
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
            connection.close()
            attackers.open.clear()
    wait_until("none is left open", lambda: monitor.http.get("/healthz").status == 200)


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
        for source in sources(10):
            for _ in range(30):
                attackers.connect(source).shutdown(socket.SHUT_WR)  # nothing was asked
        deaf = [attackers.connect(source, receive_buffer=2048) for source in sources(10) for _ in range(30)]
        for connection in deaf:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 20)  # and reads none of it
        time.sleep(2)


def test_floods_without_a_token(world):
    monitor = begin(world)
    handled = "ci_monitor_actor_messages_total{actor=\"monitor\",message=\"take\"}"
    requests = [
        b"POST /profile/linux/take?unique_id=0f0e0d0c-0b0a-4908-8706-050403020100&qualified_repo=octo-org/octo-repo&run_id=1",
        b"POST /policy/override?linux=5", b"DELETE /policy/override", b"POST /profile/linux/pause",
        b"DELETE /reservation/0f0e0d0c-0b0a-4908-8706-050403020100", b"GET /boot", b"GET /github-jitconfig"]
    refused = []

    def flood(attackers, source, end):
        connection = attackers.connect(source)
        while time.monotonic() < end:
            connection.sendall(random.choice(requests) + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
                               + random.choice([b"", b"Authorization: Bearer guess\r\n"]) + b"\r\n")
            refused.append(connection.recv(65536)[9:12])
    with attacked(monitor, "floods of cranking requests without a token") as attackers:
        end = time.monotonic() + 5
        threads = [threading.Thread(target=flood, args=(attackers, source, end)) for source in sources(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print(f"{len(refused)} refused in 5 s")
    assert len(refused) > 200 and set(refused) <= {b"401", b"403", b"404"}
    assert handled not in monitor.http.get("/metrics").body.decode()  # none of them reached the monitor
    assert len(monitor.runners("linux", "Idle")) == 1
    assert monitor.http.get("/policy/override").json() is None


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
