"""Requests hidden in requests, through deploy/nginx.conf, in HTTP/1 and 2: what nginx takes for one request, the daemon takes
for one."""

import re
import socket
import subprocess
from pathlib import Path

import pytest

import http2
from attack import attacked, handled
from harness import Failure, Process, do_without, listens, wait_until
from monitor import API_TOKEN, profile

ROOT = Path(__file__).resolve().parents[2]
FRONT = "127.0.0.7"  # nginx's own address, the daemon's trusted proxy
NAME = "ci0.example.org"  # as in deploy/nginx.conf


def free_port():
    with socket.socket() as probe:
        probe.bind((FRONT, 0))
        return probe.getsockname()[1]


class Nginx(Process):
    """Debian's nginx with deploy/nginx.conf, at a port of its own, with a certificate of its own, and at another in plain text."""

    def __init__(self, folder, program, monitor):
        super().__init__("nginx", folder)
        self.program, self.port, self.tls_port = program, free_port(), free_port()
        self.certificate, key = self.folder / "certificate.pem", self.folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", key, "-out", self.certificate],
                       check=True, capture_output=True)
        text = (ROOT / "deploy" / "nginx.conf").read_text()
        address = monitor.base_url.removeprefix("http://")
        changes = [(r"server 127\.0\.0\.1:8000;", f"server {address};"),
                   (r"listen 443 ssl http2;", f"listen {FRONT}:{self.tls_port} ssl http2; listen {FRONT}:{self.port};"),
                   (r"ssl_certificate [^;]*;", f"ssl_certificate {self.certificate};"),
                   (r"ssl_certificate_key [^;]*;", f"ssl_certificate_key {key};"), (r"deny 192\.168\.100\.0/24;", "deny 127.64.0.0/10;"),
                   (r"proxy_http_version 1\.1;", f"proxy_http_version 1.1; proxy_bind {FRONT};")]
        for pattern, replacement in changes:
            text, count = re.subn(pattern, replacement, text)
            assert count, pattern
        (self.folder / "site.conf").write_text(text)
        paths = " ".join(f"{name}_temp_path {self.folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.folder / "nginx.conf").write_text(
            f"daemon off; master_process off; pid {self.folder}/pid; error_log stderr; events {{}}\n"
            f"http {{ access_log off; {paths} include {self.folder}/site.conf; }}\n")

    def begin(self):
        self.start(["setpriv", "--pdeathsig", "KILL", "--", self.program, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")])
        wait_until("nginx listens", lambda: self.running() and listens(self.port, FRONT) and listens(self.tls_port, FRONT))
        return self

    def say(self, data, seconds=2.0):
        """All that comes back until it closes, or is silent for so long."""
        got = b""
        with socket.create_connection((FRONT, self.port), timeout=seconds) as connection:
            try:
                connection.sendall(data)
                while piece := connection.recv(65536):
                    got += piece
            except OSError:
                pass
        return got

    def say_http2(self, frames, streams=1):
        return http2.say((FRONT, self.tls_port), self.certificate, NAME, frames, streams)


@pytest.fixture
def front(world, tmp_path):
    found = subprocess.run([ROOT / "tests" / "support" / "nginx", Path.home() / ".cache" / "ci-monitor-tests" / "nginx"],
                           capture_output=True, text=True, timeout=120)
    if found.returncode != 0:
        do_without("CI_MONITOR_NO_NGINX", f"there is no nginx, and none can be fetched: {found.stderr.strip()[-300:]}")
    monitor = world.begin({"linux": profile(1)}, trusted_proxies=[FRONT], log_level="debug")
    monitor.wait_for_runners("linux", 1)
    nginx = Nginx(world.folder / "nginx", found.stdout.strip(), monitor).begin()
    try:
        yield monitor, nginx
    finally:
        try:
            nginx.stop()
        except Failure:
            nginx.kill()


def statuses(answer):
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


def routes_served(monitor):
    """Of the access log, without those that the test itself waits with."""
    return [route for route in re.findall(r"event=served method=\S+ route=(\S+)", monitor.log()) if route not in ("/readyz", "/dashboard.json")]


INNER = b"POST /profile/linux/pause HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + API_TOKEN.encode() + b"\r\nContent-Length: 0\r\n\r\n"
CHUNK = b"%x\r\n%b\r\n0\r\n\r\n" % (len(INNER), INNER)


def outer(*fields, body=b""):
    return b"GET /healthz HTTP/1.1\r\nHost: ci0.example.org\r\n" + b"".join(field + b"\r\n" for field in fields) + b"\r\n" + body


# The body holds a whole request, which would pause a profile if anyone took it for one.
SMUGGLED = {
    "CL.TE": outer(b"Content-Length: %d" % (len(INNER) + 5), b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + INNER),
    "TE.CL": outer(b"Transfer-Encoding: chunked", b"Content-Length: 4", body=CHUNK),
    "TE twice": outer(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=CHUNK),
    "TE with space": outer(b"Transfer-Encoding : chunked", b"Content-Length: %d" % len(CHUNK), body=CHUNK),
    "TE with tab": outer(b"Transfer-Encoding:\tchunked", b"Content-Length: %d" % len(CHUNK), body=CHUNK),
    "TE with vertical tab": outer(b"Transfer-Encoding:\x0bchunked", b"Content-Length: %d" % len(CHUNK), body=CHUNK),
    "TE xchunked": outer(b"Transfer-Encoding: xchunked", b"Content-Length: %d" % len(CHUNK), body=CHUNK),
    "TE list": outer(b"Transfer-Encoding: gzip, chunked", body=CHUNK),
    "TE folded": outer(b"Transfer-Encoding:\r\n chunked", b"Content-Length: %d" % len(CHUNK), body=CHUNK),
    "TE after bare CR": outer(b"X: y\rTransfer-Encoding: chunked", b"Content-Length: %d" % len(CHUNK), body=CHUNK),
    "CL twice": outer(b"Content-Length: 0", b"Content-Length: %d" % len(INNER), body=INNER),
    "CL list": outer(b"Content-Length: 0, %d" % len(INNER), body=INNER),
    "CL signed": outer(b"Content-Length: +%d" % len(INNER), body=INNER),
    "CL hexadecimal": outer(b"Content-Length: 0x%x" % len(INNER), body=INNER),
    "CL with space": outer(b"Content-Length : %d" % len(INNER), b"Content-Length: 0", body=INNER),
    "body of a GET": outer(b"Content-Length: %d" % len(INNER), body=INNER),
    "chunk size overflow": outer(b"Transfer-Encoding: chunked", body=b"10000000000000000%x\r\n" % len(INNER) + INNER),
    "chunk extension": outer(b"Transfer-Encoding: chunked", body=b"%x;a=\"\r\n\"\r\n" % len(INNER) + INNER + b"\r\n0\r\n\r\n"),
    "bare LF": b"GET /healthz HTTP/1.1\nHost: x\nContent-Length: %d\n\n" % len(INNER) + INNER,
    "Expect": outer(b"Expect: 100-continue", b"Content-Length: %d" % len(INNER), body=INNER),
    "Upgrade": outer(b"Upgrade: websocket", b"Connection: Upgrade", b"Content-Length: %d" % len(INNER), body=INNER),
    "HTTP/1.0 keep-alive": b"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: %d\r\n\r\n" % len(INNER) + INNER,
}


PAUSE = "/profile/{profile_key}/pause"


def check_served(monitor, before, name, answer):
    """Since that many requests one at most, and not the hidden one."""
    new = routes_served(monitor)[before:]
    assert PAUSE not in new and len(new) <= 1, (name, new, answer[:300])


def test_no_request_travels_within_another(front):
    monitor, nginx = front
    with attacked(monitor, "request smuggling") as attackers:
        for name, data in SMUGGLED.items():
            served = len(routes_served(monitor))
            answer = nginx.say(data, 0.7)
            assert all(code in (100, 200, 400, 404, 405, 413, 501) for code in statuses(answer)), (name, answer[:300])
            check_served(monitor, served, name, answer)
            # The same straight to the daemon, which has to part requests by itself just as well.
            served = len(routes_served(monitor))
            answer = attackers.say(data, silent_for=0.5)
            assert not any(code >= 500 for code in statuses(answer)), (name, answer[:300])
            check_served(monitor, served, name, answer)
        # Nobody's answer was given to another: a request after all that gets its own.
        assert nginx.say(outer(b"Connection: close")).endswith(b'{"status":"ok"}')
        assert handled(monitor, "lever") == 0
        # By itself it would have been served.
        assert statuses(attackers.say(INNER, silent_for=0.5)) == [200]
        assert routes_served(monitor)[-1] == PAUSE and handled(monitor, "lever") == 1


HEAD = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", NAME.encode()), (b":path", b"/healthz")]
INJECTED = b"x HTTP/1.1\r\nHost: x\r\n\r\n" + INNER


def with_field(name, value):
    """The head with that field in place of its own, or besides what it has."""
    own = {field for field, _ in HEAD}
    return [(field, value if field == name else usual) for field, usual in HEAD] + ([] if name in own else [(name, value)])


# What HTTP/2 carries, and HTTP/1 has to be made of: lengths that are wrong, fields that only HTTP/1 knows, ends of lines.
HTTP2_SMUGGLED = {
    "TE chunked": http2.request(with_field(b"transfer-encoding", b"chunked"), CHUNK),
    "TE chunked, first chunk empty": http2.request(with_field(b"transfer-encoding", b"chunked"), b"0\r\n\r\n" + INNER),
    "TE and CL": http2.request([*HEAD, (b"transfer-encoding", b"chunked"), (b"content-length", b"%d" % len(CHUNK))], CHUNK),
    "CL of nothing": http2.request(with_field(b"content-length", b"0"), INNER),
    "CL too small": http2.request(with_field(b"content-length", b"4"), INNER),
    "CL too large": http2.request(with_field(b"content-length", b"%d" % (len(INNER) + 50)), INNER),
    "CL twice": http2.request([*HEAD, (b"content-length", b"0"), (b"content-length", b"%d" % len(INNER))], INNER),
    "CL list": http2.request(with_field(b"content-length", b"0, %d" % len(INNER)), INNER),
    "CL signed": http2.request(with_field(b"content-length", b"+%d" % len(INNER)), INNER),
    "CL without a body": http2.request(with_field(b"content-length", b"%d" % len(INNER))),
    "body of a GET": http2.request(HEAD, INNER),
    "trailers with a CL": http2.headers(HEAD, 0) + http2.frame(http2.DATA, 0, 1, INNER)
    + http2.headers([(b"content-length", b"0"), (b"transfer-encoding", b"chunked")], http2.END_STREAM),
    "connection": http2.request(with_field(b"connection", b"keep-alive, content-length"), INNER),
    "upgrade": http2.request([*HEAD, (b"upgrade", b"h2c"), (b"connection", b"Upgrade, HTTP2-Settings"), (b"http2-settings", b"AAMAAABk")], INNER),
    "expect": http2.request(with_field(b"expect", b"100-continue"), INNER),
    "name with a colon": http2.request(with_field(b"x: y\r\ntransfer-encoding", b"chunked"), CHUNK),
    "name in capitals": http2.request(with_field(b"Transfer-Encoding", b"chunked"), CHUNK),
    "name with a space": http2.request(with_field(b"transfer-encoding ", b"chunked"), CHUNK),
    "unknown pseudo-header": http2.request(with_field(b":x", INJECTED)),
    "path twice": http2.request([*HEAD, (b":path", b"/profile/linux/pause")]),
    "path after a field": http2.request([*HEAD[:3], (b"x", b"y"), (b":path", b"/profile/linux/pause")]),
    "path with spaces": http2.request(with_field(b":path", b"/healthz HTTP/1.1")),
    "host besides": http2.request([*HEAD, (b"host", INJECTED)]),
    **{f"{end!r} in {name.decode()}": http2.request(with_field(name, usual + INJECTED.replace(b"\r\n", end)))
       for name, usual in [*HEAD, (b"x", b"y"), (b"cookie", b"y")] for end in (b"\r\n", b"\n", b"\r", b"\0\r\n")},
}


def test_no_request_travels_within_one_of_http2(front):
    monitor, nginx = front
    well = http2.request(HEAD) + http2.request(HEAD, stream=3)
    with attacked(monitor, "request smuggling by HTTP/2"):
        for name, frames in HTTP2_SMUGGLED.items():
            served = len(routes_served(monitor))
            answers = nginx.say_http2(frames)
            assert set(answers.statuses.values()) <= {200, 400, 404, 405, 413, 501}, (name, answers)
            check_served(monitor, served, name, answers.data)
        # Nobody's answer was given to another.
        answers = nginx.say_http2(well, streams=2)
        assert answers.statuses == {1: 200, 3: 200} and answers.bodies == {1: b'{"status":"ok"}', 3: b'{"status":"ok"}'}, answers
        assert handled(monitor, "lever") == 0
        # By itself it is served, and by the same way.
        pause = [(b":method", b"POST"), *HEAD[1:3], (b":path", b"/profile/linux/pause"), (b"authorization", b"Bearer " + API_TOKEN.encode())]
        assert nginx.say_http2(http2.request(pause)).statuses == {1: 200}
        assert routes_served(monitor)[-1] == PAUSE and handled(monitor, "lever") == 1
        for claim in ((b"x-real-ip", b"127.0.0.1"), (b"x-forwarded-for", b"127.0.0.1")):
            answers = nginx.say_http2(http2.request([*HEAD[:3], (b":path", b"/metrics"), claim]))
            assert answers.statuses == {1: 401}, (claim, answers)  # nobody is an operator at the host


def test_a_client_of_nginx_cannot_choose_its_address(front):
    monitor, nginx = front

    def ask(path, *fields):
        return nginx.say(b"GET " + path + b" HTTP/1.1\r\nHost: ci0.example.org\r\nConnection: close\r\n"
                         + b"".join(field + b"\r\n" for field in fields) + b"\r\n")
    claims = [(), (b"X-Real-IP: 127.0.0.1",), (b"X-Real-IP: 127.0.0.1", b"X-Real-IP: ::1"), (b"X_Real_IP: 127.0.0.1",),
              (b"X-Forwarded-For: 127.0.0.1",), (b"x-real-ip: 127.64.0.5",), (b"Forwarded: for=127.64.0.5",)]
    for fields in claims:
        assert statuses(ask(b"/metrics", *fields)) == [401], fields  # through a proxy nobody is an operator at the host
        for path in (b"/boot", b"/github-jitconfig", b"/image-deps/x", b"/cache/servo/x"):
            assert statuses(ask(path, *fields)) == [404], (path, fields)
    # Sources behind nginx are told apart, by nginx's word.
    runner_id, = monitor.runners("linux")
    path = f"/runner/{runner_id}/screenshot/now".encode()
    codes = [statuses(ask(path, b"X-Real-IP: 10.0.0.%d" % number))[0] for number in range(61)]
    assert codes.count(200) == 60 and codes[-1] == 429
    # A spelling of a path goes through as it is, and leads nowhere else.
    for path in (b"/%2e%2e/dashboard.json", b"/dashboard.json/..%2f", b"/x/%2e%2e%2fdashboard.json", b"//dashboard.json"):
        assert statuses(ask(path))[0] in (400, 404), path
