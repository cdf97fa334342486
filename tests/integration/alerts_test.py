"""deploy/prometheus/alerts.yml: each metric and label that a rule names is one that a running daemon shows."""

import re
import time
from pathlib import Path

import yaml

from deadlines_test import LONG, Reserved
from harness import wait_until
from monitor import built_profile

TOP = Path(__file__).resolve().parents[2]
FILE = TOP / "deploy" / "prometheus" / "alerts.yml"
RULES = [rule for group in yaml.safe_load(FILE.read_text())["groups"] for rule in group["rules"]]
SELECTOR = re.compile(r"\b(ci_monitor_\w+)(?:\{([^}]*)\})?")
DAY = 86_400


def rule(name):
    (found,) = [one for one in RULES if one["alert"] == name]
    return found


def page(monitor):
    """Of /metrics: the names that there are, with those of histograms' series, and the labels of each sample by its name."""
    text = monitor.http.get("/metrics").body.decode()
    names = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
        names |= {f"{name}_{series}" for series in ("bucket", "count", "sum")} if kind == "histogram" else {name}
    samples = {}
    for name, labels in re.findall(r"^(ci_monitor_\w+)(?:\{(.*)\})? \S+$", text, re.MULTILINE):
        samples.setdefault(name, []).append(dict(re.findall(r'(\w+)="([^"]*)"', labels)))
    return names, samples


def test_each_rule_says_how_grave_it_is_and_what_to_do():
    assert len({one["alert"] for one in RULES}) == len(RULES) > 0
    for one in RULES:
        assert set(one) <= {"alert", "expr", "for", "labels", "annotations"}, one
        assert re.fullmatch(r"\d+[mh]", one.get("for", "0m")), one
        assert one["labels"].keys() == {"severity"} and one["annotations"].keys() == {"summary", "description"}
        assert one["expr"].count("(") == one["expr"].count(")")


def test_an_image_is_reported_in_time_before_github_refuses_its_runner():
    (days,) = re.findall(r"^ci_monitor_image_age_seconds > (\d+) \* 86400", rule("CiMonitorImageOld")["expr"])
    (image_age,) = re.findall(r"^# base_image_max_age = (\d+)$", (TOP / "config" / "monitor.toml.example").read_text(), re.MULTILINE)
    assert int(image_age) / DAY < int(days) <= 30 - 5


def show_all(world):
    """A daemon that has something to show in each family, a stolen runner included; its page."""
    world.github.orders = [("PUT", "token", {"expires_at": int(time.time()) + 3 * DAY})]
    monitor = world.begin({"linux": built_profile(1)}, **LONG)
    monitor.wait_for_runners("linux", 1)
    reserved = Reserved(world)
    thief = world.github.queue_job("self-hosted-image:linux", seconds=25.0)  # GitHub's list is doubted for 10 s
    assert world.github.wait_for_job(thief["id"], "in_progress")["runner_name"] == reserved.name
    reserved.queue()
    wanted = {"ci_monitor_stolen_total", "ci_monitor_github_token_expiry_timestamp_seconds", "ci_monitor_image_age_seconds"}
    wait_until("what comes with time is shown", lambda: wanted <= page(monitor)[1].keys())
    return page(monitor)


def test_what_the_rules_name_is_on_the_page(world):
    names, samples = show_all(world)
    assert {party["party"] for party in samples["ci_monitor_party_up"]} == \
        set(re.findall(r'party="(\w+)"', " ".join(one["expr"] for one in RULES))), "each party has a rule"
    for one in RULES:
        known = {"instance", "job"}
        for name, selector in SELECTOR.findall(one["expr"]):
            assert name in names and samples.get(name), (one["alert"], name)
            for labels in samples[name]:
                assert set(re.findall(r'(\w+)=', selector)) <= labels.keys(), (one["alert"], name)
            known |= samples[name][0].keys()
        used = re.findall(r"\$labels\.(\w+)", str(one["annotations"]))
        matched = re.findall(r"\w+", " ".join(re.findall(r"\bon \(([^)]*)\)", one["expr"])))
        assert known >= {*used, *matched}, one["alert"]
