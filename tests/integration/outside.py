"""What the daemon deals with: a libvirt of its own, GitHub's simulator, and the programs inside the guests."""

import json
import os
import re
import subprocess
import time
from pathlib import Path

from harness import Failure, Http, Process, binary, wait_until
from monitor import GITHUB_TOKEN, REPOSITORY, SNAPSHOT

SUPPORT = Path(__file__).resolve().parents[1] / "support"

# The test driver gives each start an address some 20 further on, and goes on past the range's end.
NETWORK = """<network><name>default</name><ip address='127.64.0.1' netmask='255.192.0.0'>
<dhcp><range start='127.64.0.2' end='127.64.255.254'/></dhcp></ip></network>"""

LOADER = "<loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE.fd</loader>"
DOMAIN = """<domain type='test'><name>{name}</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
<os><type>hvm</type>{firmware}</os><devices>
<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{disk}'/><target dev='vda' bus='virtio'/>
</disk><interface type='network'><source network='default'/></interface></devices></domain>"""


def definition_of(name, disk, nvram=None):
    """Of a guest with that disk and, where it boots by UEFI, that file of its firmware's variables."""
    return DOMAIN.format(name=name, disk=disk, firmware=LOADER + f"<nvram>{nvram}</nvram>" if nvram else "")


EVENT = re.compile(r"event 'lifecycle' for domain '(.+)': (\w+)")


