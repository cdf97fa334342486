"""Guests that ask for what is not theirs, by header, path or address; paths that try to lead elsewhere."""

import base64
import json

from attack import Attackers, attacked
from harness import Http, wait_until
from monitor import API_TOKEN, Monitor, profile

STRANGER = "127.64.200.200"  # in the guest network, and nobody's lease

CLAIMS = ["X-Real-IP", "X-Forwarded-For", "X-Client-IP", "X-Remote-Addr", "True-Client-IP", "CF-Connecting-IP", "X-Originating-IP",
          "X-Cluster-Client-IP", "Client-IP", "X_Real_IP"]


def runner_named_in(jit_config):
    files = json.loads(base64.b64decode(jit_config))
    return json.loads(base64.b64decode(files[".runner"]))["agentName"]


def test_a_guest_gets_its_own_secrets_and_nobody_elses(world):
    monitor = world.begin({"linux": profile(2)}, guests={"hang_at": "boot"}, monitor_start_timeout=300)
    found = wait_until("two guests with addresses", lambda: [runner for runner in monitor.runners().values() if runner["ipv4_address"]]
                       if sum(bool(runner["ipv4_address"]) for runner in monitor.runners().values()) == 2 else None)
    victim, thief = (runner["ipv4_address"] for runner in found)
    attempts = [{name: victim} for name in CLAIMS]
    attempts += [{"Forwarded": f"for={victim}"}, {"Host": victim}, {"X-Forwarded-For": f"{victim}, 127.0.0.1"},
                 {"X-Real-IP": victim, "Authorization": f"Bearer {API_TOKEN}"}, {"Via": f"1.1 {victim}"}]
    nobody = Http(monitor.base_url, source=STRANGER)
    with attacked(monitor, "guests that ask for others' secrets"):
        for headers in attempts:
            for path in ("/github-jitconfig", "/boot"):
                assert nobody.get(path, headers=headers).status == 503, (path, headers)  # no guest by that address
        for path in (f"/github-jitconfig?ip={victim}", f"/github-jitconfig/{victim}", f"/boot?address={victim}", f"http://{victim}/boot",
                     "/runner/1/jitconfig", "/data/monitor.db", "/.env", "/monitor.toml"):
            answer = Attackers(monitor).say(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode(), STRANGER)
            assert answer[9:12] in (b"404", b"503", b"400"), (path, answer[:200])
        # From outside of the guest network these paths do not exist, whoever is named.
        for headers in attempts:
            for path in ("/github-jitconfig", "/boot", "/image-deps/x", "/cache/servo/x"):
                assert monitor.http.get(path, headers=headers).status == 404, (path, headers)
        # Nor does anything but theirs exist for guests.
        for path in ("/", "/dashboard.json", "/metrics", "/readyz", "/openapi.json", "/runner/1/screenshot.png", "/policy/override"):
            for headers in ({}, {"X-Real-IP": "127.0.0.1"}, {"Authorization": f"Bearer {API_TOKEN}"}):
                assert nobody.get(path, headers=headers).status == 404, (path, headers)
        assert nobody.post("/profile/linux/take", headers={"Authorization": f"Bearer {API_TOKEN}"}).status == 404

    def own(address):
        def fetched():
            answer = Http(monitor.base_url, source=address).get("/github-jitconfig", headers={"X-Real-IP": victim})
            return json.loads(answer.body) if answer.status == 200 else None
        return runner_named_in(wait_until(f"the JIT config of {address}", fetched))
    guest_at = {world.libvirt.address(guest): guest for guest in world.libvirt.guests()}  # libvirt's word, not the daemon's
    with attacked(monitor, "a guest that asks for its neighbour's secrets"):
        assert own(thief) == f"{guest_at[thief]}@ci0"
        given = []
        for headers in attempts:
            answer = Http(monitor.base_url, source=thief).get("/github-jitconfig", headers=headers)
            assert answer.status in (200, 410, 503), (headers, answer)
            given += [runner_named_in(answer.json())] if answer.status == 200 else []
            assert Http(monitor.base_url, source=thief).get("/boot", headers=headers).status in (200, 503), headers
        assert given and set(given) == {f"{guest_at[thief]}@ci0"}
        # It has used up what is its own, and nothing of its neighbour's.
        assert own(victim) == f"{guest_at[victim]}@ci0"


def test_no_spelling_of_a_path_leads_out_of_the_folders(world, tmp_path):
    for folder in ("repo", "deps"):
        (tmp_path / folder / "a").mkdir(parents=True)
        (tmp_path / folder / "a" / "file").write_text("inside")
        (tmp_path / folder / "out").symlink_to("../secret")
        (tmp_path / folder / "up").symlink_to("..")
        (tmp_path / folder / "root").symlink_to("/")
    (tmp_path / "secret").write_text("SECRET")
    world.github.begin()
    world.libvirt.begin()
    world.monitor = monitor = Monitor(world.folder / "monitor", world.github.url, world.libvirt.uri, {"linux": profile(0)},
                                      main_repo_path=str(tmp_path / "repo"))
    world.libvirt.define_template("linux", monitor.settings["images_path"])
    monitor.environment["IMAGE_DEPS_DIR"] = str(tmp_path / "deps")
    monitor.begin().wait_ready()
    spellings = ["..", "%2e%2e", "%2E%2e", ".%2e", "%2e.", "..%00", "%00..", "..%2f", "..%5c", "%252e%252e", "..;", "....//", "%c0%ae%c0%ae",
                 "%uff0e%uff0e", "..%c0%af", "..\\", "%e0%80%ae.", "a/..", "a/%2e%2e", "/..", "./..", "%2f..", "a//.."]
    with attacked(monitor, "encoded traversal") as attackers:
        def fetch(path):
            return attackers.say(b"GET " + path.encode("latin-1") + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", STRANGER)
        for root in ("/cache/servo/", "/image-deps/"):
            assert fetch(root + "a/file").endswith(b"inside")
            for spelling in spellings:
                for tail in ("/secret", "/../secret", "/../../../../../../etc/passwd", "%2fsecret", "/monitor/data/monitor.db"):
                    answer = fetch(root + spelling + tail)
                    assert answer[9:12] in (b"400", b"404", b""), (spelling, tail, answer[:100])
                    assert b"SECRET" not in answer and b"root:" not in answer
        for link in ("out", "up/secret", "root/etc/passwd", "up/repo/a/file"):
            assert fetch("/cache/servo/" + link)[9:12] == b"404", link
        assert fetch("/image-deps/out").endswith(b"SECRET")  # the operator's own link
