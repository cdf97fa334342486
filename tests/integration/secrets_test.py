"""G9: a whole run, and every secret that was in play is looked for wherever somebody else could see it."""

import base64
import contextlib
import hashlib
import json
import os
import sqlite3
import subprocess
import threading
import uuid
from pathlib import Path

import pytest

from app_test import app, counters  # noqa: F401 - a fixture
from harness import Http, binary, wait_until
from images_test import image_of, rebuild, templates
from monitor import API_TOKEN, GITHUB_TOKEN, WEBHOOK_SECRET, built_profile, profile
from select_test import begin_run, contents, select, upload, zipped
from webhooks_test import deliver, send_webhooks

PAGES = ["/", "/dashboard.html", "/dashboard.json", "/metrics", "/history.json?limit=1000", "/usage.json", "/healthz", "/readyz", "/openapi.json", "/boot",
         "/github-jitconfig", "/no/such/page"]


def stored_secrets(monitor):
    """JIT configs as the store holds them: until their runner is online."""
    with sqlite3.connect(f"file:{monitor.data}/monitor.db?mode=ro", uri=True) as store:
        return {row[0] for row in store.execute("SELECT jit_config FROM secret")}


def inner_token(jit_config):
    """What a JIT config is for: the runner's own credentials."""
    files = json.loads(base64.b64decode(jit_config))
    return json.loads(base64.b64decode(files[".credentials"]))["token"]


def processes(pid):
    """A process and all that it started; none where it has ended meanwhile."""
    try:
        children = [int(child) for task in Path(f"/proc/{pid}/task").iterdir()
                    for child in (task / "children").read_text().split()]
    except OSError:
        return []
    return [pid] + [found for child in children for found in processes(child)]


class Watcher:
    """Looks all the time at what lives shortly: arguments of the daemon and of what it starts, JIT configs in the store."""

    def __init__(self, monitor):
        self.monitor, self.command_lines, self.jit_configs = monitor, set(), set()
        self.ended = threading.Event()
        self.looks = [threading.Thread(target=self.repeat, args=look) for look in ((self.look_at_processes, 0.001),
                                                                                   (self.look_into_store, 0.02))]

    def repeat(self, look, pause):
        while not self.ended.wait(pause):
            with contextlib.suppress(OSError, sqlite3.Error):
                look()

    def look_at_processes(self):
        for pid in processes(self.monitor.pid):
            with contextlib.suppress(OSError):
                self.command_lines.add(Path(f"/proc/{pid}/cmdline").read_bytes())

    def look_into_store(self):
        self.jit_configs |= stored_secrets(self.monitor)

    def __enter__(self):
        for look in self.looks:
            look.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for look in self.looks:
            look.join()


def files_that_hold(folder, secrets):
    """Every file below the folder that holds one of the secrets, by path: its mode."""
    wanted = [secret.encode() for secret in secrets]
    found = {}
    for path in Path(folder).rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # the draft of a picture
            content = path.read_bytes() if path.is_file() else b""
            if any(secret in content for secret in wanted):
                found[str(path.relative_to(folder))] = os.stat(path).st_mode & 0o777
    return found


def seen_by_clients(monitor, unique_id, sources):
    """Everything that the service says to anyone, with and without the token, rightly and wrongly asked; to a guest, too."""
    texts = []
    for http in (Http(monitor.base_url, API_TOKEN, source) for source in sources):
        for path in PAGES + [f"/reservation/{unique_id}", "/profile/linux/take"]:
            for token in (None, "", API_TOKEN[:-1], GITHUB_TOKEN):
                for method in ("GET", "POST", "DELETE"):
                    answer = http.request(method, path, token=token)
                    texts.append(f"{method} {path} {answer.headers}".encode() + answer.body)
    # A client that puts its token where it does not belong.
    texts.append(monitor.http.get("/dashboard.json", {"token": API_TOKEN}).body)
    texts.append(monitor.take("linux", token=API_TOKEN).body)
    return b"\n".join(texts)


def app_secrets(key_file):
    """The lines of the App's key, what GitHub's tokens for its installation begin with, and what a JWT begins with."""
    lines = [line for line in Path(key_file).read_text().splitlines() if not line.startswith("-----")]
    return {line for line in lines if len(line) > 20} | {"ghs_", "eyJ"}


def files_that_tell(world, secrets):
    """As files_that_hold, of all but GitHub's own and those inside the guests."""
    return {path: mode for path, mode in files_that_hold(world.folder, secrets).items()
            if path.partition("/")[0] not in ("github", "guests")}


def holds(text, secrets):
    return {secret[:12] for secret in secrets if secret.encode() in text}


