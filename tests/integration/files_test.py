"""Files for guests, as real clients fetch them: git clones, curl resumes, and one reads very slowly."""

import os
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

from harness import Http, sanitized, wait_until
from monitor import Monitor, profile
from private_disk import PrivateDisk

GUEST = "127.64.0.9"  # an address in the tests' guest network


def forward(address, port):
    """A port on loopback behind which everything comes from a guest's address, for clients that cannot choose theirs."""
    door = socket.create_server(("127.0.0.1", 0))

    def pump(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def accept():
        while True:
            try:
                client, _ = door.accept()
            except OSError:
                return
            server = socket.create_connection((address, port), source_address=(GUEST, 0))
            for pair in ((client, server), (server, client)):
                threading.Thread(target=pump, args=pair, daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
    return door


def git(*arguments, cwd=None):
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
                   **{f"GIT_{who}_{what}": "test@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}}
    done = subprocess.run(["git", *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def make_repository(folder):
    """A checkout with loose and packed objects, ready for clients that only fetch files."""
    folder.mkdir()
    git("init", "-q", "-b", "main", cwd=folder)
    for number in range(30):
        (folder / f"file{number}").write_text(f"{number}\n" * 1000)
        git("add", ".", cwd=folder)
        git("commit", "-q", "-m", f"step {number}", cwd=folder)
        if number == 20:
            git("repack", "-a", "-d", "-q", cwd=folder)
    git("update-server-info", cwd=folder)
    return git("rev-parse", "HEAD", cwd=folder)


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(next(line for line in status if line.startswith("RssAnon:")).split()[1])


def begin(world, tmp_path):
    """A monitor that serves both folders; what it says of them is asked with a guest's address."""
    deps = tmp_path / "deps"
    deps.mkdir()
    head = make_repository(tmp_path / "repo")
    world.github.begin()
    world.libvirt.begin()
    world.monitor = Monitor(world.folder / "monitor", world.github.url, world.libvirt.uri, {"linux": profile(0)},
                            main_repo_path=str(tmp_path / "repo"))
    world.libvirt.define_template("linux", world.monitor.settings["images_path"])
    world.monitor.environment["IMAGE_DEPS_DIR"] = str(deps)
    world.monitor.begin().wait_ready()
    return world.monitor, deps, head


def test_git_clones_the_checkout_over_plain_http(world, tmp_path):
    monitor, _, head = begin(world, tmp_path)
    address, port = monitor.base_url.removeprefix("http://").split(":")
    door = forward(address, int(port))
    try:
        git("clone", "-q", f"http://127.0.0.1:{door.getsockname()[1]}/cache/servo/.git", str(tmp_path / "clone"))
    finally:
        door.close()
    assert git("rev-parse", "HEAD", cwd=tmp_path / "clone") == head
    assert (tmp_path / "clone" / "file29").read_text() == "29\n" * 1000
    git("fsck", "--strict", cwd=tmp_path / "clone")
    assert monitor.http.get("/cache/servo/.git/HEAD").status == 404  # no guest's address


def test_links_are_followed_below_image_deps_and_do_not_lead_out_of_the_checkout(world, tmp_path):
    monitor, deps, _ = begin(world, tmp_path)
    guest = Http(monitor.base_url, source=GUEST)
    (tmp_path / "elsewhere").write_text("elsewhere")
    (deps / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "repo" / "link").symlink_to("../elsewhere")
    (tmp_path / "repo" / "inner").symlink_to("file1")
    assert guest.get("/image-deps/link").body == b"elsewhere"
    assert guest.get("/cache/servo/link").status == 404
    assert guest.get("/cache/servo/inner").body == b"1\n" * 1000
    assert guest.get("/image-deps/../elsewhere").status == 404
    assert guest.get("/image-deps/%2e%2e/elsewhere").status == 404


def test_five_gigabytes_cost_no_memory_and_are_resumed(world, tmp_path):
    monitor, deps, _ = begin(world, tmp_path)
    size = 5 << 30
    with open(deps / "image", "wb") as image:
        image.truncate(size)  # a hole: no disk is filled
        image.seek(size - 5)
        image.write(b"hello")
    guest = Http(monitor.base_url, source=GUEST)
    end = guest.get("/image-deps/image", headers={"Range": f"bytes={size - 5}-"})
    assert (end.status, end.body) == (206, b"hello")
    assert end.headers["Content-Range"] == f"bytes {size - 5}-{size - 1}/{size}"
    assert guest.request("HEAD", "/image-deps/image").headers["Content-Length"] == str(size)

    before = resident_kib(monitor.pid)
    readers = []
    for _ in range(30):  # they ask for 150 GiB, and take in next to nothing
        reader = socket.create_connection((guest.address.hostname, guest.address.port), source_address=(GUEST, 0))
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        reader.sendall(b"GET /image-deps/image HTTP/1.1\r\nHost: x\r\n\r\n")
        readers.append(reader)
    for reader in readers:
        assert reader.recv(15) == b"HTTP/1.1 200 OK"
    times = sorted(monitor.http.get("/dashboard.json").seconds for _ in range(200))
    grown = resident_kib(monitor.pid) - before
    print(f"30 slow readers: {grown} KiB more, reads meanwhile p50 {times[100] * 1e3:.1f} ms, p99 {times[198] * 1e3:.1f} ms")
    # AddressSanitizer holds on to 256 MiB of what was freed; 150 GiB it is not either way.
    assert grown < (300_000 if sanitized("CI_MONITOR", "ci-monitor") else 30_000)
    for reader in readers:
        reader.close()
    wait_until("the readers' files are closed", lambda: not any(
        os.readlink(link).endswith("/deps/image") for link in map(lambda name: f"/proc/{monitor.pid}/fd/{name}",
                                                                  os.listdir(f"/proc/{monitor.pid}/fd"))
        if os.path.islink(link)))


def test_g10_a_share_that_hangs_is_told_of_and_holds_up_no_pictures(world, tmp_path):
    world.disk = PrivateDisk(world.folder / "disk", tmp_path / "deps", "0", "silent").begin()
    monitor = world.begin({"linux": profile(1)}, screenshot_interval=0.3, environment={"IMAGE_DEPS_DIR": str(tmp_path / "deps")})
    monitor.may_leave_threads = True  # those that hang
    runner_id, = monitor.wait_for_runners("linux", 1)
    guest = Http(monitor.base_url, source=GUEST)
    with ThreadPoolExecutor(8) as pool:
        hanging = [pool.submit(guest.get, "/image-deps/image") for _ in range(8)]
        for path in (f"/runner/{runner_id}/screenshot/now", f"/runner/{runner_id}/screenshot.png"):
            for _ in range(4):
                assert monitor.http.get(path).status == 200
        assert not any(answer.done() for answer in hanging)
        for answer in (answer.result() for answer in hanging):
            assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
            assert 9.5 < answer.seconds < 20
