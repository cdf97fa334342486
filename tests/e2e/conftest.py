"""One host for all cases, a daemon and a GitHub for each; everything ends with the namespaces in any case."""

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]

from harness import Failure, Http, wait_until  # noqa: E402
from host import GATEWAY, PROFILE, URI, Host  # noqa: E402
from monitor import API_TOKEN, GITHUB_TOKEN, SNAPSHOT, Monitor, profile  # noqa: E402
from outside import GithubSimulator  # noqa: E402

MONITOR_PORT = 8000  # the guest's init knows it
GITHUB_PORT = 8001
PLACEHOLDER = profile(0)["boot_script"]
LOG_TAIL = 120


class RealGithub(GithubSimulator):
    """GitHub's simulator where guests reach it."""

    more_arguments = ["--listen", "0.0.0.0", "--runner-url", f"http://{GATEWAY}:{GITHUB_PORT}"]

    def __init__(self, folder, **settings):
        super().__init__(folder, **settings)
        self.port = GITHUB_PORT


class World:
    """What one case deals with."""

    def __init__(self, host, folder):
        self.host, self.folder = host, folder
        self.github = RealGithub(folder / "github", online_delay=0.1, busy_delay=0.2, gone_delay=0.3, offline_delay=20)
        self.monitor = None

    @property
    def boot_script(self):
        return (PROFILE / "boot-script").read_text()

    def begin(self, profiles, templates=True, github=None, start=True, env=None, **settings):
        """Everything runs and the monitor is ready. Templates: hand-made images of all profiles."""
        self.github.settings.update(github or {})
        self.github.begin()
        for values in profiles.values():
            if values.get("boot_script") == PLACEHOLDER:
                values["boot_script"] = self.boot_script
        settings = {"listen_on": ["127.0.0.1", GATEWAY], "port": MONITOR_PORT, "guest_network": "192.168.100.0/24",
                    "monitor_start_timeout": 90, "guest_filter": "clean-traffic", "max_parallel_creates": 2, **settings}
        self.monitor = Monitor(self.folder / "monitor", self.github.url, URI, profiles, **settings)
        self.monitor.more_env.update(env or {})
        self.monitor.may_leave_threads = True  # QEMU without KVM may keep libvirt longer than a stop waits
        if templates:
            for key in profiles:
                self.host.define_template(key, SNAPSHOT, self.images)
        return self.monitor.begin().wait_ready() if start else self.monitor

    def events(self, event):
        """The daemon's log lines of that event."""
        return [line for line in self.monitor.log().splitlines() if f" event={event} " in line]

    @property
    def images(self):
        return self.monitor.settings["images_path"]

    def end(self):
        complaints = []
        for part in (self.monitor, self.github):
            try:
                if part is not None:
                    part.stop()
            except Failure as failure:
                complaints.append(str(failure))
                part.kill()
        self.host.clean()
        if self.monitor is not None:
            complaints += [f"G9: the log holds {what}" for what, secret in (("the API token", API_TOKEN),
                           ("GitHub's token", GITHUB_TOKEN)) if secret in self.monitor.log()]
        if complaints:
            raise Failure("\n".join(complaints))

    def show_logs(self):
        if self.host.console.exists():
            print("--- consoles", *self.host.console.read_text(errors="replace").splitlines()[-LOG_TAIL:], sep="\n")
        for part in (self.monitor, self.github):
            if part is not None:
                lines = [line for line in part.log().splitlines() if "event=served method=GET" not in line]
                print(f"--- {part.log_path}", *lines[-LOG_TAIL:], sep="\n")


@pytest.fixture(scope="session")
def host():
    return Host(os.environ["E2E_FOLDER"]).begin()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.when == "call":
        item.failed_call = outcome.get_result().failed


@pytest.fixture
def world(request, host):
    result = World(host, Path(os.environ["E2E_FOLDER"]) / request.node.name)
    failed = True
    try:
        yield result
        failed = getattr(request.node, "failed_call", True)
    finally:
        if failed:
            result.show_logs()
        result.end()
