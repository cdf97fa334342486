"""SIGHUP: settings and secrets are read again; what can change without a restart does, and a wrong file changes nothing."""

import os
import signal
from pathlib import Path

from harness import Http, sanitized, wait_until
from monitor import API_TOKEN, GITHUB_TOKEN, built_profile, profile


def reload(monitor, outcome="event=reloaded"):
    """SIGHUP, after what the test changed; waits for what the log says of it, and gives that."""
    before = len(monitor.log())
    monitor.signal(signal.SIGHUP)
    wait_until("it read its settings again", lambda: outcome in monitor.log()[before:])
    return monitor.log()[before:]


def test_targets_and_profiles_change_without_a_restart(world):
    monitor = world.begin({"linux": profile(1), "windows": profile(1), "macos": profile(0)})
    monitor.wait_for_runners("linux", 1)
    kept = monitor.wait_for_runners("windows", 1)
    monitor.take("windows")
    monitor.profiles["linux"]["target_count"] = 2
    del monitor.profiles["windows"]
    monitor.settings["policy_override_max_age"] = 1234
    monitor.write_settings()
    said = reload(monitor)
    assert "event=reloaded applied=3" in said
    monitor.wait_for_runners("linux", 2)
    # A profile that is no more gets no new runners; those that are promised go on.
    assert list(monitor.runners("windows", "Reserved")) == list(kept)
    assert monitor.take("windows").status == 404
    monitor.profiles["macos"]["target_count"] = 1
    del monitor.profiles["linux"]
    monitor.write_settings()
    reload(monitor)
    monitor.wait_for_runners("macos", 1)
    wait_until("idle runners of a profile that is no more are gone", lambda: not monitor.runners("linux"))


def test_a_wrong_file_changes_nothing_and_says_everything_that_is_wrong(world):
    monitor = world.begin({"linux": profile(1)})
    monitor.wait_for_runners("linux", 1)
    monitor.profiles["linux"]["target_count"] = -1
    monitor.settings["monitor_poll_interval"] = "soon"
    monitor.write_settings()
    said = reload(monitor, "event=reload_refused")
    assert "target_count" in said and "monitor_poll_interval" in said
    assert "event=reloaded" not in said
    assert monitor.dashboard()["profile_runner_counts"]["linux"]["target"] == 1
    # As wrong: a target that the host can't hold, a filter that libvirt does not know.
    monitor.settings["monitor_poll_interval"] = 0.5
    monitor.profiles["linux"]["target_count"] = 2000
    monitor.write_settings()
    reload(monitor, "event=reload_refused")
    monitor.profiles["linux"]["target_count"] = 2
    monitor.settings["guest_filter"] = "no-such-filter"
    monitor.write_settings()
    assert "there is no network filter no-such-filter" in reload(monitor, "event=reload_refused")
    assert monitor.dashboard()["profile_runner_counts"]["linux"]["target"] == 1
    monitor.settings["guest_filter"] = ""
    monitor.write_settings()
    reload(monitor)
    monitor.wait_for_runners("linux", 2)


def test_what_needs_a_restart_says_so_and_waits_for_it(world):
    monitor = world.begin({"linux": profile(0)})
    port = monitor.settings["port"]
    monitor.settings.update(port=1, libvirt_runner_guest_prefix="other", libvirt_uri="test:///default")
    monitor.write_settings()
    said = reload(monitor)
    for key in ("port", "libvirt_runner_guest_prefix", "libvirt_uri"):
        assert f"event=needs_restart key={key}" in said
    assert "applied=0 need_restart=3" in said
    assert monitor.http.get("/healthz").status == 200
    monitor.settings["port"] = port


def test_profiles_are_read_where_they_were_at_the_start(world):
    monitor = world.begin({"linux": built_profile(0)})
    (monitor.folder / "other").mkdir()
    monitor.settings["profiles_path"] = str(monitor.folder / "other")
    monitor.write_settings()
    said = reload(monitor)
    assert "event=needs_restart key=profiles_path" in said and "event=reloaded applied=0" in said


def test_a_reload_that_fails_in_the_middle_changes_nothing(world):
    """G6"""
    monitor = world.begin({"linux": profile(0)})
    monitor.stop()
    gone = monitor.folder / "gone"
    gone.mkdir()
    monitor.enter = ["env", f"--chdir={gone}"]
    monitor.more_env["IMAGE_DEPS_DIR"] = "relative"
    monitor.begin().wait_ready()
    gone.rmdir()
    assert "IMAGE_DEPS_DIR" in reload(monitor, "event=reload_refused")
    assert monitor.http.get("/healthz").status == 200


def test_a_reload_leaves_what_github_asked_for_as_it_is(world):
    """G11: with the same token, its pauses go on."""
    monitor = world.begin({"linux": profile(1)})
    monitor.wait_for_runners("linux", 1)
    world.github.fault("list", "status", status=403, headers={"retry-after": "60"}, count=1,
                       body={"message": "You have exceeded a secondary rate limit."})
    health = lambda: monitor.dashboard()["health"]["github"]
    wait_until("GitHub asks for a pause", lambda: not health()["well"])
    calls = world.github.state()["counters"]
    reload(monitor)
    assert monitor.take("linux").status == 503
    assert world.github.state()["counters"] == calls
    assert health()["trouble"].startswith("limited")


