"""The Servo project's settings, profile folders and `queue` program work with this monitor as they are."""

import concurrent.futures
import subprocess
import tomllib
import uuid
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from harness import Http, binary, sanitized, wait_until
from monitor import API_TOKEN, GITHUB_TOKEN, GUEST_NETWORK, QUICK, REPOSITORY, Monitor, profile, toml_value
from outside import LOADER

IMAGES = Path(__file__).resolve().parents[2] / "deploy" / "servo"

# profile -> huge pages, target, the profile whose folder holds what its own links to
PROFILES = {
    "servo-windows10": (24, 1, None), "servo-macos13": (24, 0, None), "servo-macos14": (24, 0, None),
    "servo-macos15": (24, 1, "servo-macos14"), "servo-ubuntu2204": (24, 0, None),
    "servo-ubuntu2204-bench": (24, 0, "servo-ubuntu2204"), "servo-ubuntu2204-wpt": (48, 0, "servo-ubuntu2204"),
    "base-ubuntu2204": (12, 2, None)}
SETTINGS = """listen_on = ["127.0.0.1"]
port = {port}
external_base_url = "http://127.0.0.1/"
github_api_scope = "/repos/octo-org/octo-repo"
allowed_qualified_repo_prefix = "octo-org/"
github_api_suffix = "host"
monitor_poll_interval = 5
api_cache_timeout = 30
tokenless_select_artifact_max_age = 300
monitor_start_timeout = 120
monitor_reserve_timeout = 60
monitor_thread_send_timeout = 10
monitor_thread_recv_timeout = 10
main_repo_path = "{folder}/servo"
base_image_max_age = 86400
available_1g_hugepages = 96
available_normal_memory = "16G"
images_path = "{folder}/images"
libvirt_uri = "{libvirt}"
guest_filter = ""

[queue]
servers = ["https://ci0.example.org", "https://ci1.example.org"]
"""
GUEST = """<domain type='{kind}'><name>{key}.init</name><memory unit='GiB'>1</memory><os><type>hvm</type>{nvram}</os><devices>
{shared}<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/null'/><target dev='{disk}'/></disk>
{cdroms}<interface type='network'><source network='{network}'/></interface></devices></domain>
"""
# What every macOS guest boots with, and shares.
OPEN_CORE = "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{}'/><target dev='sda' bus='sata'/></disk>\n"
CDROM = "<disk type='block' device='cdrom'><target dev='{}' bus='sata'/><readonly/></disk>\n"


JAMMY = "ubuntu2204/jammy-server-cloudimg-amd64.raw"
WINDOWS, VIRTIO = "windows10/Win10_22H2_English_x64v1.iso", "windows10/virtio-win-0.1.240.iso"
# profile -> disk, size in GiB, time-out in s, begins with, CD-ROMs ("config": what the monitor writes), work folder
UBUNTU = ("vda", 90, 2000, {"file": JAMMY}, {"sda": "config"}, "/a")
TABLE = {
    "servo-ubuntu2204": UBUNTU, "servo-ubuntu2204-wpt": UBUNTU,
    "servo-ubuntu2204-bench": ("vda", 90, 1000, {"file": JAMMY}, {"sda": "config"}, "/a"),
    "base-ubuntu2204": ("vda", 20, 90, {"file": JAMMY}, {"sda": "config"}, "/a"),
    "servo-windows10": ("sda", 90, 3000, "blank", {"sdb": WINDOWS, "sdc": VIRTIO, "sdd": "config"}, "C:\\a"),
    **{f"servo-macos{version}": ("sdb", 90, 2000, {"guest": f"servo-macos{version}.clean"}, {}, "/Users/servo/a")
       for version in (13, 14, 15)}}


