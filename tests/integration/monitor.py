"""The daemon under test: its settings, its life, and its API as a client sees it."""

import json
import time
import uuid

from description import collected
from harness import PATIENCE, Failure, Http, Process, binary, sanitized, wait_until

API_TOKEN = "integration-api-token-0123456789"
GITHUB_TOKEN = "integration-github-token"
WEBHOOK_SECRET = "integration-webhook-secret"
SNAPSHOT = "2026-01-01T00:00:00.000000000Z"
GUEST_NETWORK = "127.64.0.0/10"
REPOSITORY = "octo-org/octo-repo"

# Times in seconds. Short where a test would have to wait for them, and in the proportions of the defaults.
QUICK = {
    "monitor_poll_interval": 0.5,
    "api_cache_timeout": 1.0,
    "monitor_start_timeout": 30,
    "monitor_reserve_timeout": 20,
    "reserve_timeout_max": 40,
    "idle_confirmation": 1.0,
    "reserved_confirmation": 2.0,
    "monitor_lost_timeout": 60,
    "github_writes_per_minute": 2400,
    "github_points_per_minute": 27_000,
}


def toml_value(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml_value(entry)}" for key, entry in value.items()) + " }"
    return json.dumps(value)  # a JSON string is a TOML basic string


def profile(target, hugepages=0, memory="1G", **more):
    """A profile with a hand-made template, for Monitor(profiles=...)."""
    return {"target_count": target, "requires_1g_hugepages": hugepages, "requires_normal_memory": memory,
            "boot_script": "#!/bin/sh\necho boot\n", **more}


GUEST_XML = """<domain type='test'><name>any</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
<os><type>hvm</type></os><devices>
<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/null'/><target dev='vda' bus='virtio'/>
</disk><interface type='network'><source network='default'/></interface></devices></domain>"""


def built_profile(target, memory="1G", build_timeout=30.0, **more):
    """A profile whose images the monitor builds; with cloud-init's data, so that there is a config ISO."""
    return {"target_count": target, "requires_1g_hugepages": 0, "requires_normal_memory": memory, "built": True,
            "image": {"build_timeout": build_timeout}, **more}