class Libvirt(Process):
    """A private libvirtd with the test driver, and what a person would do to it with virsh. All guests' starts and stops
    are written down."""

    def __init__(self, folder):
        super().__init__("libvirtd", folder)
        self.uri = f"test+unix:///default?socket={self.folder}/libvirt-sock"
        self.holder = self.watcher = None
        self.events = self.folder / "events"
        self.environment = {}
        self.uefi = False  # whether templates have NVRAM, and with them their runners

    def begin(self):
        # Not in a session of its own: the script becomes libvirtd without changing its pid only then.
        self.start([str(SUPPORT / "private_libvirtd.sh"), str(self.folder)], self.environment, own_session=False)
        wait_until("libvirtd answers", lambda: self.try_virsh("version").returncode == 0)
        # The test driver forgets everything when its last connection closes.
        self.holder = subprocess.Popen(["virsh", "-q", "-c", self.uri], stdin=subprocess.PIPE, text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.holder.stdin.write("echo held\n")
        self.holder.stdin.flush()
        if "held" not in self.holder.stdout.readline():
            raise Failure("virsh does not stay connected")
        self.begin_watching()
        self.use_own_network()
        self.virsh("destroy", "test")
        wait_until("its events are written down", self.try_watcher)
        self.virsh("undefine", "test")
        return self

    def begin_watching(self):
        """By events, not by samples: who runs for a moment only is seen, too."""
        with open(self.events, "wb") as events:
            self.watcher = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", "stdbuf", "-oL", "virsh", "-q", "-c", self.uri,
                 "event", "--event", "lifecycle", "--loop"], stdin=subprocess.DEVNULL, stdout=events, stderr=events)

    def try_watcher(self):
        """Whether the test driver's own guest was heard of; if not, lets it start and stop again."""
        heard = "'test'" in self.events.read_text()
        if not heard:
            self.virsh("start", "test")
            self.virsh("destroy", "test")
        return heard

    @property
    def own_log(self):
        """libvirtd's; what the script says is in log()."""
        return self.folder / "log" / "libvirtd.log"

    def heard(self):
        """By the events so far: the names of those that run, and how many ran at once at most."""
        running, most = set(), 0
        for name, what in EVENT.findall(self.events.read_text()):
            if what == "Started":
                running.add(name)
            elif what == "Stopped":
                running.discard(name)
            most = max(most, len(running))
        return running, most

    def end_clients(self):
        if self.holder is not None:
            self.holder.stdin.close()
            self.holder.wait(30)
            self.holder.stdout.close()
            self.holder = None
        if self.watcher is not None:
            self.watcher.kill()
            self.watcher.wait()
            self.watcher = None

    def stop(self, seconds=60.0):
        self.end_clients()
        super().stop(seconds)

    def kill(self):
        super().kill()
        self.end_clients()

    def use_own_network(self):
        definition = self.folder / "network.xml"
        definition.write_text(NETWORK)
        self.virsh("net-destroy", "default")
        self.virsh("net-undefine", "default")
        self.virsh("net-define", str(definition))
        self.virsh("net-start", "default")

    def try_virsh(self, *arguments):
        return subprocess.run(["virsh", "-q", "-c", self.uri, *arguments], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, check=False)

    def virsh(self, *arguments):
        """What virsh prints; a failure of virsh is a failure of the test."""
        done = self.try_virsh(*arguments)
        if done.returncode != 0:
            raise Failure(f"virsh {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def define_template(self, profile_key, images, seen=None):
        """The image of a profile: a shut-off guest with a small disk file, as an operator would make by hand. `seen`: the
        path of `images` as this process sees it."""
        name = f"ci-template-{profile_key}@{SNAPSHOT}"
        disk = Path(images) / "base" / profile_key / f"base.img@{SNAPSHOT}"
        file = Path(seen or images) / disk.relative_to(images)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(profile_key.encode().ljust(64 * 1024, b"\0"))
        definition = self.folder / f"{profile_key}.xml"
        if self.uefi:
            self.nvram_of(profile_key).write_text(f"boot entries of {profile_key}")
        definition.write_text(definition_of(name, disk, self.nvram_of(profile_key) if self.uefi else None))
        self.virsh("define", str(definition))
        return name

    def nvram_of(self, profile_key):
        """The template's."""
        return self.folder / f"{profile_key}_VARS.fd"

    def guests(self, prefix="ci-runner-"):
        """Names of the guests with that prefix -> whether they run."""
        running = set(self.virsh("list", "--name").split())
        return {name: name in running for name in self.virsh("list", "--all", "--name").split()
                if name.startswith(prefix)}

    def xml(self, name):
        return self.virsh("dumpxml", name)

    def stop_guest(self, name):
        """Behind the daemon's back: power off."""
        self.virsh("destroy", name)

    def address(self, name):
        words = self.virsh("domifaddr", name).split()
        return words[-1].partition("/")[0] if words else None


class GithubSimulator(Process):
    """GitHub, with a control API that tells the truth and orders lies; see tests/simulators/README.md."""

    more_arguments = []

    def __init__(self, folder, **settings):
        super().__init__("github", folder)
        self.settings = settings
        self.orders = []  # of its control API, at every start: (method, what, body)
        self.path = ""  # below which the API is; else at the root
        self.port = 0
        self.url = self.api_url = None
        self.http = None

    def begin(self):
        """Starts it; again after stop() or kill(): on the same port, with the state that it had."""
        ports = self.folder / "port"
        ports.unlink(missing_ok=True)
        path = ["--api-path", self.path] if self.path else []
        self.start([binary("GITHUB_SIMULATOR", "github-simulator"), "--port", str(self.port), "--port-file", str(ports), *path,
                    "--token", GITHUB_TOKEN, "--scope", f"repos/{REPOSITORY}", "--state", str(self.folder / "state"), "--parent-death",
                    *self.more_arguments])
        self.port = int(self.wait_for_file(ports, "listens").split()[-1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = Http(self.url)
        self.api_url = self.through_proxy()
        if self.settings:
            self.set(**self.settings)
        for order in self.orders:
            self.control(*order)
        return self

    def through_proxy(self):
        """Where the daemon is to find it: behind the contract tests' proxy, if there is one."""
        proxy = os.environ.get("CI_MONITOR_GITHUB_PROXY")
        if not proxy or self.path:
            return self.url + self.path
        return self.api_url or Http(proxy).post("/open", body={"upstream": self.url}).json()["url"]

    def control(self, method, what, body=None):
        answer = self.http.request(method, f"/_control/{what}", body=body)
        if answer.status >= 300:
            raise Failure(f"control of GitHub: {method} {what}: {answer!r}")
        return answer.json() if answer.body else None

    def set(self, **settings):
        return self.control("PUT", "settings", settings)

    def state(self):
        return self.control("GET", "state")

    def registrations(self):
        """What is registered now, by name, as it really is."""
        return {runner["name"]: runner for runner in self.state()["runners"]}

    def queue_job(self, *labels, seconds=0.0, run_id=None, repo=REPOSITORY):
        """A job for a runner that has all of these labels; its record."""
        return self.control("POST", "jobs", {"repo": repo, "labels": list(labels), "seconds": seconds,
                                             "run_id": run_id})

    def job(self, job_id):
        return self.control("GET", f"jobs/{job_id}")

    def wait_for_job(self, job_id, status="completed", seconds=60.0):
        def in_state():
            job = self.job(job_id)
            return job if job["status"] == status else None
        return wait_until(f"job {job_id} {status}", in_state, seconds)

    def cancel_job(self, job_id):
        """Ends a running job as soon as its guest, which must be alive, hears of it: within 1.5 s."""
        self.control("DELETE", f"jobs/{job_id}")
        assert self.wait_for_job(job_id)["conclusion"] == "cancelled"

    def fault(self, operation, kind="status", **more):
        """Spoils the next requests of an operation; see the simulators' README."""
        return self.control("POST", "faults", {"operation": operation, "kind": kind, **more})

    def no_faults(self):
        self.control("DELETE", "faults")


class GuestSimulator(Process):
    """Every running guest's inside: boots, fetches its JIT config from the daemon, works for GitHub, shuts down."""

    def __init__(self, folder):
        super().__init__("guests", folder)
        self.behaviour = self.folder / "behaviour.json"

    def begin(self, libvirt_uri, monitor_url, behaviour=None, by_guest=None):
        self.behave(by_guest, default=behaviour)
        self.start([binary("GUEST_SIMULATOR", "guest-simulator"), "--connect", libvirt_uri, "--monitor", monitor_url,
                    "--behaviour", str(self.behaviour), "--parent-death"])
        wait_until("guests: at libvirt", lambda: "watching" in self.log())
        return self

    def behave(self, by_guest=None, default=None):
        """How guests misbehave from now on, by guest name; see tests/simulators/guest_simulator/README.md."""
        draft = self.behaviour.with_suffix(".new")
        draft.write_text(json.dumps({"default": default or {}, **(by_guest or {})}))
        draft.rename(self.behaviour)


def settle(seconds, what, still_true):
    """For what must not happen: checks all the time that it does not."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not still_true():
            raise Failure(f"came to be although it must not: not {what}")
        time.sleep(0.05)