def write_profile_folder(folder, key, linked, kind, network):
    """As the project's repository has it: some files are links into another profile's folder."""
    host = folder.parents[1]
    macos = key.startswith("servo-m")
    folder.mkdir(parents=True)
    (folder / "image.toml").symlink_to(IMAGES / key / "image.toml")
    disk, cdroms = {"servo-w": ("sda", ["sdb", "sdc", "sdd"]), "servo-m": ("sdb", [])}.get(key[:7], ("vda", ["sda"]))
    (folder / "guest.xml").write_text(GUEST.format(
        key=key, disk=disk, cdroms="".join(map(CDROM.format, cdroms)), kind=kind, network=network,
        nvram=LOADER + f"<nvram>{host}/OSX-KVM/OVMF_VARS.{key}.fd</nvram>" if macos else "",
        shared=OPEN_CORE.format(host / "OSX-KVM" / "OpenCore.qcow2") if macos else ""))
    files = {"boot-script": "#!/bin/sh\necho boot\n"}
    if "windows" in key:
        files["autounattend.xml"] = "<unattend/>\n"
    elif "ubuntu" in key:
        files.update({"meta-data": "{}\n", "user-data": "#cloud-config\n"})
    for name, text in files.items():
        if linked:
            (folder / name).symlink_to(f"../{linked}/{name}")
        else:
            (folder / name).write_text(text)


def write_host(folder, libvirt="test:///default", targets=None, kind="kvm", network="cinet"):
    """monitor.toml and .env of one of the project's hosts, with stand-ins for the large files. `targets`: of another host."""
    for key, (_, _, linked) in PROFILES.items():
        write_profile_folder(folder / "profiles" / key, key, linked, kind, network)
    for name in (JAMMY, WINDOWS, VIRTIO):
        (folder / "deps" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "deps" / name).write_bytes(f"begin of {name}\n".encode().ljust(4096, b"\0"))
    for name in ("images", "servo", "data", "OSX-KVM"):
        (folder / name).mkdir()
    text = SETTINGS.format(port=0, folder=folder, libvirt=libvirt)
    for key, (hugepages, target, _) in PROFILES.items():
        target = target if targets is None else targets.get(key, 0)
        text += f'[profiles.{key}]\nprofile_name = "{key}"\ngithub_runner_label = "self-hosted-image:{key}"\n' \
                f'target_count = {target}\nrequires_1g_hugepages = {hugepages}\nrequires_normal_memory = "1G"\n'
    (folder / "monitor.toml").write_text(text)
    env = folder / ".env"
    env.touch(0o600)
    env.write_text(f"GITHUB_TOKEN={GITHUB_TOKEN}\nSERVO_CI_MONITOR_API_TOKEN={API_TOKEN}\n"
                   f"SERVO_CI_MONITOR_DATA_PATH={folder}/data\nIMAGE_DEPS_DIR={folder}/deps\nLIB_MONITOR_DIR={folder}\n")


def check(folder):
    return subprocess.run([binary("CI_MONITOR", "ci-monitor"), "--check", "--config", folder / "monitor.toml", "--env",
                           folder / ".env"], capture_output=True, text=True, timeout=60, check=False, cwd=folder)


def test_the_projects_settings_and_folders_are_taken_as_they_are(tmp_path):
    write_host(tmp_path)
    done = check(tmp_path)
    told = done.stdout + done.stderr
    # What is left to say is about this machine and the keys that need nothing any more.
    assert "expected" not in told and "unknown" not in told, told
    assert "queue" in told, "[queue] servers is read and ignored, with a notice"
    for key in PROFILES:
        (tmp_path / "profiles" / key / "image.toml").unlink()
    told = check(tmp_path).stderr
    # Only profiles with a target need an image.
    for key, (_, target, _) in PROFILES.items():
        assert (f"profiles.{key}.image.target_device" in told) == (target > 0), told


def test_every_profile_of_the_project_has_its_image():
    """The issue's table, line by line."""
    said = {path.parent.name: tomllib.loads(path.read_text()) for path in IMAGES.glob("*/image.toml")}
    assert set(said) == set(PROFILES) == set(TABLE)
    for key, (disk, size, timeout, begins_with, cdroms, work_folder) in TABLE.items():
        image = said[key]
        shown = dict(image.get("cdroms", {}))
        if "config_cdrom" in image:
            shown[image["config_cdrom"]] = "config"
        assert (image["target_device"], image["size"], image["build_timeout"], image["begins_with"], shown,
                image["work_folder"]) == (disk, f"{size}G", timeout, begins_with, cdroms, work_folder), key


