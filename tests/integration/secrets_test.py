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

from answers_test import operations
from app_test import app, counters  # noqa: F401 - a fixture
from crash_images_test import make_checkout
from description import collected
from harness import Http, binary, wait_until
from images_test import image_of, rebuild, templates
from monitor import API_TOKEN, GITHUB_TOKEN, WEBHOOK_SECRET, built_profile, profile
from select_test import begin_run, contents, select, upload, zipped
from webhooks_test import deliver, send_webhooks, signature

PING = {"zen": "Keep it logically awesome."}
SIGNED_URL = "sig="  # what opens an artifact's archive to anyone, in the address that GitHub leads to


def stored_secrets(monitor):
    """JIT configs as the store holds them: until their runner is online."""
    with sqlite3.connect(f"file:{monitor.data}/monitor.db?mode=ro", uri=True) as store:
        return {row[0] for row in store.execute("SELECT jit_config FROM secret")}


def inner_file(jit_config, name):
    files = json.loads(base64.b64decode(jit_config))
    return json.loads(base64.b64decode(files[name]))


def inner_token(jit_config):
    """What a JIT config is for: the runner's own credentials."""
    return inner_file(jit_config, ".credentials")["token"]


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


def ask_all(monitor, sources):
    """Every path with each of its methods and one that it lacks, with and without the token, from each source."""
    asked = {(method, target) for method, target, _ in operations(monitor)}
    asked |= {("PATCH", target) for _, target in asked} | {("GET", "/no/such/page")}
    for http in (Http(monitor.base_url, API_TOKEN, source) for source in sources):
        for method, target in sorted(asked):
            for token in (None, "", API_TOKEN[:-1], GITHUB_TOKEN):
                http.request(method, target, token=token)
    # A client that puts its token where it does not belong.
    monitor.http.get("/dashboard.json", {"token": API_TOKEN})
    monitor.take("linux", token=API_TOKEN)


def told(secrets, meant=()):
    """Which answers of this test, but for those that are `meant` to, and which headers of any told one of the secrets."""
    found = {key[:3] for key in collected.answers if key not in meant and holds(key[3], secrets)}
    return found | {name for name, value in collected.headers if holds(value.encode(), secrets)}


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


def select_and_take(world, monitor):
    """Both reservations' ids, and the secrets of who asked: one key opens the artifact, the other is refused."""
    keys = [f"reservation-key-{uuid.uuid4()}" for _ in range(2)]
    unique_id, selected = (str(uuid.uuid4()) for _ in range(2))
    assert monitor.take("linux", unique_id).json()
    run_id = begin_run(world.github)
    digest = hashlib.sha256(keys[0].encode()).hexdigest()
    upload(world.github, run_id, selected, zipped(("info", contents(selected, run_id, key_sha256=digest))))
    answers = [select(monitor, selected, run_id, headers={"X-Reservation-Key": key}) for key in reversed(keys)]
    assert [answer.status for answer in answers] == [403, 200] and answers[1].json()
    assert monitor.reservation(selected).json()["state"] == "reserved"
    return [unique_id, selected], keys


def deliver_webhooks(monitor):
    """One that GitHub signed, and one that it did not, of the same body; the secrets in them."""
    guess = "a-guess"
    assert deliver(monitor, PING, event="ping").status == 202
    assert deliver(monitor, PING, event="ping", secret=guess).status == 403
    body = json.dumps(PING).encode()
    return [signature(body, secret).partition("=")[2] for secret in (WEBHOOK_SECRET, guess)]


def use_levers(monitor):
    """An operator's, and a reservation that is given back."""
    for lever in ("pause", "resume"):
        assert monitor.http.post(f"/profile/linux/{lever}").status == 200
    unique_id = str(uuid.uuid4())
    assert monitor.take("linux", unique_id, count=2).json()
    assert monitor.http.delete(f"/reservation/{unique_id}").status == 200
    monitor.wait_for_runners("linux", 2)
    assert monitor.http.get("/policy/explain", {"linux": 3}).status == 200
    assert monitor.http.post("/policy/override", {"linux": 3}).json() == {"linux": 3}
    assert monitor.http.get("/policy/override").json()
    monitor.wait_for_runners("linux", 3)
    assert monitor.http.delete("/policy/override").json() == {"linux": 3}
    monitor.wait_for_runners("linux", 2)


def look_at_pictures(monitor):
    runner = f"/runner/{next(iter(monitor.runners('linux', 'Idle')))}/screenshot"
    wait_until("a picture", lambda: monitor.http.get(f"{runner}.png").status == 200)
    assert monitor.http.get(runner).status == 302
    folder = monitor.data / "profiles" / "linux"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "screenshot.png").write_bytes(monitor.http.get(f"{runner}/now").body)  # as a build would leave it
    assert monitor.http.get("/profile/linux/screenshot.png").status == 200


