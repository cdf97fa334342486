"""Starting, refusing to start, and ending."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from monitor import Monitor, built_profile, profile
from pool_test import check_nothing_lost, reserve, wait_until_settled

NOBODY = 65534


def refused(world, monitor):
    """What a monitor says that must not start."""
    monitor.write_settings()
    monitor.start_program()
    assert monitor.wait() != 0
    monitor.child = None
    return monitor.log()


def checked(monitor):
    """What --check says of a host where something is wrong."""
    monitor.write_settings()
    monitor.start_program("--check")
    assert monitor.wait() == 1
    monitor.child = None
    return monitor.log()


def test_a_second_monitor_on_the_same_data_folder_is_refused(world):
    """G3: whoever holds the store goes on as before, though the other wants no runners."""
    monitor = world.begin({"linux": profile(2)}, monitor_reserve_timeout=300, reserve_timeout_max=600)
    unique_id, runner = reserve(monitor)
    deadline = monitor.reservation(unique_id).json()["deadline"]
    wait_until_settled(world, 2)
    guests, runners = world.libvirt.guests(), monitor.runners().keys()
    second = Monitor(world.folder / "second", world.github.url, world.libvirt.uri, {"linux": profile(0)})
    second.data = monitor.data
    said = refused(world, second)
    assert f"in use by process {monitor.pid}" in said
    assert monitor.http.get("/readyz").status == 200
    check_nothing_lost(world, unique_id, runner, deadline)
    assert all(guests.values()) and world.libvirt.guests() == guests and monitor.runners().keys() == runners
    job = world.github.queue_job(f"reserved-for:{unique_id}")
    assert world.github.wait_for_job(job["id"])["conclusion"] == "success"


def test_a_second_monitor_on_the_same_images_folder_is_refused(world):
    """It would delete the disks of the first one's runners, which its own store does not know."""
    monitor = world.begin({"linux": profile(0)})
    second = Monitor(world.folder / "second", world.github.url, world.libvirt.uri, {"linux": profile(0)})
    images = second.settings["images_path"] = monitor.settings["images_path"]
    assert f"the images folder {images} is in use by another process" in refused(world, second)
    assert not second.data.exists(), "it left something although it did not start"
    monitor.kill()
    second.begin()
    second.wait_ready()
    second.stop()


def test_check_tells_of_folders_with_the_modes_that_they_need(world):
    monitor = world.begin({"linux": profile(0)})
    monitor.stop()
    os.chown(monitor.folder / ".env", NOBODY, NOBODY)
    world.folder.chmod(0o711)
    told = lines_of_check(monitor, NOBODY)
    make = f"      mend: install -d -m {{}} -o {NOBODY} {{}}"
    assert wrong(told, "data folder")[1] == make.format("0700", monitor.data)
    assert wrong(told, "images folder")[1] == make.format("0711", monitor.settings["images_path"])


def test_a_damaged_store_is_refused_and_kept(world):
    monitor = world.begin({"linux": profile(0)})
    monitor.stop()
    store = monitor.data / "monitor.db"
    damaged = b"x" * 5000
    store.write_bytes(damaged)
    assert "is damaged" in refused(world, monitor)
    assert store.read_bytes() == damaged


def test_sigterm_ends_it_within_ten_seconds_and_leaves_the_guests_running(world):
    monitor = world.begin({"linux": profile(2)})
    monitor.wait_for_runners("linux", 2)
    guests = world.libvirt.guests()
    assert len(guests) == 2 and all(guests.values())
    begin = time.monotonic()
    monitor.stop()
    assert time.monotonic() - begin < 10
    assert world.libvirt.guests() == guests


def test_the_store_is_for_its_owner_alone(world):
    """G9"""
    monitor = world.begin({"linux": profile(1)})
    monitor.wait_for_runners("linux", 1)
    assert os.stat(monitor.data).st_mode & 0o777 == 0o700
    for name in ("monitor.db", "monitor.db-wal", "monitor.lock"):
        assert os.stat(monitor.data / name).st_mode & 0o777 == 0o600
    last = int((monitor.data / "last-runner-id").read_text())
    assert last >= max(monitor.runners())


def test_a_guest_filter_that_does_not_exist_is_refused_with_what_mends_it(world):
    monitor = world.begin({"linux": profile(0)})
    monitor.stop()
    monitor.settings["guest_filter"] = "clean-traffic"  # libvirt's test driver has no filters at all
    said = refused(world, monitor)
    assert "there is no network filter clean-traffic" in said and "nwfilter" in said
    assert "WRONG guest_filter" in checked(monitor)