class Monitor(Process):
    """ci-monitor with a folder of its own; `settings` go over the defaults of the tests."""

    def __init__(self, folder, github_url, libvirt_uri, profiles, **settings):
        super().__init__("monitor", folder)
        self.settings = {
            "listen_on": ["127.0.0.1"], "port": 0, "external_base_url": "http://127.0.0.1/",
            "guest_network": GUEST_NETWORK, "github_api_url": github_url,
            "github_api_scope": f"/repos/{REPOSITORY}", "github_api_suffix": "ci0",
            "allowed_qualified_repo_prefix": "octo-org/", "libvirt_uri": libvirt_uri, "guest_filter": "",
            "images_path": str(self.folder / "images"), "min_free_disk": "1M",
            "available_1g_hugepages": 0, "available_normal_memory": "1T", "max_parallel_creates": 8,
            "max_connections_per_source": 1000, "log_level": "debug", **QUICK, **settings}
        self.profiles = profiles
        self.data = self.folder / "data"
        self.environment = {}  # for its next start
        self.more_env = {"LIB_MONITOR_DIR": self.folder}  # further lines of its .env file
        self.enter = []  # what starts it: see private_disk.py
        self.may_leave_threads = False  # something that hangs, or a log that is elsewhere, keeps it from a clean end
        self.program = binary("CI_MONITOR", "ci-monitor")
        self.started_at = None  # on the steady clock, lately
        self.base_url = None
        self.http = None
        (self.folder / "images").mkdir(exist_ok=True)

    def write_settings(self):
        lines = [f"{key} = {toml_value(value)}" for key, value in self.settings.items()]
        for key, values in self.profiles.items():
            if values.get("built"):
                lines += self.write_built_profile(key, dict(values))
                continue
            values = {"github_runner_label": f"self-hosted-image:{key}",
                      "template": f"ci-template-{key}@{SNAPSHOT}", **values}
            lines += ["", f'[profiles."{key}"]']
            # None: as if it were not there.
            lines += [f"{name} = {toml_value(value)}" for name, value in values.items() if value is not None]
        (self.folder / "monitor.toml").write_text("\n".join(lines) + "\n")
        env = self.folder / ".env"
        env.touch(0o600)
        env.write_text(f"GITHUB_TOKEN={GITHUB_TOKEN}\nSERVO_CI_MONITOR_API_TOKEN={API_TOKEN}\n"
                       f"GITHUB_WEBHOOK_SECRET={WEBHOOK_SECRET}\n"
                       f"SERVO_CI_MONITOR_DATA_PATH={self.data}\n"
                       + "".join(f"{key}={value}\n" for key, value in self.more_env.items()))

    def write_built_profile(self, key, values):
        """Its folder, where that was not written yet, and its table."""
        values.pop("built")
        image = {"target_device": "vda", "begins_with": "blank", "size": "1M", "config_cdrom": "sda",
                 **values.pop("image")}
        folder = self.folder / "profiles" / key
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in (("guest.xml", GUEST_XML), ("boot-script", "#!/bin/sh\necho boot\n"),
                           ("user-data", "#cloud-config\n"), ("meta-data", "instance-id: test\n")):
            if not (folder / name).exists():
                (folder / name).write_text(text)
        lines = ["", f'[profiles."{key}"]', f'github_runner_label = "self-hosted-image:{key}"']
        lines += [f"{name} = {toml_value(value)}" for name, value in values.items()]
        lines += [f'[profiles."{key}".image]']
        return lines + [f"{name} = {toml_value(value)}" for name, value in image.items()]

    def stop(self, seconds=PATIENCE):
        """SIGTERM. Where threads are left the process ends at once, and nobody looks for leaks."""
        ran = self.child is not None
        super().stop(seconds)
        said = self.log().rpartition("event=started")[2]
        clean = "event=stopped clean=yes" in said and "event=threads_left" not in said
        if ran and not clean and not self.may_leave_threads and sanitized("CI_MONITOR", "ci-monitor"):
            raise Failure(f"{self.name}: no clean end, so leaks were not looked for\n{said[-4000:]}")

    def start_program(self, *arguments):
        self.started_at = time.monotonic()
        # A test that is cut short must not leave it behind; setpriv becomes what it starts.
        self.start([*self.enter, "setpriv", "--pdeathsig", "KILL", "--", self.program,
                    "--config", str(self.folder / "monitor.toml"), "--env", str(self.folder / ".env"),
                    "--port-file", str(self.folder / "ports"), *arguments], self.environment)

    def begin(self, *arguments):
        """Starts it, and waits until it listens."""
        self.write_settings()
        ports = self.folder / "ports"
        ports.unlink(missing_ok=True)
        self.start_program(*arguments)
        address, port = self.wait_for_file(ports, "listens").splitlines()[0].split()
        self.settings["port"] = int(port)  # the next start is found at the same place
        self.base_url = f"http://{address}:{port}"
        self.http = Http(self.base_url, API_TOKEN)
        # From here on each of its answers is held against its own description.
        collected.describe(self.http.address.netloc, self.http.get("/openapi.json").json())
        return self

    def wait_ready(self):
        """Waits until its first crank is over."""
        wait_until("monitor: ready", lambda: self.http.get("/readyz").status == 200)
        return self

    def restart(self):
        """SIGTERM, and a new start."""
        self.stop(seconds=15.0)
        return self.begin().wait_ready()

    def crash(self):
        """kill -9, and a new start."""
        self.kill()
        return self.begin().wait_ready()

    # --- What a client sees ---------------------------------------------------------------------------------

    def dashboard(self):
        answer = self.http.get("/dashboard.json")
        if answer.status != 200:
            raise Failure(f"dashboard: {answer!r}")
        return answer.json()

    def runners(self, profile_key=None, status=None):
        """Runners as the dashboard shows them, by id."""
        found = {}
        for entry in self.dashboard()["runners"]:
            runner = entry["runner"]
            name = runner["guest_name"] or (runner["registration"] or {}).get("name", "")
            of_profile = profile_key is None or name.startswith(f"ci-runner-{profile_key}.")
            if of_profile and status in (None, runner["status"]):
                found[entry["id"]] = runner
        return found

    def wait_for_runners(self, profile_key, count, status="Idle", seconds=60.0):
        """Exactly so many runners of that profile and status; gives them by id."""
        def enough():
            found = self.runners(profile_key, status)
            return found if len(found) == count else None
        try:
            return wait_until(f"{count} {status} {profile_key}", enough, seconds)
        except Failure as failure:
            shown = {key: value["status"] for key, value in self.runners().items()}
            raise Failure(f"{failure}; runners: {shown}\n{self.log()[-4000:]}") from None

    def take(self, profile_key, unique_id=None, count=None, run_id=1, **more):
        """POST /profile/<key>/take: the answer, whatever it is."""
        query = {"unique_id": unique_id or str(uuid.uuid4()), "qualified_repo": REPOSITORY, "run_id": run_id, **more}
        path = f"/profile/{profile_key}/take" + (f"/{count}" if count is not None else "")
        return self.http.post(path, query)

    def reservation(self, unique_id):
        return self.http.get(f"/reservation/{unique_id}")
