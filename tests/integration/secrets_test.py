"""G9: a whole run, and every secret that was in play is looked for wherever somebody else could see it."""

import base64
import json
import os
import sqlite3
import subprocess
import uuid
from pathlib import Path

from harness import binary, wait_until
from monitor import API_TOKEN, GITHUB_TOKEN, WEBHOOK_SECRET, profile

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
    """A process and all that it started."""
    children = [int(child) for task in Path(f"/proc/{pid}/task").iterdir()
                for child in (task / "children").read_text().split()]
    return [pid] + [found for child in children for found in processes(child)]


def command_lines(monitor):
    return b"".join(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in processes(monitor.pid))


def files_that_hold(folder, secrets):
    """Every file below the folder that holds one of the secrets, by path: its mode."""
    wanted = [secret.encode() for secret in secrets]
    found = {}
    for path in Path(folder).rglob("*"):
        if path.is_file() and any(secret in path.read_bytes() for secret in wanted):
            found[str(path.relative_to(folder))] = os.stat(path).st_mode & 0o777
    return found


def seen_by_clients(monitor, unique_id):
    """Everything that the service says to anyone, with and without the token, rightly and wrongly asked."""
    texts = []
    for path in PAGES + [f"/reservation/{unique_id}", "/profile/linux/take"]:
        for token in (None, "", API_TOKEN[:-1], GITHUB_TOKEN):
            for method in ("GET", "POST", "DELETE"):
                answer = monitor.http.request(method, path, token=token)
                texts.append(f"{method} {path} {answer.headers}".encode() + answer.body)
    # A client that puts its token where it does not belong.
    texts.append(monitor.http.get("/dashboard.json", {"token": API_TOKEN}).body)
    texts.append(monitor.take("linux", token=API_TOKEN).body)
    return b"\n".join(texts)


def holds(text, secrets):
    return {secret[:12] for secret in secrets if secret.encode() in text}


def test_g9_no_secret_of_a_whole_run_is_seen_anywhere(world):
    monitor = world.begin({"linux": profile(2)}, log_level="trace")
    first = wait_until("two JIT configs are stored", lambda: len(found := stored_secrets(monitor)) == 2 and found)
    jit_configs = set(first)
    secrets = {API_TOKEN, GITHUB_TOKEN, WEBHOOK_SECRET}
    monitor.wait_for_runners("linux", 2)
    unique_id = str(uuid.uuid4())
    assert monitor.take("linux", unique_id).status == 200
    world.github.fault("list", "status", status=401, body={"message": f"Bad credentials {GITHUB_TOKEN}"}, count=2)
    job = world.github.queue_job(f"reserved-for:{unique_id}", seconds=0.5)
    world.github.wait_for_job(job["id"])
    jit_configs |= wait_until("another JIT config is stored", lambda: stored_secrets(monitor) - first)
    monitor.wait_for_runners("linux", 2)
    secrets |= jit_configs | {inner_token(config) for config in jit_configs}
    assert len(secrets) == 3 + 2 * len(jit_configs)

    said = seen_by_clients(monitor, unique_id)
    assert len(said) > 10_000
    assert holds(said, secrets) == set()
    assert holds(command_lines(monitor), secrets) == set()
    definitions = "".join(world.libvirt.xml(name) for name in world.libvirt.guests()).encode()
    assert holds(definitions, secrets) == set()
    checked = subprocess.run([binary("CI_MONITOR", "ci-monitor"), "--config", str(monitor.folder / "monitor.toml"),
                              "--env", str(monitor.folder / ".env"), "--check"], capture_output=True, timeout=60, check=False)
    assert holds(checked.stdout + checked.stderr, secrets) == set()

    # Files: the operator's own, and the store, both for their owner alone; and there nothing that was served for good.
    wait_until("served JIT configs are wiped from the store", lambda: not files_that_hold(monitor.data, jit_configs))
    assert files_that_hold(monitor.folder, secrets) == {".env": 0o600}
    wait_until("the log speaks of all this", lambda: "event=jitconfig_served" in monitor.log())
    assert holds(monitor.log().encode(), secrets) == set()
    monitor.stop()
    assert files_that_hold(monitor.folder, secrets) == {".env": 0o600}


def test_g9_jit_configs_that_wait_are_in_the_store_alone(world):
    """As long as no guest has fetched it, a JIT config must survive a crash; nobody but the daemon may read it."""
    monitor = world.begin({"linux": profile(2)}, guests={"hang_at": "jit"})
    waiting = wait_until("two JIT configs are stored", lambda: len(found := stored_secrets(monitor)) == 2 and found)
    holders = files_that_hold(monitor.folder, waiting)
    assert holders and set(holders) <= {"data/monitor.db", "data/monitor.db-wal"}
    assert set(holders.values()) == {0o600}
    assert holds(seen_by_clients(monitor, str(uuid.uuid4())), waiting) == set()
    assert holds(monitor.log().encode(), waiting) == set()