class ServoHost(Monitor):
    """One of the project's hosts: its own monitor.toml, with where the simulators are and the tests' short times behind it."""

    def __init__(self, world, targets):
        super().__init__(world.folder / "servo", world.github.api_url, world.libvirt.uri, {})
        self.data = self.folder / "data"
        (self.folder / "images").rmdir()
        write_host(self.folder, world.libvirt.uri, targets, "test", "default")
        self.settings["images_path"] = str(self.folder / "images")
        text = (self.folder / "monitor.toml").read_text()
        for key, value in QUICK.items():
            text = "\n".join(line for line in text.splitlines() if not line.startswith(f"{key} ="))
        more = {**QUICK, "github_api_url": world.github.api_url, "guest_network": GUEST_NETWORK, "min_free_disk": "1M"}
        self.text = "".join(f"{key} = {toml_value(value)}\n" for key, value in more.items()) + text

    def write_settings(self):
        (self.folder / "monitor.toml").write_text(self.text)


def define_clean(world, host, key):
    """The guest that a person installed macOS in by hand."""
    images, nvram = host.folder / "images", host.folder / "OSX-KVM" / f"OVMF_VARS.{key}.clean.fd"
    (images / f"{key}.clean.img").write_bytes(f"installed {key}\n".encode().ljust(4096, b"\0"))
    nvram.write_text(f"boot entries of {key}")
    open_core = host.folder / "OSX-KVM" / "OpenCore.qcow2"
    open_core.write_bytes(b"shared")
    definition = host.folder / f"{key}.clean.xml"
    definition.write_text(
        f"<domain type='test'><name>{key}.clean</name><memory unit='GiB'>1</memory><os><type>hvm</type>{LOADER}<nvram>{nvram}</nvram></os>"
        f"<devices>{OPEN_CORE.format(open_core)}<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
        f"<source file='{images}/{key}.clean.img'/><target dev='sdb' bus='sata'/></disk></devices></domain>")
    world.libvirt.virsh("define", str(definition))


def check_image(world, host, key):
    """What the profile's template and its runners consist of, by libvirt's word and by their files."""
    disk, size, _, begins_with, cdroms, work_folder = TABLE[key]
    folder = host.folder / "images" / "base" / key
    (template,) = [name for name in world.libvirt.guests("ci-template-") if name.startswith(f"ci-template-{key}@")]
    snapshot = template.partition("@")[2]
    image = folder / f"base.img@{snapshot}"
    assert image.stat().st_size == size << 30 and image.stat().st_blocks < 1 << 12, "sparse"
    begin = {"file": f"begin of {JAMMY}\n", "guest": f"installed {key}\n"}
    with open(image, "rb") as file:
        wanted = begin[next(iter(begins_with))].encode() if begins_with != "blank" else bytes(32)
        assert file.read(len(wanted)) == wanted
    definition = ElementTree.fromstring(world.libvirt.xml(template))
    disks = {entry.find("target").get("dev"): entry for entry in definition.findall("devices/disk")}
    file_of = lambda entry: entry.find("source").get("file")  # noqa: E731
    assert file_of(disks[disk]) == str(image)
    assert {target for target, entry in disks.items() if entry.get("device") == "cdrom"} == set(cdroms)
    for target, content in cdroms.items():
        wanted = folder / f"config.iso@{snapshot}" if content == "config" else host.folder / "deps" / content
        assert file_of(disks[target]) == str(wanted) and disks[target].find("readonly") is not None
        if content == "config":  # the volume's label: ISO 9660, primary descriptor
            assert wanted.read_bytes()[0x8028:0x8048].rstrip() == (b"CONFIG" if "windows" in key else b"CIDATA")
    if "macos" in key:
        assert definition.find("os/nvram").text == str(folder / f"nvram.fd@{snapshot}")
        assert (folder / f"nvram.fd@{snapshot}").read_text() == f"boot entries of {key}"
        assert file_of(disks["sda"]).endswith("OSX-KVM/OpenCore.qcow2") and disks["sda"].find("readonly") is not None
    (runner_id, runner) = next(iter(host.runners(key, "Idle").items()))
    own = ElementTree.fromstring(world.libvirt.xml(runner["guest_name"]))
    mine = [entry for entry in own.findall("devices/disk") if entry.find("readonly") is None]
    assert [entry.find("target").get("dev") for entry in mine] == [disk]
    assert Path(file_of(mine[0])).name.startswith(f"{runner_id}-base.img@{snapshot}")
    at_github = world.github.registrations()[runner["registration"]["name"]]
    assert f"self-hosted-image:{key}" in at_github["labels"]
    assert at_github["work_folder"] == work_folder


