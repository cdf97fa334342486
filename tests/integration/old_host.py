"""A host as the older monitor leaves it: the Servo project's, in Rust. Its guests, registrations, images and folders, and what it
reads when it starts again."""

import json
import os
import re
import time
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path

from harness import Failure, Http
from monitor import GITHUB_TOKEN, REPOSITORY, Monitor
from outside import definition_of

SECRET_OF_THE_DEAD = "config-of-a-runner-that-is-no-more"


def snapshot(hours_ago):
    """An image's name."""
    made = datetime.now(timezone.utc) - timedelta(hours=hours_ago)
    return made.strftime("%Y-%m-%dT%H:%M:%S.000000000Z")


class OldHost:
    """`profiles` and `settings` are the new monitor's; it is not started."""

    def __init__(self, world, profiles, **settings):
        world.github.settings = {"online_delay": 0.1, "busy_delay": 0.2, "gone_delay": 0.3}
        world.github.begin()
        world.libvirt.begin()
        self.world = world
        self.monitor = world.monitor = Monitor(world.folder / "monitor", world.github.api_url, world.libvirt.uri, profiles,
                                               **{"monitor_start_timeout": 300, **settings})
        self.images = Path(self.monitor.settings["images_path"])
        self.data = self.monitor.data
        self.data.mkdir(mode=0o700)
        self.configs = {}  # by id
        self.hanging = {}  # how guests behave, by name

    def begin(self, *arguments):
        """Starts the new monitor, and the programs in the guests."""
        self.monitor.begin(*arguments)
        self.world.guests.begin(self.world.libvirt.uri, self.monitor.base_url, by_guest=self.hanging)
        return self.monitor.wait_ready()

    def define(self, name, disk, start):
        disk.parent.mkdir(parents=True, exist_ok=True)
        disk.write_bytes(name.encode().ljust(4096, b"\0"))
        definition = self.world.folder / "definition.xml"
        definition.write_text(definition_of(name, disk))
        self.world.libvirt.virsh("define", str(definition))
        if start:
            self.world.libvirt.virsh("start", name)
        return name

    # --- Images ---------------------------------------------------------------------------------------------

    def base_files(self, made, profile="linux"):
        folder = self.images / "base" / profile
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"config.iso@{made}").write_text("config")
        return folder / f"base.img@{made}"

    def template(self, made, profile="linux"):
        return self.define(f"ci-template-{profile}@{made}", self.base_files(made, profile), start=False)

    def rebuild(self, made, profile="linux"):
        return self.define(f"ci-rebuild-{profile}@{made}", self.base_files(made, profile), start=True)

    def link(self, made, profile="linux"):
        (self.data / "profiles" / profile).mkdir(parents=True, exist_ok=True)
        (self.data / "profiles" / profile / "snapshot").symlink_to(made)

    # --- Runners --------------------------------------------------------------------------------------------

    def folder(self, runner_id, age=600, registration=None):
        folder = self.data / "runners" / str(runner_id)
        folder.mkdir(parents=True)
        (folder / "runner.toml").write_text('image_type = "Rust"\n')
        os.utime(folder / "runner.toml", (time.time() - age, time.time() - age))
        (folder / "boot-script").symlink_to(self.world.folder / "boot-script")
        if registration is not None:
            (folder / "github-api-registration").write_text(json.dumps(registration))

    def guest(self, runner_id, profile="linux", start=True, hangs=True):
        """One that hangs is played by nobody: whatever it does shows in its registration alone."""
        name = self.define(f"ci-runner-{profile}.{runner_id}", self.disk(runner_id), start)
        if hangs:
            self.hanging[name] = {"hang_at": "boot"}
        return name

    def disk(self, runner_id):
        return self.images / "runner" / f"{runner_id}-base.img"

    def registration(self, runner_id, status, busy=False, labels=(), profile="linux"):
        """One that nobody stands behind."""
        self.world.github.control("POST", "runners", {
            "name": f"ci-runner-{profile}.{runner_id}@ci0", "scope": f"repos/{REPOSITORY}", "status": status, "busy": busy,
            "labels": ["self-hosted", "X64", f"self-hosted-image:{profile}", *labels]})

    def register(self, runner_id, profile="linux"):
        """As the older monitor registers: its guest may fetch the config. GitHub's answer."""
        answer = Http(self.world.github.url, GITHUB_TOKEN).post(
            f"/repos/{REPOSITORY}/actions/runners/generate-jitconfig", headers={"User-Agent": "gh"}, body={
                "name": f"ci-runner-{profile}.{runner_id}@ci0", "runner_group_id": 1, "work_folder": "_work",
                "labels": ["self-hosted", "X64", f"self-hosted-image:{profile}"]})
        if answer.status != 201:
            raise Failure(f"not registered: {answer!r}")
        self.configs[runner_id] = answer.json()["encoded_jit_config"]
        return answer.json()

    @staticmethod
    def reservation_labels(unique_id, run_id=77):
        return [f"reserved-for:{unique_id}", f"reserved-since:{int(time.time())}",
                f"reserved-by:{REPOSITORY}/actions/runs/{run_id}"]

    # --- The older monitor, started again -------------------------------------------------------------------

    def next_id(self):
        """The id that it would hand out next. It takes digits alone."""
        text = (self.data / "last-runner-id").read_text()
        assert re.fullmatch(r"[0-9]+", text), f"the older monitor can't read {text!r}"
        return int(text) + 1

    def current_image(self, profile="linux"):
        """The template and the disk that it would clone."""
        made = os.readlink(self.data / "profiles" / profile / "snapshot")
        return f"ci-template-{profile}@{made}", self.images / "base" / profile / f"base.img@{made}"


def new_id():
    return str(uuid.uuid4())