def test_a_check_in_a_working_folder_that_is_gone_says_so(world):
    monitor = world.begin({"linux": profile(0)})
    monitor.stop()
    monitor.data = "./data"  # the default
    monitor.enter = ["sh", "-c", 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', "sh"]
    assert "WRONG data folder ./data: the working folder is gone\n" in checked(monitor)
    assert "not started: can't make the data folder ./data" in refused(world, monitor)
    monitor.more_env["IMAGE_DEPS_DIR"] = "deps"
    assert "IMAGE_DEPS_DIR: expected an absolute path: the working folder is gone" in refused(world, monitor)


def lines_of_check(monitor, user=None, *arguments):
    """What --check says, as that user, line by line."""
    monitor.write_settings()
    if user:
        # The tree may lie in a folder that is closed to that user.
        program = monitor.folder / "ci-monitor"
        if not program.exists():
            shutil.copy(monitor.program, program)
        monitor.program = program
        monitor.enter = ["setpriv", "--reuid", str(user), "--clear-groups", "--"]
    begin = len(monitor.log())
    monitor.start_program("--check", *arguments)
    monitor.wait()
    monitor.child = None
    return monitor.log()[begin:].splitlines()


def wrong(told, what):
    """The line that says that it is wrong, and the one that mends it."""
    (line,) = [number for number, line in enumerate(told) if line.startswith(f"WRONG {what}")]
    return told[line], told[line + 1]


def test_check_tries_the_files_that_profiles_name(world):
    monitor = world.begin({"linux": profile(0)})
    monitor.stop()
    deps = monitor.folder / "deps"
    deps.mkdir()
    monitor.more_env["IMAGE_DEPS_DIR"] = deps
    image = {"begins_with": {"file": "base.raw"}, "cdroms": {"sdb": "drivers.iso", "sdc": "folder"}}
    monitor.profiles = {"built": built_profile(1, image=image), "asleep": built_profile(0, image=image),
                        "cloned": built_profile(1, image={"begins_with": {"guest": "clean"}})}
    (deps / "base.raw").write_bytes(b"x")
    (deps / "folder").mkdir()
    told = lines_of_check(monitor)
    assert f"ok    begins_with of profile built: {deps}/base.raw" in told
    assert f"cdroms.sdb of profile built: {deps}/drivers.iso: No such file" in wrong(told, "cdroms.sdb")[0]
    assert "not a file" in wrong(told, "cdroms.sdc")[0]
    assert "guest clean of profile cloned" in wrong(told, "begins_with")[0]
    assert not any("asleep:" in line for line in told), "without a target, no image is built of them"


def test_check_tries_files_and_folders_as_its_user(world):
    monitor = world.begin({"linux": profile(0)})
    monitor.stop()
    monitor.profiles = {"built": built_profile(1)}
    deps, repository = monitor.folder / "deps", monitor.folder / "repository"
    for folder in (deps, repository):
        folder.mkdir()
        folder.chmod(0o744)  # to be listed, not entered
    monitor.more_env["IMAGE_DEPS_DIR"] = deps
    monitor.settings["main_repo_path"] = str(repository)
    monitor.write_settings()
    (monitor.folder / "profiles" / "built" / "user-data").chmod(0)
    os.chown(monitor.folder / ".env", NOBODY, NOBODY)
    world.folder.chmod(0o711)
    told = lines_of_check(monitor, NOBODY)
    for what in ("image files", "repository", "user-data of profile built"):
        assert "Permission denied" in wrong(told, what)[0]
    for _, mend in (wrong(told, "image files"), wrong(told, "user-data of profile built")):
        subprocess.run(["sh", "-c", mend.partition("mend: ")[2]], check=True, timeout=60)
    told = lines_of_check(monitor, NOBODY)
    assert f"ok    image files {deps}" in told
    assert f"ok    user-data of profile built: {monitor.folder}/profiles/built/user-data" in told


def test_check_tells_the_folder_that_keeps_its_user_from_what_is_below_it(world):
    monitor = world.begin({"linux": profile(0)})
    monitor.stop()
    deps = monitor.folder / "closed" / "deps"
    deps.mkdir(parents=True)
    deps.parent.chmod(0o700)
    monitor.more_env["IMAGE_DEPS_DIR"] = deps
    monitor.write_settings()
    os.chown(monitor.folder / ".env", NOBODY, NOBODY)
    world.folder.chmod(0o711)
    told, mend = wrong(lines_of_check(monitor, NOBODY), "image files")
    assert "Permission denied" in told and mend == f"      mend: chmod a+x {deps.parent}"
    subprocess.run(["sh", "-c", mend.partition("mend: ")[2]], check=True, timeout=60)
    assert f"ok    image files {deps}" in lines_of_check(monitor, NOBODY)


def test_check_gives_commands_for_what_is_not_there(world):
    monitor = world.begin({"linux": profile(0)})
    monitor.stop()
    deps, repository = monitor.folder / "deps", monitor.folder / "repository"
    monitor.more_env["IMAGE_DEPS_DIR"] = deps
    monitor.settings["main_repo_path"] = str(repository)
    told = lines_of_check(monitor)
    assert wrong(told, "image files")[1] == f"      mend: install -d -m 0755 -o {os.geteuid()} {deps}"
    assert wrong(told, "repository")[1] == f"      mend: git clone <its URL> {repository}"
    deps.touch()
    monitor.profiles = {"built": built_profile(1, image={"begins_with": {"file": "base.raw"}})}
    repository.mkdir()
    told = lines_of_check(monitor)
    assert wrong(told, "image files")[1] == f"      mend: mv {deps} {deps}.old; install -d -m 0755 -o {os.geteuid()} {deps}"
    deps.unlink()
    deps.mkdir()
    mend = f"install -m 0644 -o {os.geteuid()} <the file> {deps}/base.raw"
    assert wrong(lines_of_check(monitor), "begins_with")[1] == f"      mend: {mend}"


def test_check_tries_to_write_where_git_does(world):
    """Only where the checkout is to be kept up to date."""
    monitor = world.begin({"linux": profile(0)})
    monitor.stop()
    repository = monitor.folder / "repository"
    (repository / ".git").mkdir(parents=True)
    monitor.settings["main_repo_path"] = str(repository)
    monitor.write_settings()
    os.chown(monitor.folder / ".env", NOBODY, NOBODY)
    world.folder.chmod(0o711)
    mend = f"      mend: chown -R {NOBODY} {repository}"
    told = wrong(lines_of_check(monitor, NOBODY), "repository")
    assert told == (f"WRONG repository {repository}: Permission denied; git writes there to bring it up to date", mend)
    os.chown(repository, NOBODY, NOBODY)  # but not what is in it
    told = wrong(lines_of_check(monitor, NOBODY), "repository")
    assert told == (f"WRONG repository {repository}/.git: Permission denied; git writes there to bring it up to date", mend)
    monitor.settings["dont_update_cached_servo_repo"] = True
    assert f"ok    repository {repository}" in lines_of_check(monitor, NOBODY)
    monitor.settings["dont_update_cached_servo_repo"] = False
    os.chown(repository / ".git", NOBODY, NOBODY)
    assert f"ok    repository {repository}" in lines_of_check(monitor, NOBODY)


@pytest.mark.parametrize("name", ["base", "runner", "base/linux"])
def test_check_tries_the_folders_of_disks_that_an_older_monitor_left(world, name):
    monitor = world.begin({"linux": profile(0)})
    monitor.stop()
    images = Path(monitor.settings["images_path"])
    for folder in (images, images / "base", images / "base" / "linux", images / "runner"):
        folder.mkdir(exist_ok=True)
        os.chown(folder, NOBODY, NOBODY)
    os.chown(images / name, 0, 0)
    os.chown(monitor.folder / ".env", NOBODY, NOBODY)
    world.folder.chmod(0o711)
    told, mend = wrong(lines_of_check(monitor, NOBODY), "folder of disks")
    assert told == f"WRONG folder of disks {images / name}: Permission denied"
    assert mend == f"      mend: install -d -m 0711 -o {NOBODY} {images / name}"
    subprocess.run(["sh", "-c", mend.partition("mend: ")[2]], check=True, timeout=60)
    told = lines_of_check(monitor, NOBODY)
    assert f"ok    folder of disks {images / name}" in told


@pytest.mark.parametrize("name", ["runners", "profiles"])
def test_check_tells_how_to_read_what_an_older_monitor_left(world, name):
    monitor = world.begin({"linux": profile(0)})
    monitor.stop()
    left = monitor.data / name
    left.mkdir(exist_ok=True)
    left.chmod(0o700)
    os.chown(left, 0, 0)
    os.chown(monitor.data, NOBODY, NOBODY)
    monitor.write_settings()
    os.chown(monitor.folder / ".env", NOBODY, NOBODY)
    world.folder.chmod(0o711)
    world.libvirt.folder.chmod(0o711)
    (world.libvirt.folder / "libvirt-sock").chmod(0o666)
    told, mend = wrong(lines_of_check(monitor, NOBODY, "--adopt"), "--adopt")
    assert f"can't list {left}: Permission denied" in told and mend == f"      mend: chown -R {NOBODY} {left}"
    subprocess.run(["sh", "-c", mend.partition("mend: ")[2]], check=True, timeout=60)
    assert not [line for line in lines_of_check(monitor, NOBODY, "--adopt") if line.startswith("WRONG --adopt")]


def test_check_names_the_guests_network_where_its_address_is_not_there(world):
    monitor = world.begin({"linux": profile(0)})
    monitor.stop()
    # A network for documentation: no host has an address of it.
    monitor.settings.update(guest_network="192.0.2.0/24", listen_on=["127.0.0.1", "192.0.2.1"])
    told = lines_of_check(monitor)
    assert "Cannot assign requested address" in wrong(told, "address 192.0.2.1")[0]
    assert "net-start" in wrong(told, "address 192.0.2.1")[1]
    monitor.settings.update(listen_on=["127.0.0.1", "198.51.100.1"])
    told = lines_of_check(monitor)
    assert "ip address show" in wrong(told, "address 198.51.100.1")[1]
    assert [line for line in told if "listen_on: no address in guest_network (192.0.2.0/24)" in line]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_secrets_that_others_may_read_or_change_are_complained_of(world, mode):
    monitor = world.begin({"linux": profile(0)})
    monitor.stop()
    env = monitor.folder / ".env"
    complaint = f"{env}: others may read or change it"
    assert complaint not in monitor.log() and f"ok    secrets {env}" in lines_of_check(monitor)
    env.chmod(mode)
    told = lines_of_check(monitor)
    assert wrong(told, "secrets") == (f"WRONG secrets {complaint}", f"      mend: chmod 600 {env}")
    monitor.begin()
    assert f"{complaint}: chmod 600 {env}" in monitor.log()


def test_secrets_of_another_user_may_be_read_by_the_group(world):
    """A file of root's that the service reads by its group: chmod 600 would lock the service out."""
    monitor = world.begin({"linux": profile(0)})
    monitor.stop()
    env = monitor.folder / ".env"
    os.chown(env, NOBODY, 0)
    env.chmod(0o640)
    assert f"ok    secrets {env}" in lines_of_check(monitor)
    env.chmod(0o664)
    assert wrong(lines_of_check(monitor), "secrets")[1] == f"      mend: chmod g-w,o= {env}"


class Systemd:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(20)
        self.address = str(path)

    def wait_for(self, word):
        """What else came before it."""
        before = []
        while True:
            words = self.socket.recv(4096).decode().splitlines()
            if word in words:
                return before
            before += words


def test_systemd_is_told_of_readiness_watchdog_reloading_and_the_end(world):
    systemd = Systemd(world.folder / "notify")
    monitor = world.begin({"linux": profile(0)}, environment={"NOTIFY_SOCKET": systemd.address})
    systemd.wait_for("READY=1")
    assert monitor.http.get("/readyz").status == 200
    systemd.wait_for("WATCHDOG=1")
    monitor.signal(signal.SIGHUP)
    assert "READY=1" not in systemd.wait_for("RELOADING=1")
    systemd.wait_for("READY=1")
    monitor.signal(signal.SIGTERM)
    systemd.wait_for("STOPPING=1")
    assert monitor.wait() == 0
    monitor.child = None
    systemd.socket.close()


def test_a_log_that_nobody_reads_holds_up_nothing(world):
    """G10: takes, guests and the end go on."""
    monitor = world.begin({"linux": profile(2)})
    monitor.wait_for_runners("linux", 2)
    monitor.stop()
    reader, monitor.output = os.pipe()
    try:
        fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
        monitor.begin().wait_ready()
        assert monitor.take("linux").status == 200
        monitor.wait_for_runners("linux", 2)  # another one was made, booted, and fetched its config
        monitor.signal(signal.SIGTERM)
        assert monitor.wait(10.0) == 0
        assert b"level=info event=" in os.read(reader, 4096)  # what it began with had room there
    finally:
        os.close(reader)
        os.close(monitor.output)
        monitor.output = monitor.child = None
