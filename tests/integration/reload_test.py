"""SIGHUP: settings and secrets are read again; what can change without a restart does, and a wrong file changes nothing."""

import signal

from harness import Http, wait_until
from monitor import API_TOKEN, GITHUB_TOKEN, profile


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
