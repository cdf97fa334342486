"""Policy overrides and operators' levers, as a client sees them."""

from harness import wait_until
from monitor import profile


def override(monitor):
    answer = monitor.http.get("/policy/override", token="")
    assert answer.status == 200
    return answer.json()


def test_an_override_is_granted_delivered_and_ended_over_a_restart(world):
    monitor = world.begin({"linux": profile(2, memory="4G"), "wpt": profile(0, memory="2G")},
                          available_normal_memory="8G")
    monitor.wait_for_runners("linux", 2)
    http = monitor.http
    assert override(monitor) is None
    assert http.post("/policy/override", {"wpt": 9}, token="").status == 401
    assert http.post("/policy/override", {"linux": 2}).status == 422
    assert http.post("/policy/override", {"bsd": 2}).status == 404
    explained = http.get("/policy/explain", {"wpt": 9}, token="").json()
    assert explained["granted"] == {"wpt": 4}
    assert explained["profiles"]["linux"]["target_meanwhile"] == 0
    granted = http.post("/policy/override", {"wpt": 9})
    assert (granted.status, granted.json()) == (200, {"wpt": 4})
    assert http.post("/policy/override", {"wpt": 1}).status == 409
    monitor.crash()
    assert override(monitor)["profile_override_counts"] == {"wpt": 4}
    assert override(monitor)["profile_target_counts"] == {"linux": 0, "wpt": 4}
    # The idle runners are let go first, by the rules.
    monitor.wait_for_runners("wpt", 4)
    assert not monitor.runners("linux")
    delivered = override(monitor)["actual_runner_ids_by_profile_key"]["wpt"]
    assert sorted(delivered) == sorted(monitor.runners("wpt"))
    cancelled = monitor.http.delete("/policy/override")
    assert (cancelled.status, cancelled.json()) == (200, {"wpt": 4})
    assert monitor.http.delete("/policy/override").json() is None
    assert override(monitor) is None
    monitor.wait_for_runners("linux", 2)
    assert not monitor.runners("wpt")


def test_levers_survive_a_restart(world):
    monitor = world.begin({"linux": profile(2)})
    runners = monitor.wait_for_runners("linux", 2)
    assert monitor.http.post("/profile/linux/pause").json() == {"profile": "linux", "paused": True}
    gone = min(runners)
    assert monitor.http.post(f"/runner/{gone}/destroy").status == 200
    assert monitor.http.post("/runner/999999/destroy").status == 404
    monitor.crash()
    wait_until("the runner is gone", lambda: gone not in monitor.runners())
    counts = monitor.dashboard()["profile_runner_counts"]["linux"]
    assert counts["paused"] and counts["wanted"] == 1
    assert monitor.http.post("/profile/linux/resume").status == 200
    monitor.wait_for_runners("linux", 2)