def ask_as_guest(world, monitor):
    """A guest that waits for ever before it would ask for its JIT config itself; the one answer that is meant to hold it."""
    world.guests.behave(default={"hang_at": "jit"})
    before = monitor.runners()
    assert monitor.http.post(f"/runner/{next(iter(monitor.runners('linux', 'Idle')))}/destroy").status == 200
    runner_id, runner = wait_until("one with an address takes its place", lambda: next(
        (entry for entry in monitor.runners("linux").items() if entry[0] not in before and entry[1]["ipv4_address"]), None))
    guest = Http(monitor.base_url, source=runner["ipv4_address"])
    for path in ("/boot", "/image-deps/tool", "/cache/servo/.git/HEAD"):
        assert guest.get(path).status == 200, path
    path = "/github-jitconfig"
    answer = wait_until("its JIT config", lambda: (got := guest.get(path)).status == 200 and got)
    assert inner_file(answer.json(), ".runner")["agentName"] == runner["registration"]["name"]
    world.guests.behave()
    assert monitor.http.post(f"/runner/{runner_id}/destroy").status == 200
    return "GET", path, 200, answer.body


def wait_until_all_idle(world, monitor):
    monitor.wait_for_runners("linux", 2)
    monitor.wait_for_runners("built", 1)
    wait_until("what was let go of is gone", lambda: set(world.libvirt.guests()) == {
        runner["guest_name"] for key in ("linux", "built") for runner in monitor.runners(key, "Idle").values()})


def live_through_all(world, monitor, shown):
    """Every route's work, builds, jobs that GitHub tells of, errors, one of which repeats what GitHub was `shown`; gives the
    secrets that clients sent, and the answer that is meant to hold one."""
    monitor.wait_for_runners("linux", 2)
    monitor.wait_for_runners("built", 1)
    send_webhooks(world)
    reserved, keys = select_and_take(world, monitor)
    world.github.fault("list", "status", status=401, body={"message": f"Bad credentials {shown}"}, count=2)
    jobs = [world.github.queue_job(f"reserved-for:{unique_id}", seconds=0.5) for unique_id in reserved]
    rebuild(monitor, "built")
    for job in jobs:
        world.github.wait_for_job(job["id"])
    monitor.wait_for_runners("linux", 2)  # one that is still busy would be over and above what an override grants
    signatures = deliver_webhooks(monitor)
    use_levers(monitor)
    look_at_pictures(monitor)
    wait_until("the new image serves", lambda: image_of(monitor, "built")["state"] == "ready" and len(templates(world)) == 3)
    wait_until_all_idle(world, monitor)
    meant = ask_as_guest(world, monitor)
    wait_until_all_idle(world, monitor)
    assert len(monitor.http.get("/history.json", {"limit": 1000}).body) > 5_000
    metrics = monitor.http.get("/metrics").body
    assert b'ci_monitor_webhooks_total{event="job_completed",use="yes"}' in metrics
    assert b'ci_monitor_image_builds_total{outcome="ready",profile="built"} 2' in metrics
    return {*keys, *signatures}, meant


def begin(world, tmp_path, **settings):
    """With all that is served and started: files for guests, a checkout that git brings up to date."""
    (tmp_path / "deps").mkdir()
    (tmp_path / "deps" / "tool").write_text("a file for guests\n")
    checkout, _ = make_checkout(tmp_path)
    # Each call, with all that it is given.
    world.libvirt.environment = {"LIBVIRT_LOG_FILTERS": "1:libvirt", "LIBVIRT_LOG_OUTPUTS": f"1:file:{world.libvirt.own_log}"}
    return world.begin({"linux": profile(2), "built": built_profile(1)}, github={"app_token_lifetime": 8.0}, log_level="trace",
                       ready=False, environment={"IMAGE_DEPS_DIR": str(tmp_path / "deps")}, main_repo_path=str(checkout),
                       screenshot_interval=0.5, **settings)


@pytest.mark.parametrize("signs_in_as", ["user", "app"])
def test_g9_no_secret_of_a_whole_run_is_seen_anywhere(world, request, tmp_path, signs_in_as):
    settings = request.getfixturevalue("app") if signs_in_as == "app" else {}
    monitor = begin(world, tmp_path, **settings)
    with Watcher(monitor) as watcher:
        sent, meant = live_through_all(world, monitor.wait_ready(), "" if settings else GITHUB_TOKEN)
        ask_all(monitor, (None, world.libvirt.address(next(iter(world.libvirt.guests())))))
    jit_configs = watcher.jit_configs
    assert len(jit_configs) >= 5  # of two jobs' runners, and of those in their place
    secrets = {API_TOKEN, GITHUB_TOKEN, WEBHOOK_SECRET} | sent | jit_configs | {inner_token(config) for config in jit_configs}
    assert len(secrets) == 3 + 4 + 2 * len(jit_configs)
    secrets.add(SIGNED_URL)
    owned = {"monitor/.env": 0o600}
    if settings:
        key = settings["github_app_private_key_file"]
        secrets |= app_secrets(key)
        assert len(secrets) > 3 + 4 + 2 * len(jit_configs) + 20
        assert counters(world, "access_token")["201"] > 1
        owned[Path(key).name] = 0o600
    assert collected.not_done() == set()  # a new route has its part in live_through_all, too
    assert json.loads(meant[3]) in jit_configs and meant in collected.answers
    assert told(secrets, {meant}) == set()
    started = b"\n".join(watcher.command_lines)
    programs = {os.path.basename(line.partition(b"\0")[0]) for line in watcher.command_lines}
    # Where disks share blocks no program makes them.
    cloned = b'call="clone_overlay"' in monitor.http.get("/metrics").body
    assert {b"ci-monitor", b"git", *([b"qemu-img"] if cloned else [])} <= programs
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
    ask_all(monitor, (None, "127.64.200.200"))
    assert told(waiting) == set()
    assert holds(monitor.log().encode(), waiting) == set()