def test_g11_a_new_token_ends_what_the_old_one_was_asked_to_wait_for(world):
    monitor = world.begin({"linux": profile(1)})
    monitor.wait_for_runners("linux", 1)
    fresh = "github_pat_" + "fedcba9876543210" * 4
    world.github.fault("list", "status", status=403, headers={"retry-after": "600"}, count=1,
                       body={"message": "You have exceeded a secondary rate limit."})
    health = lambda: monitor.dashboard()["health"]["github"]
    wait_until("GitHub asks for a pause", lambda: not health()["well"])
    world.github.control("PUT", "token", {"token": fresh})
    env = monitor.folder / ".env"
    env.write_text(env.read_text().replace(GITHUB_TOKEN, fresh))
    wait_until("GitHub is asked with the new one", lambda: health()["well"], seconds=15)
    assert monitor.take("linux").status == 200


def blocked_signals(pid):
    """Numbers of the signals that its first thread does not take in."""
    status = Path(f"/proc/{pid}/status").read_text()
    bits = int(next(line for line in status.splitlines() if line.startswith("SigBlk")).split()[1], 16)
    return {number for number in range(1, 65) if bits >> (number - 1) & 1}


def test_a_signal_that_comes_while_it_starts_waits(world):
    monitor = world.begin({"linux": profile(0)})
    monitor.stop()
    monitor.settings["unknown_key"] = 1
    monitor.write_settings()
    lines = 200_000 if sanitized("CI_MONITOR", "ci-monitor") else 1_000_000
    with open(monitor.folder / "monitor.toml", "a") as settings:  # which takes a while to read
        settings.write("# one comment of many\n" * lines)
    monitor.start_program()
    wait_until("signals wait", lambda: signal.SIGHUP in blocked_signals(monitor.pid))
    assert "unknown_key" not in monitor.log()  # which is said when all is read
    monitor.signal(signal.SIGHUP)
    monitor.signal(signal.SIGTERM)
    assert monitor.wait() == 0


def test_secrets_change_without_a_restart(world):
    """G9"""
    monitor = world.begin({"linux": profile(1)})
    monitor.wait_for_runners("linux", 1)
    env = monitor.folder / ".env"
    fresh = "another-api-token-0123456789"
    env.write_text(env.read_text().replace(API_TOKEN, fresh).replace(GITHUB_TOKEN, "a-token-that-github-refuses"))
    said = reload(monitor)
    assert fresh not in said and "a-token-that-github-refuses" not in said
    assert monitor.http.delete("/policy/override").status == 403
    assert Http(monitor.base_url, fresh).delete("/policy/override").status == 200
    wait_until("GitHub refuses the new token", lambda: not monitor.dashboard()["health"]["github"]["well"])
    env.write_text(env.read_text().replace("a-token-that-github-refuses", GITHUB_TOKEN))
    reload(monitor)
    wait_until("GitHub is well again", lambda: monitor.dashboard()["health"]["github"]["well"])


def test_a_changed_file_of_secrets_needs_neither_a_restart_nor_a_signal(world):
    """GitHub's token is revoked; its successor is written into .env, first in halves."""
    monitor = world.begin({"linux": profile(1)})
    monitor.wait_for_runners("linux", 1)
    fresh = "github_pat_" + "0123456789abcdef" * 20
    world.github.control("PUT", "token", {"token": fresh})
    wait_until("the dashboard says so", lambda: (monitor.dashboard()["health"]["github"]["trouble"] or "").startswith("unauthorized"))
    env = monitor.folder / ".env"
    env.write_text(env.read_text().replace(f"SERVO_CI_MONITOR_API_TOKEN={API_TOKEN}", "SERVO_CI_MONITOR_API_TOKEN="))
    wait_until("a wrong file is refused", lambda: "event=secrets_refused" in monitor.log())
    assert monitor.http.delete("/policy/override").status == 200  # the old one is good
    draft = monitor.folder / ".env.new"
    draft.write_text(env.read_text().replace(GITHUB_TOKEN, fresh).replace(
        "SERVO_CI_MONITOR_API_TOKEN=", f"SERVO_CI_MONITOR_API_TOKEN={API_TOKEN}"))
    draft.rename(env)
    wait_until("GitHub is well again", lambda: monitor.dashboard()["health"]["github"]["well"], 10.0)
    assert fresh not in monitor.log()
    assert monitor.take("linux").json() is not None


def test_secrets_are_taken_when_nothing_but_the_files_state_tells_of_a_change(world):
    """As where root's editor made the file its own, and chown mends that: what was written, and when, stays as it was."""
    monitor = world.begin({"linux": profile(0)})
    env = monitor.folder / ".env"
    text = env.read_text()
    fresh = API_TOKEN[::-1]
    env.write_text(text.replace(API_TOKEN, "") + "#" * len(API_TOKEN))
    wait_until("a wrong file is refused", lambda: "event=secrets_refused" in monitor.log())
    written = env.stat()
    env.write_text(text.replace(API_TOKEN, fresh))
    os.utime(env, ns=(written.st_atime_ns, written.st_mtime_ns))
    wait_until("they are taken", lambda: "event=secrets_renewed" in monitor.log())
    assert Http(monitor.base_url, fresh).delete("/policy/override").status == 200


def test_secrets_are_taken_although_a_reload_was_refused_for_something_else(world):
    monitor = world.begin({"linux": profile(0)})
    settings = (monitor.folder / "monitor.toml").read_text()
    (monitor.folder / "monitor.toml").write_text(settings + "nonsense")
    fresh = "another-api-token-0123456789"
    env = monitor.folder / ".env"
    env.write_text(env.read_text().replace(API_TOKEN, fresh))
    monitor.signal(signal.SIGHUP)
    wait_until("the settings are refused", lambda: "event=reload_refused" in monitor.log())
    wait_until("the secrets are taken", lambda: "event=secrets_renewed" in monitor.log())
    assert Http(monitor.base_url, fresh).delete("/policy/override").status == 200
