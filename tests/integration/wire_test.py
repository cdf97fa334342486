"""What holds of every endpoint alike: methods, headers, ids, the order of the checks, limits by source, operators' views."""

import re
import subprocess
import uuid

from answers_test import GUEST, PROXY, SAMPLES, ask, bearer, check
from harness import binary, wait_until
from monitor import API_TOKEN, REPOSITORY, built_profile, profile

SOME_ID = "0f0e0d0c-0b0a-4908-8706-050403020100"
TAKE = f"unique_id={SOME_ID}&qualified_repo={REPOSITORY}&run_id=7"
# Good parameters of each endpoint that has any, and what is wrong with others: (what, the parameters named as wrong).
PARAMETERS = {
    ("POST", "/profile/linux/take"): (TAKE, [
        ("", {"unique_id", "qualified_repo", "run_id"}), (f"{TAKE}&run_id=7", {"run_id"}),
        (f"{TAKE}&unique_id={SOME_ID}", {"unique_id"}),
        (TAKE.replace("-4908-", "-1908-"), {"unique_id"}), (TAKE.replace("octo-org/", "octo--org/"), {"qualified_repo"}),
        (TAKE.replace("/octo-repo", "/.."), {"qualified_repo"}), (TAKE.replace("run_id=7", "run_id=07"), {"run_id"}),
        (TAKE.replace("run_id=7", "run_id=9223372036854775808"), {"run_id"}), (TAKE.replace("run_id=7", "run_id=%ff"), {"run_id"}),
        (f"{TAKE}&minimum=2", {"minimum"})]),
    ("POST", "/profile/linux/take/20"): (f"{TAKE}&minimum=20", [
        (f"{TAKE}&minimum=21", {"minimum"}), (f"{TAKE}&minimum=0", {"minimum"}), (f"{TAKE}&minimum=1&minimum=1", {"minimum"})]),
    ("POST", "/profile/linux/take/21"): (None, [(TAKE, {"count"})]),
    ("POST", "/profile/linux/take/0"): (None, [(TAKE, {"count"})]),
    ("POST", "/profile/linux/take/x"): (None, [("run_id=7", {"count", "unique_id", "qualified_repo"})]),
    ("POST", "/select-runner"): (None, [
        ("", {"unique_id", "qualified_repo", "run_id"}), (f"{TAKE}&qualified_repo=a/b", {"qualified_repo"})]),
    ("GET", f"/reservation/{SOME_ID}1"): (None, [("", {"unique_id"})]),
    ("DELETE", f"/reservation/{SOME_ID}1"): (None, [("", {"unique_id"})]),
    ("POST", "/policy/override"): (None, [
        ("", {"<profile_key>"}), ("linux=1&linux=2", {"linux"}), ("linux=10001", {"linux"}), ("linux=-1", {"linux"}),
        ("linux=", {"linux"})]),
    ("GET", "/policy/explain"): ("linux=10000", [("", {"<profile_key>"}), ("linux=1&linux=1", {"linux"}), ("linux=x", {"linux"})]),
    ("POST", "/runner/01/destroy"): (None, [("", {"runner_id"})]),
    ("GET", "/runner/x/screenshot"): (None, [("", {"runner_id"})]),
    ("GET", "/runner/0/screenshot.png"): (None, [("", {"runner_id"})]),
    ("GET", "/runner/-1/screenshot/now"): (None, [("", {"runner_id"})]),
    ("GET", "/history.json"): ("limit=1&since=2026-01-01T00:00:00Z", [("limit=1&limit=1", {"limit"}), ("since=now", {"since"})]),
    ("GET", "/usage.json"): ("hours=720", [("hours=721", {"hours"}), ("until=2026-01-01", {"until"})]),
}
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def methods_by_path(monitor):
    """A target of each path -> (its methods, whether it is for guests alone)."""
    found = {}
    for path, methods in monitor.http.get("/openapi.json").json()["paths"].items():
        target = re.sub(r"\{([^}]*)\}", lambda name: SAMPLES.get(name[1]) or SOME_ID, path)
        responses = next(iter(methods.values()))["responses"]
        for_guests = "is no guest" in responses.get("404", {}).get("description", "")
        found[target] = ({method.upper() for method in methods}, for_guests)
    assert sum(for_guests for _, for_guests in found.values()) == 4
    return found