def live_through_all(world, monitor, shown):
    """Builds, a take, a select, jobs that GitHub tells of, an override, errors, one of which repeats what GitHub was `shown`; the
    reservation's id, and the secrets that clients sent."""
    keys = [f"reservation-key-{uuid.uuid4()}" for _ in range(2)]
    monitor.wait_for_runners("linux", 2)
    monitor.wait_for_runners("built", 1)
    send_webhooks(world)
    unique_id = str(uuid.uuid4())
    assert monitor.take("linux", unique_id).status == 200
    world.github.fault("list", "status", status=401, body={"message": f"Bad credentials {shown}"}, count=2)
    run_id, selected = begin_run(world.github), str(uuid.uuid4())
    digest = hashlib.sha256(keys[0].encode()).hexdigest()
    upload(world.github, run_id, selected, zipped(("info", contents(selected, run_id, key_sha256=digest))))
    answers = [select(monitor, selected, run_id, headers={"X-Reservation-Key": key}) for key in reversed(keys)]
    assert [answer.status for answer in answers] == [403, 200] and answers[1].json()
    jobs = [world.github.queue_job(f"reserved-for:{reserved}", seconds=0.5) for reserved in (unique_id, selected)]
    rebuild(monitor, "built")
    for job in jobs:
        world.github.wait_for_job(job["id"])
    monitor.wait_for_runners("linux", 2)  # one that is still busy would be over and above what an override grants
    assert deliver(monitor, {"zen": "Keep it logically awesome."}, event="ping", secret="a-guess").status == 403
    assert monitor.http.post("/policy/override", {"linux": 3}).json() == {"linux": 3}
    monitor.wait_for_runners("linux", 3)
    assert monitor.http.delete("/policy/override").json() == {"linux": 3}
    wait_until("the new image serves", lambda: image_of(monitor, "built")["state"] == "ready" and len(templates(world)) == 3)
    monitor.wait_for_runners("linux", 2)
    monitor.wait_for_runners("built", 1)
    wait_until("what was let go of is gone", lambda: set(world.libvirt.guests()) == {
        runner["guest_name"] for key in ("linux", "built") for runner in monitor.runners(key, "Idle").values()})
    metrics = monitor.http.get("/metrics").body
    assert b'ci_monitor_webhooks_total{event="job_completed",use="yes"}' in metrics
    assert b'ci_monitor_image_builds_total{outcome="ready",profile="built"} 2' in metrics
    return unique_id, set(keys)


@pytest.mark.parametrize("signs_in_as", ["user", "app"])
def test_g9_no_secret_of_a_whole_run_is_seen_anywhere(world, request, signs_in_as):
    settings = request.getfixturevalue("app") if signs_in_as == "app" else {}
    # Each call, with all that it is given.
    world.libvirt.environment = {"LIBVIRT_LOG_FILTERS": "1:libvirt", "LIBVIRT_LOG_OUTPUTS": f"1:file:{world.libvirt.own_log}"}
    monitor = world.begin({"linux": profile(2), "built": built_profile(1)}, github={"app_token_lifetime": 8.0}, log_level="trace",
                          ready=False, **settings)
    with Watcher(monitor) as watcher:
        unique_id, keys = live_through_all(world, monitor.wait_ready(), "" if settings else GITHUB_TOKEN)
        guest = world.libvirt.address(next(iter(world.libvirt.guests())))
        said = seen_by_clients(monitor, unique_id, (None, guest))
    jit_configs = watcher.jit_configs
    assert len(jit_configs) >= 5  # of two jobs' runners, and of those in their place
    secrets = {API_TOKEN, GITHUB_TOKEN, WEBHOOK_SECRET} | keys | jit_configs | {inner_token(config) for config in jit_configs}
    assert len(secrets) == 3 + 2 + 2 * len(jit_configs)
    owned = {"monitor/.env": 0o600}
    if settings:
        key = settings["github_app_private_key_file"]
        secrets |= app_secrets(key)
        assert len(secrets) > 3 + 2 + 2 * len(jit_configs) + 20
        assert counters(world, "access_token")["201"] > 1
        owned[Path(key).name] = 0o600
    assert len(said) > 20_000
    assert holds(said, secrets) == set()
    started = b"\n".join(watcher.command_lines)
    assert b"ci-monitor" in started
    if b'call="clone_overlay"' in said:  # else disks share blocks here, and no program makes them
        assert b"qemu-img" in started
    assert holds(started, secrets) == set()
    definitions = "".join(world.libvirt.xml(name) for name in world.libvirt.guests("")).encode()
    assert definitions and holds(definitions, secrets) == set()
    checked = subprocess.run([binary("CI_MONITOR", "ci-monitor"), "--config", str(monitor.folder / "monitor.toml"),
                              "--env", str(monitor.folder / ".env"), "--check"], capture_output=True, timeout=60, check=False)
    assert holds(checked.stdout + checked.stderr, secrets) == set()

    # Files: the operator's own, and the store, both for their owner alone; and there nothing that was served for good.
    # libvirtd's log is among them.
    assert b"virDomainDefineXML" in world.libvirt.own_log.read_bytes()
    wait_until("served JIT configs are wiped from the store", lambda: not files_that_hold(monitor.data, jit_configs))
    assert files_that_tell(world, secrets) == owned
    wait_until("the log speaks of all this", lambda: "event=jitconfig_served" in monitor.log())
    assert holds(monitor.log().encode(), secrets) == set()
    monitor.stop()
    assert files_that_tell(world, secrets) == owned


def test_g9_jit_configs_that_wait_are_in_the_store_alone(world):
    """As long as no guest has fetched it, a JIT config must survive a crash; nobody but the daemon may read it."""
    monitor = world.begin({"linux": profile(2)}, guests={"hang_at": "jit"})
    waiting = wait_until("two JIT configs are stored", lambda: len(found := stored_secrets(monitor)) == 2 and found)
    holders = files_that_hold(monitor.folder, waiting)
    assert holders and set(holders) <= {"data/monitor.db", "data/monitor.db-wal"}
    assert set(holders.values()) == {0o600}
    assert holds(seen_by_clients(monitor, str(uuid.uuid4()), (None, "127.64.200.200")), waiting) == set()
    assert holds(monitor.log().encode(), waiting) == set()
