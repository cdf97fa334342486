"""One world for each test: begun by the test, ended and thrown away afterwards, kept if the test failed."""

import shutil
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from description import collected, report_path  # noqa: E402
from harness import Failure  # noqa: E402
from monitor import API_TOKEN, GITHUB_TOKEN, WEBHOOK_SECRET, Monitor  # noqa: E402
from outside import GithubSimulator, GuestSimulator, Libvirt  # noqa: E402
from private_disk import PrivateDisk  # noqa: E402

LOG_TAIL = 200  # lines of each program's log that a failed test shows
NOISE = "event=served method=GET route=/dashboard.json status=200"  # the tests' own waiting


class World:
    """A daemon and everything that it deals with. Parts are made in the order in which they need each other."""

    def __init__(self, folder):
        self.folder = folder
        self.github = GithubSimulator(folder / "github")
        self.libvirt = Libvirt(folder / "libvirt")
        self.guests = GuestSimulator(folder / "guests")
        self.monitor = None
        self.disk = None

    def begin(self, profiles, github=None, guests=None, ready=True, data_disk=None, images_disk=None, environment=None,
              **settings):
        """Everything runs and the monitor is ready, unless it need not be; `github` and `settings` are theirs, over the tests'
        defaults; `guests` is how all guests behave; `data_disk` is the size of a disk that the data folder gets for itself,
        `images_disk` that of one for the images whose files can share blocks; `environment` is for the
        monitor's first start."""
        # GitHub's delays are a tenth of the usual.
        self.github.settings = {"online_delay": 0.1, "busy_delay": 0.2, "gone_delay": 0.3, **(github or {})}
        self.github.begin()
        self.libvirt.begin()
        self.monitor = Monitor(self.folder / "monitor", self.github.api_url, self.libvirt.uri, profiles, **settings)
        self.monitor.environment = environment or {}
        images = self.monitor.settings["images_path"]
        if data_disk is not None:
            self.disk = PrivateDisk(self.folder / "disk", self.monitor.data, data_disk).begin()
        if images_disk is not None:
            self.disk = PrivateDisk(self.folder / "disk", images, images_disk, "btrfs").begin()
        if self.disk is not None:
            self.monitor.enter = self.disk.enter
        for key in (key for key, values in profiles.items() if not values.get("built")):
            self.libvirt.define_template(key, images, self.disk.seen if images_disk else None)
        self.monitor.begin()
        self.guests.begin(self.libvirt.uri, self.monitor.base_url, guests)
        return self.monitor.wait_ready() if ready else self.monitor

    def parts(self):
        return [part for part in (self.monitor, self.guests, self.github, self.libvirt, self.disk) if part is not None]

    def end(self):
        """Stops all; every part must end by itself and well, even where another did not."""
        complaints = []
        for part in self.parts():
            try:
                part.stop()
            except Failure as failure:
                complaints.append(str(failure))
                part.kill()
        if self.monitor is not None:
            complaints += [f"G9: the log holds {what}" for what, secret in (("the API token", API_TOKEN),
                           ("GitHub's token", GITHUB_TOKEN), ("the webhooks' secret", WEBHOOK_SECRET)) if secret in self.monitor.log()]
        complaints += collected.check()
        if complaints:
            raise Failure("\n".join(complaints[:20]))

    def show_logs(self):
        for part in self.parts():
            lines = [line for line in part.log().splitlines() if NOISE not in line]
            print(f"--- {part.log_path}", *lines[-LOG_TAIL:], sep="\n")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.when == "call":
        item.failed_call = outcome.get_result().failed


def pytest_collection_finish(session):
    """What an earlier run of these files produced does not count."""
    for module in {item.path.name for item in session.items}:
        path = report_path(module)
        if path is not None:
            path.unlink(missing_ok=True)


@pytest.fixture
def world(request):
    # A short path: it has to hold a unix socket.
    folder = Path(tempfile.mkdtemp(prefix="ci-monitor-it-"))
    result = World(folder)
    failed = True
    try:
        yield result
        failed = getattr(request.node, "failed_call", True)
    finally:
        try:
            result.end()
        except Failure:
            failed = True
            raise
        finally:
            if failed:
                result.show_logs()
                print(f"kept for a look: {folder}")
            else:
                shutil.rmtree(folder, ignore_errors=True)


