"""What attackers do with sockets, and how a good client fares meanwhile."""

import contextlib
import json
import os
import resource
import select
import socket
import subprocess
import sys
import time
from pathlib import Path

from harness import Failure, binary

HONEST = "127.0.0.3"  # the good client's address; attackers come from others
LIMIT = 0.050  # seconds; G10: 99 of 100 reads of the good client
LIMIT_UNDER_STRAIN = 2.0  # where sanitizers or other work make the machine slow, only that reads go on is judged
GROWTH = 150_000  # KiB of memory that an attack may cost


def allow_many_files():
    """Attackers hold thousands of sockets."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65536), most))


def strained():
    """Whether figures of this run say little about the program."""
    sanitized = b"__asan_init" in Path(binary("CI_MONITOR", "ci-monitor")).read_bytes()
    return sanitized or os.getloadavg()[0] > 1.5 * (os.cpu_count() or 1)


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(next(line for line in status if line.startswith("RssAnon:")).split()[1])


class Attackers:
    """Connections to one server, from as many source addresses as are wanted."""

    def __init__(self, monitor):
        self.target = (monitor.http.address.hostname, monitor.http.address.port)
        self.open = []

    def connect(self, source=None, receive_buffer=None):
        connection = socket.socket()
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            connection.bind((source, 0))
        connection.settimeout(30)
        connection.connect(self.target)
        self.open.append(connection)
        return connection

    def say(self, data, source=None):
        """Everything that comes back until the server closes, or is silent for 2 s."""
        connection = self.connect(source)
        connection.settimeout(2)
        got = b""
        with contextlib.suppress(OSError):
            connection.sendall(data)
        with contextlib.suppress(OSError):
            while piece := connection.recv(65536):
                got += piece
        connection.close()
        return got

    def close(self):
        for connection in self.open:
            connection.close()
        self.open = []


def closed_by_peer(connection):
    """Whether the server has ended it; what it sent before that is thrown away."""
    look = select.poll()
    look.register(connection, select.POLLIN)
    try:
        while look.poll(0):
            if not connection.recv(65536):
                return True
    except OSError:
        return True
    return False


@contextlib.contextmanager
def attacked(monitor, what, honest=HONEST, memory=GROWTH):
    """Within it, a good client reads; at its end, its times and the server's memory are judged, and printed."""
    allow_many_files()
    url = monitor.http.address
    before = resident_kib(monitor.pid)
    reader = subprocess.Popen([sys.executable, "-B", str(Path(__file__).with_name("good_client.py")), url.hostname,
                               str(url.port), honest], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    attackers = Attackers(monitor)
    try:
        time.sleep(0.3)  # it reads undisturbed at first
        yield attackers
        grown = resident_kib(monitor.pid) - before
    finally:
        attackers.close()
        output, _ = reader.communicate(timeout=60)
    seen = json.loads(output)
    times = sorted(seen["times"])
    if seen["failures"] or len(times) < 10:
        raise Failure(f"{what}: the good client was refused: {seen['failures'][:5]}, {len(times)} reads went well")
    p50, p99 = times[len(times) // 2], times[min(len(times) - 1, int(len(times) * 0.99))]
    limit = LIMIT_UNDER_STRAIN if strained() else LIMIT
    print(f"\n{what}: {len(times)} reads, p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms; memory {grown:+} KiB"
          f"{' (strained)' if limit != LIMIT else ''}")
    assert p99 < limit, f"{what}: p99 {p99 * 1e3:.1f} ms"
    assert grown < memory, f"{what}: {grown} KiB more"
    assert monitor.running() and monitor.http.get("/healthz").status == 200