@pytest.mark.parametrize("targets", [
    {"servo-windows10": 1, "servo-macos15": 1, "base-ubuntu2204": 2},
    {"servo-macos13": 1, "servo-macos14": 1, "servo-ubuntu2204": 1, "servo-ubuntu2204-bench": 1},
    {"servo-ubuntu2204-wpt": 2}], ids=["as-it-is", "second", "third"])
def test_every_image_of_the_project_is_built_from_its_own_folders(world, targets):
    """From an empty host, with stand-ins for the large files; the guests' insides are simulated."""
    world.github.settings = {"online_delay": 0.1, "busy_delay": 0.2, "gone_delay": 0.3}
    world.github.begin()
    world.libvirt.begin()
    host = world.monitor = ServoHost(world, targets)
    for key in targets:
        if "macos" in key:
            define_clean(world, host, key)
    before = {path: path.read_bytes() for path in host.folder.rglob("*") if path.is_file() and "data" not in path.parts}
    host.begin()
    world.guests.begin(world.libvirt.uri, host.base_url)
    host.wait_ready()
    for key, target in targets.items():
        host.wait_for_runners(key, target, seconds=120.0)
        check_image(world, host, key)
    for path, content in before.items():
        if path.name not in ("monitor.toml", "ports"):
            assert path.read_bytes() == content, f"{path} is the project's, or was made by hand"
    if any("macos" in key for key in targets):
        wait_until("the clean guest is left as it was", lambda: all(
            not running for running in world.libvirt.guests("servo-macos").values()))


class Queue:
    """What the project's `queue` program does with a server: see its DASHBOARD_UPDATE_REQUEST_TIMEOUT and
    DOWNSTREAM_TAKE_REQUEST_TIMEOUT. It has more patience with a sanitized server."""

    def __init__(self, base_url):
        times = 4.0 if sanitized("CI_MONITOR", "ci-monitor") else 1.0
        self.update = Http(base_url, timeout=1.5 * times)
        self.forward = Http(base_url, API_TOKEN, timeout=3.0 * times)

    def counts(self, profile_key):
        answer = self.update.get("/dashboard.json")
        assert answer.status == 200 and answer.seconds < self.update.timeout
        counts = answer.json()["profile_runner_counts"][profile_key]
        return {key: counts[key] for key in ("idle", "healthy", "target")}

    def take(self, profile_key, count):
        """The number of runners that the array holds; None: not to be had, or no answer in time. Never repeated."""
        answer = self.forward.post(f"/profile/{profile_key}/take/{count}", {
            "unique_id": str(uuid.uuid4()), "qualified_repo": REPOSITORY, "run_id": 1})
        assert answer.seconds < self.forward.timeout
        runners = answer.json() if answer.status == 200 else None
        return None if runners is None else len(runners)


def test_the_queue_program_finds_and_takes_runners(world):
    monitor = world.begin({"linux": profile(4)}, queue_member=True)
    monitor.wait_for_runners("linux", 4)
    queue = Queue(monitor.base_url)
    assert queue.counts("linux") == {"idle": 4, "healthy": 4, "target": 4}
    assert queue.take("linux", 3) == 3
    assert queue.counts("linux")["idle"] == 1
    assert queue.take("linux", 2) is None, "null: this server has not enough"
    # GitHub does not confirm in time: the queue gets its answer within its patience, and nothing stays taken.
    world.github.set(answer_delay={"label": 30.0})
    assert queue.take("linux", 1) is None
    world.github.set(answer_delay=0)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:  # many readers while a take is decided
        reads = [pool.submit(queue.counts, "linux") for _ in range(50)]
        assert all(read.result()["target"] == 4 for read in reads)
