"""Processes, waiting and HTTP: what every part of the integration tests stands on.

A part is a real program on ports that it chose itself, with a folder of its own. Nothing here sleeps for a fixed time:
who waits says what for, and until when at most.
"""

import functools
import http.client
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import pytest

from description import collected

PATIENCE = 60.0  # seconds; sanitized programs on two shared cores are slow


class Failure(AssertionError):
    """Something that the tests count on did not happen."""


def do_without(variable, reason):
    """Ends a test that lacks something here. Nobody looks at what was skipped: it fails, unless the environment has that
    variable, `CI_MONITOR_NO_...`."""
    if os.environ.get(variable):
        pytest.skip(reason)
    pytest.fail(f"{reason}; {variable}=1 does without")


def wait_until(what, condition, seconds=PATIENCE):
    """The condition's first true value. `what` names it in the error; the condition may raise OSError meanwhile."""
    deadline = time.monotonic() + seconds
    last = None
    while True:
        try:
            last = condition()
            if last:
                return last
        except OSError as error:
            last = error
        if time.monotonic() > deadline:
            raise Failure(f"not within {seconds} s: {what}; last seen: {last!r}")
        time.sleep(0.02)


def binary(variable, name):
    """A program's path, from the environment (ctest gives it), else where `tests/run` builds it."""
    default = Path(__file__).resolve().parents[2] / "build" / "tests" / name
    path = Path(os.environ.get(variable, default))
    if not path.exists():
        raise Failure(f"{path} is not built (set {variable})")
    return str(path)


@functools.lru_cache(maxsize=None)
def sanitized(variable, name):
    """Whether it was built with AddressSanitizer: its memory says little then."""
    return b"__asan_init" in Path(binary(variable, name)).read_bytes()


class Process:
    """A program, its output in `<folder>/<name>.log`; every start appends to it. Ended by pid."""

    def __init__(self, name, folder):
        self.name = name
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log_path = self.folder / f"{name}.log"
        self.child = None
        self.output = None  # a descriptor that its standard output goes to instead

    def start(self, arguments, environment=None, own_session=True):
        assert not self.running(), f"{self.name} runs already"
        variables = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG", "TMPDIR")
                     or key.startswith(("ASAN_", "UBSAN_", "LSAN_"))}
        variables.update(environment or {})
        with open(self.log_path, "ab") as log:
            self.child = subprocess.Popen(arguments, cwd=self.folder, env=variables, stdin=subprocess.DEVNULL,
                                          stdout=self.output or log, stderr=log, start_new_session=own_session)

    @property
    def pid(self):
        return self.child.pid

    def running(self):
        return self.child is not None and self.child.poll() is None

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def signal(self, number):
        assert self.running(), f"{self.name} has ended\n{self.log()[-4000:]}"
        os.kill(self.pid, number)

    def wait(self, seconds=PATIENCE):
        """Its exit status, negative for a signal."""
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} (pid {self.pid}) does not end\n{self.log()[-4000:]}") from None

    def stop(self, seconds=PATIENCE):
        """SIGTERM; anything but a clean end is a failure. Fine where it was never started or was stopped."""
        if self.child is None:
            return
        if self.running():
            os.kill(self.pid, signal.SIGTERM)
        status = self.wait(seconds)
        self.child = None
        if status != 0:
            raise Failure(f"{self.name} ended with {status}\n{self.log()[-4000:]}")

    def kill(self):
        """kill -9, and no questions asked."""
        if self.child is not None:
            if self.running():
                os.kill(self.pid, signal.SIGKILL)
            self.wait()
            self.child = None

    def wait_for_file(self, path, what):
        """The contents of a file that the program writes once it is ready."""
        def contents():
            if not self.running():
                raise Failure(f"{self.name} ended with {self.child.poll()} before {what}\n{self.log()[-4000:]}")
            return path.exists() and path.read_text().strip()
        return wait_until(f"{self.name}: {what}", contents)


class Answer:
    """An HTTP answer, read to its end."""

    def __init__(self, status, headers, body, seconds):
        self.status, self.headers, self.body, self.seconds = status, headers, body, seconds

    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            raise Failure(f"no JSON: {self!r}") from None

    def __repr__(self):
        return f"<{self.status} {self.body[:500]!r}>"


class Http:
    """Requests to one server, each over a connection of its own. Safe to use from several threads."""

    def __init__(self, base_url, token=None, source=None, timeout=PATIENCE):
        self.address = urlsplit(base_url)
        self.token, self.source, self.timeout = token, source, timeout

    def request(self, method, path, query=None, body=None, token=None, headers=None):
        """`query` is a dict, `body` is sent as JSON. `token`: another than the usual one, or "" for none."""
        target = quote(path, safe="/%") + ("?" + urlencode(query) if query else "")
        fields = dict(headers or {})
        token = self.token if token is None else token
        if token:
            fields["Authorization"] = f"Bearer {token}"
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            fields["Content-Type"] = "application/json"
        elif method in ("POST", "PUT"):
            fields["Content-Length"] = "0"
        source = (self.source, 0) if self.source else None
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=self.timeout,
                                                source_address=source)
        begin = time.monotonic()
        try:
            connection.request(method, target, body=data, headers=fields)
            response = connection.getresponse()
            content = response.read()
        except http.client.HTTPException as error:
            raise ConnectionError(f"{method} {target}: {error!r}") from error
        finally:
            connection.close()
        answer = Answer(response.status, response.headers, content, time.monotonic() - begin)
        collected.add(self.address.netloc, method, target, answer)
        return answer

    def get(self, path, query=None, **more):
        return self.request("GET", path, query, **more)

    def post(self, path, query=None, **more):
        return self.request("POST", path, query, **more)

    def put(self, path, query=None, **more):
        return self.request("PUT", path, query, **more)

    def delete(self, path, query=None, **more):
        return self.request("DELETE", path, query, **more)


def listens(port, address="127.0.0.1"):
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0
