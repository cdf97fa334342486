"""The Servo project's settings, profile folders and `queue` program work with this monitor as they are."""

import concurrent.futures
import subprocess
import uuid
from pathlib import Path

from harness import Http, binary
from monitor import API_TOKEN, GITHUB_TOKEN, REPOSITORY, profile

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
GUEST = """<domain type='kvm'><name>{key}.init</name><memory unit='GiB'>1</memory><os><type>hvm</type></os><devices>
<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/null'/><target dev='{disk}'/></disk>
{cdroms}<interface type='network'><source network='cinet'/></interface></devices></domain>
"""
CDROM = "<disk type='block' device='cdrom'><target dev='{}' bus='sata'/><readonly/></disk>\n"


def write_profile_folder(folder, key, linked):
    """As the project's repository has it: some files are links into another profile's folder."""
    folder.mkdir(parents=True)
    (folder / "image.toml").symlink_to(IMAGES / key / "image.toml")
    disk, cdroms = {"servo-w": ("sda", ["sdb", "sdc", "sdd"]), "servo-m": ("sdb", [])}.get(key[:7], ("vda", ["sda"]))
    (folder / "guest.xml").write_text(GUEST.format(key=key, disk=disk, cdroms="".join(map(CDROM.format, cdroms))))
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


def write_host(folder, libvirt="test:///default"):
    """monitor.toml and .env of one of the project's hosts, with stand-ins for the large files."""
    for key, (_, _, linked) in PROFILES.items():
        write_profile_folder(folder / "profiles" / key, key, linked)
    for name in ("ubuntu2204/jammy-server-cloudimg-amd64.raw", "windows10/Win10_22H2_English_x64v1.iso",
                 "windows10/virtio-win-0.1.240.iso"):
        (folder / "deps" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "deps" / name).write_bytes(b"\0" * 4096)
    for name in ("images", "servo", "data"):
        (folder / name).mkdir()
    text = SETTINGS.format(port=0, folder=folder, libvirt=libvirt)
    for key, (hugepages, target, _) in PROFILES.items():
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


def test_every_profile_of_the_project_has_an_image(tmp_path):
    assert sorted(path.parent.name for path in IMAGES.glob("*/image.toml")) == sorted(PROFILES)


class Queue:
    """What the project's `queue` program does with a server: see its DASHBOARD_UPDATE_REQUEST_TIMEOUT and
    DOWNSTREAM_TAKE_REQUEST_TIMEOUT."""

    def __init__(self, base_url):
        self.update = Http(base_url, timeout=1.5)
        self.forward = Http(base_url, API_TOKEN, timeout=3.0)

    def counts(self, profile_key):
        answer = self.update.get("/dashboard.json")
        assert answer.status == 200 and answer.seconds < 1.5
        counts = answer.json()["profile_runner_counts"][profile_key]
        return {key: counts[key] for key in ("idle", "healthy", "target")}

    def take(self, profile_key, count):
        """The number of runners that the array holds; None: not to be had, or no answer in time. Never repeated."""
        answer = self.forward.post(f"/profile/{profile_key}/take/{count}", {
            "unique_id": str(uuid.uuid4()), "qualified_repo": REPOSITORY, "run_id": 1})
        assert answer.seconds < 3.0
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
