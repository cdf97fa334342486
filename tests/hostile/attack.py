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

from harness import Failure, sanitized

HONEST = "127.0.0.3"  # the good client's address; attackers come from others
LIMIT = 0.050  # seconds; G10: 99 of 100 reads of the good client
LIMIT_SANITIZED = 2.0  # sanitizers make the daemon slow: only that reads go on is judged
SLOW = 0.100  # seconds of any one second that the good client may spend in reads that take LIMIT or longer
UNDISTURBED = 0.5  # seconds that the good client reads before the attack
DISTURBED = 3.0  # and from its begin on, at least: who comes behind a burst may wait for a second under sanitizers
LISTENS = "0A"  # a socket's state in /proc/net/tcp
GROWTH = 150_000  # KiB of memory that an attack may cost; AddressSanitizer holds on to what was freed: twice as much
# Times of the test that runs which were too long, as texts. Something else on the machine may have taken the processor, so that
# they alone may be measured again: they fail their test (conftest.py) when all else that it looks at was as it should be.
too_slow = []


def allow_many_files():
    """Attackers hold thousands of sockets."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65536), most))


def limit():
    """Seconds; by the build alone, never by how the machine fares: an attack could loosen that."""
    return LIMIT_SANITIZED if sanitized("CI_MONITOR", "ci-monitor") else LIMIT


def cpu_times():
    """Of all CPUs since boot: (idle, all), in ticks."""
    with open("/proc/stat") as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]  # guests' times are in user's already
    return ticks[3] + ticks[4], sum(ticks)


def wait_for_quiet(seconds=30):
    """Until half of the CPU time of one second was idle; whether it ever was."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        idle, total = cpu_times()
        time.sleep(1)
        idle, total = (now - before for now, before in zip(cpu_times(), (idle, total)))
        if idle > total / 2:
            return True
    return False


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(next(line for line in status if line.startswith("RssAnon:")).split()[1])


def connections_held(monitor):
    """Of its clients: sockets at its port that are open files of the daemon."""
    files = set()
    for entry in Path(f"/proc/{monitor.pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile
            files.add(os.readlink(entry))
    sockets = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return sum(int(own.partition(":")[2], 16) == monitor.http.address.port and state != LISTENS and f"socket:[{inode}]" in files
               for _, own, _, state, _, _, _, _, _, inode, *_ in sockets)


def handled(monitor, message, actor="monitor"):
    """How often the actor was sent that message since the daemon's start."""
    line = f'ci_monitor_actor_messages_total{{actor="{actor}",message="{message}"}} '
    found = [text for text in monitor.http.get("/metrics").body.decode().splitlines() if text.startswith(line)]
    return int(float(found[0].removeprefix(line))) if found else 0


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

    def say(self, data, source=None, silent_for=2.0):
        """Everything that comes back until the server closes, or is silent for so many seconds."""
        connection = self.connect(source)
        connection.settimeout(silent_for)
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


def p99_of(times):
    """Of sorted times; infinite where there are none."""
    return times[min(len(times) - 1, int(len(times) * 0.99))] if times else float("inf")


def slowest_second(reads, begun, limit):
    """Of the (begin, seconds) of reads, from `begun` on: the most time that those of `limit` seconds or longer take of any one
    second. An attack that lasts a second is one of many in p99's, and a read that waits for long is one of few."""
    slow = [(max(begin, begun), begin + seconds) for begin, seconds in reads if seconds >= limit and begin + seconds > begun]
    return max((sum(max(0.0, min(end, second + 1) - max(begin, second)) for begin, end in slow) for second, _ in slow), default=0.0)


def judge_time(what, seconds, most):
    if seconds >= most:
        too_slow.append(f"{what}: {seconds * 1e3:.1f} ms")


def judge_reads(what, reads, begun):
    """Prints and judges the good client's (begin, seconds, whether it had to connect): those that end after `begun`."""
    undisturbed, times = (sorted(seconds for begin, seconds, _ in reads if (begin + seconds > begun) is late) for late in (False, True))
    if len(times) < 10:
        too_slow.append(f"{what}: only {len(times)} reads")
        return
    p50, p99, before_it = times[len(times) // 2], p99_of(times), p99_of(undisturbed)
    anew = max((seconds for begin, seconds, connected in reads if connected and begin + seconds > begun), default=0.0)
    slow = slowest_second([(begin, seconds) for begin, seconds, _ in reads], begun, limit())
    print(f"\n{what}: {len(times)} reads, p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms (before: {before_it * 1e3:.1f} ms), "
          f"slowest {times[-1] * 1e3:.1f} ms, with a new connection {anew * 1e3:.1f} ms, slow in one second {slow * 1e3:.0f} ms")
    judge_time(f"{what}: p99 (before the attack {before_it * 1e3:.1f} ms)", p99, limit())
    if limit() == LIMIT:
        judge_time(f"{what}: reads of {LIMIT * 1e3:.0f} ms or more, of one second", slow, SLOW)


@contextlib.contextmanager
def attacked(monitor, what, honest=HONEST, memory=GROWTH):
    """Within it, a good client reads; at its end, the server's memory and the client's times are judged, and printed."""
    allow_many_files()
    url = monitor.http.address
    before = resident_kib(monitor.pid)
    reader = subprocess.Popen([sys.executable, "-B", str(Path(__file__).with_name("good_client.py")), url.hostname,
                               str(url.port), honest], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    attackers = Attackers(monitor)
    try:
        time.sleep(UNDISTURBED)
        begun = time.monotonic()
        yield attackers
        time.sleep(max(0.0, begun + DISTURBED - time.monotonic()))  # a short one leaves too few reads
        grown = resident_kib(monitor.pid) - before
    finally:
        attackers.close()
        output, _ = reader.communicate(timeout=60)
    seen = json.loads(output)
    judge_reads(what, seen["reads"], begun)
    print(f"{what}: memory {grown:+} KiB")
    if seen["failures"]:
        raise Failure(f"{what}: the good client was refused: {seen['failures'][:5]}, {len(seen['reads'])} reads went well")
    assert grown < memory * (1 if limit() == LIMIT else 2), f"{what}: {grown} KiB more"
    assert monitor.running() and monitor.http.get("/healthz").status == 200