def test_every_path_knows_its_methods_and_every_answer_its_headers(world):
    monitor = world.begin({"linux": profile(0)})
    for target, (methods, for_guests) in methods_by_path(monitor).items():
        source = GUEST if for_guests else None
        allowed = methods | ({"HEAD"} if "GET" in methods else set())
        for method in {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"} - allowed:
            answer = ask(monitor, method, target, source=source, headers=bearer(API_TOKEN))
            assert answer.status == 405, f"{method} {target}: {answer!r}"
            assert set(answer.headers["Allow"].split(", ")) == allowed, f"{method} {target}"
        if "GET" in methods:
            got = ask(monitor, "GET", target, source=source, headers=bearer(API_TOKEN))
            head = ask(monitor, "HEAD", target, source=source, headers=bearer(API_TOKEN))
            assert (head.status, head.body) == (got.status, b""), target
            for name in ("Content-Type", "Cache-Control", "ETag", "Retry-After", "Location"):
                assert head.headers[name] == got.headers[name], f"{name} of {target}"
            if target not in ("/metrics", "/readyz", "/usage.json"):  # these differ from one moment to the next
                assert head.headers["Content-Length"] == got.headers["Content-Length"], target
        method = next(iter(methods))
        for given, taken_over in (("my.id_1-A", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("", False)):
            answer = ask(monitor, method, target, source=source, headers=[("X-Request-Id", given)])
            assert REQUEST_ID.fullmatch(answer.headers["X-Request-Id"])
            assert (answer.headers["X-Request-Id"] == given) == taken_over, target
            assert answer.headers["Date"].endswith(" GMT") and answer.headers["Cache-Control"]
        assert ask(monitor, "GET", f"{target.upper()}X", source=source).status == 404  # with case


def test_parameters_that_are_wrong_are_named_and_those_unknown_ignored(world):
    monitor = world.begin({"linux": profile(0)})
    for (method, path), (good, bad) in PARAMETERS.items():
        for query, wrong in bad:
            answer = ask(monitor, method, f"{path}?{query}", headers=bearer(API_TOKEN))
            assert answer.status == 400, f"{method} {path}?{query}: {answer!r}"
            problem = answer.json()
            assert {error["parameter"] for error in problem["errors"]} == wrong, f"{method} {path}?{query}"
            assert problem["instance"] == path and all(error["reason"] for error in problem["errors"])
        if good:
            unknown = "" if path.startswith("/policy") else "&other=%zz&another=1&another=2"
            assert check(monitor, method, f"{path}?{good}{unknown}", 200, headers=bearer(API_TOKEN))


def test_a_request_can_be_followed_through_the_log(world):
    monitor = world.begin({"linux": profile(2)})
    runner_id = max(monitor.wait_for_runners("linux", 2))
    for name, method, path in (("the-take", "POST", f"/profile/linux/take?{TAKE}"), ("the-pause", "POST", "/profile/linux/pause"),
                               ("the-null", "POST", f"/profile/linux/take?{TAKE}".replace("7", "8")),
                               ("the-release", "DELETE", f"/reservation/{SOME_ID}"),
                               ("the-end", "POST", f"/runner/{runner_id}/destroy")):
        ask(monitor, method, path, headers=[("X-Request-Id", name), *bearer(API_TOKEN)])

    def lines(name):
        return {line.partition("event=")[2].partition(" ")[0] for line in monitor.log().splitlines()
                if line.endswith(f" request_id={name}") or f" request_id={name} " in line}
    wait_until("all are told", lambda: "served" in lines("the-end"))
    assert lines("the-take") == {"taken_up", "reserved", "granted", "served"}
    assert lines("the-release") == {"taken_up", "unreserved", "reservation_ended", "served"}
    assert lines("the-pause") == {"taken_up", "profile_paused", "served"}


def test_the_token_comes_before_the_syntax_and_that_before_the_profile(world):
    monitor = world.begin({"linux": profile(0)})
    for method, path, syntax, unknown in (
            ("POST", "/profile/{}/take", "?run_id=x", f"?{TAKE}"), ("POST", "/profile/{}/take/1", "?run_id=x", f"?{TAKE}"),
            ("POST", "/profile/{}/pause", None, ""), ("POST", "/profile/{}/resume", None, ""),
            ("POST", "/profile/{}/rebuild", None, ""),
            ("POST", "/policy/override", "?{}=x", "?{}=1"), ("POST", "/runner/{}/destroy", "", None),
            ("GET", "/reservation/{}", "", None), ("DELETE", "/reservation/{}", "", None)):
        wrong = (path + (syntax if syntax is not None else unknown)).format("nobody")
        assert ask(monitor, method, wrong).status == 401, wrong
        assert ask(monitor, method, wrong).headers["WWW-Authenticate"] == "Bearer"
        assert ask(monitor, method, wrong, headers=[("Authorization", f"Basic {API_TOKEN}")]).status == 401
        assert ask(monitor, method, wrong, headers=bearer("wrong")).status == 403, wrong
        assert ask(monitor, method, wrong, headers=bearer(API_TOKEN) * 2).status == 401, "two of them"
        if syntax is not None:
            assert ask(monitor, method, wrong, headers=bearer(API_TOKEN)).status == 400, wrong
        if unknown is not None:
            assert ask(monitor, method, (path + unknown).format("nobody"), headers=bearer(API_TOKEN)).status == 404, path
    assert ask(monitor, "DELETE", "/policy/override").status == 401
    assert ask(monitor, "DELETE", "/policy/override", headers=bearer("wrong")).status == 403
    assert ask(monitor, "DELETE", f"/reservation/{SOME_ID}", headers=bearer(API_TOKEN)).status == 404
    assert ask(monitor, "POST", "/runner/1/destroy", headers=bearer(API_TOKEN)).status == 404


def test_selects_without_a_token_are_rationed_by_source(world):
    """IPv6 by /64; only a trusted proxy says who asks; who shows the token is not rationed."""
    monitor = world.begin({"linux": profile(0)}, trusted_proxies=[PROXY], tokenless_selects_per_minute=3)

    def status(real_ip, source=PROXY, headers=()):
        answer = ask(monitor, "POST", f"/select-runner?{TAKE}".replace(SOME_ID, str(uuid.uuid4())), source=source,
                     headers=[("X-Real-IP", real_ip), *headers])
        assert answer.status != 429 or 1 <= int(answer.headers["Retry-After"]) <= 60
        return answer.status
    one_network = ("2001:db8::1", "2001:db8::2", "2001:db8::ffff:1", "2001:db8::4")
    assert [status(address) for address in one_network] == [403, 403, 403, 429]
    assert status("2001:db8:0:1::1") == 403  # another /64
    assert [status("198.51.100.7") for _ in range(3)] == [403] * 3
    assert status("198.51.100.7") == status("::ffff:198.51.100.7") == 429  # the same, mapped
    assert status("198.51.100.8") == 403
    assert status("198.51.100.7", headers=bearer(API_TOKEN)) == 403
    # A direct peer is itself, whatever it says.
    assert [status(f"198.51.100.{n}", source=None) for n in range(9, 13)] == [403, 403, 403, 429]


def test_readyz_says_who_is_behind_and_is_ready_all_the_same(world):
    monitor = world.begin({"linux": profile(1)})
    monitor.wait_for_runners("linux", 1)
    parties = ("github", "libvirt", "store", "monitor")

    def ready():
        answer = monitor.http.get("/readyz")
        assert answer.status == 200, answer
        return answer.json()
    assert all(ready()[party]["well"] for party in parties) and ready()["monitor"]["last_crank_age"] < 30
    world.github.kill()
    behind = wait_until("GitHub is behind", lambda: (now := ready())["github"]["well"] is False and now)
    assert behind["github"]["trouble"] and behind["github"]["since"] and behind["libvirt"]["well"]
    world.github.begin()
    wait_until("GitHub is well", lambda: ready()["github"]["well"])
    world.libvirt.kill()
    behind = wait_until("libvirt is behind", lambda: (now := ready())["libvirt"]["well"] is False and now)
    assert behind["libvirt"]["trouble"] and behind["libvirt"]["since"] and behind["store"]["well"]


def test_check_warns_of_pictures_that_anyone_may_see(world):
    monitor = world.begin({"linux": profile(0)})
    monitor.stop()
    for public in (True, False):
        monitor.settings.update(public_screenshots=public, port=0)
        monitor.write_settings()
        done = subprocess.run([binary("CI_MONITOR", "ci-monitor"), "--config", str(monitor.folder / "monitor.toml"), "--env",
                               str(monitor.folder / ".env"), "--check"], capture_output=True, text=True, timeout=60, check=False)
        assert ("pictures of guests may show secrets" in done.stdout) == public, done


def series(monitor):
    """Every series of /metrics: its name and labels, without the bounds of histograms."""
    found = set()
    for line in monitor.http.get("/metrics").body.decode().splitlines():
        if line and not line.startswith("#"):
            found.add(re.sub(r',?le="[^"]*"', "", line.rpartition(" ")[0]))
    return found


def test_metrics_hold_all_that_is_promised_and_no_more_with_every_job(world):
    """Labels are bounded: no runner id, no unique id, no repository."""
    monitor = world.begin({"linux": built_profile(2)})
    monitor.wait_for_runners("linux", 2)
    ids = []

    def work(times):
        for _ in range(times):
            ids.append(str(uuid.uuid4()))
            taken = monitor.take("linux", ids[-1]).json()["id"]
            job = world.github.queue_job(f"reserved-for:{ids[-1]}", seconds=0.2)
            world.github.wait_for_job(job["id"])
            wait_until("replaced", lambda runner=taken: runner not in monitor.runners()
                       and len(monitor.runners("linux", "Idle")) == 2)
            monitor.http.get(f"/reservation/{ids[-1]}")
            monitor.http.get(f"/runner/{taken}/screenshot")
            monitor.http.get(f"/nothing/{ids[-1]}")
    work(2)
    wait_until("the first have gone", lambda: monitor.reservation(ids[0]).json()["state"] == "finished")
    before = series(monitor)
    work(3)
    after = series(monitor)
    # What happens for the first time by chance is bounded by the words that the labels may have.
    words = {re.sub(r'"[^"]*"', '""', one) for one in after - before}
    assert len(after - before) <= 10 and words <= {re.sub(r'"[^"]*"', '""', one) for one in before}, after - before
    text = "\n".join(after)
    assert not any(one in text for one in ids) and "octo" not in text and "ci-runner" not in text
    families = {one.partition("{")[0] for one in after}
    for family in ("actor_mailbox_depth", "actor_messages_total", "actor_handling_seconds_total", "actor_restarts_total", "runners",
                   "takes_total", "github_calls_total", "github_call_seconds_count", "github_rate_limit_remaining",
                   "libvirt_calls_total", "libvirt_call_seconds_count", "image_age_seconds", "image_builds_total",
                   "http_requests_total", "http_request_seconds_count", "build_info"):
        assert f"ci_monitor_{family}" in families, (family, sorted(families))
