"""Guests that want what is not theirs: the filter and the isolation hold (G7)."""

import base64
import json

import pytest

from harness import wait_until
from host import GATEWAY
from life_test import tiny
from puppets import SCRIPT, Puppets

CONFIG = f"timeout 8 wget -q -O - http://{GATEWAY}:8000/github-jitconfig || echo refused"


@pytest.fixture
def puppets(host):
    result = Puppets()
    yield result
    result.end()


def test_g7_a_guest_gets_no_other_guests_config(world, puppets):
    """It takes its neighbour's address, answers ARP for the gateway, answers DHCP; none of it does anything."""
    monitor = world.begin({"puppet": tiny(2, boot_script=SCRIPT)}, monitor_start_timeout=300)
    guests = wait_until("two puppets boot", lambda: [
        runner for runner in monitor.runners("puppet").values() if runner["ipv4_address"]
        and world.host.mac(runner["guest_name"]) in puppets.seen][1:] and sorted(
            monitor.runners("puppet").values(), key=lambda runner: runner["id"]))
    thief, victim = guests
    thief_mac, victim_mac = (world.host.mac(guest["guest_name"]) for guest in guests)
    gateway_mac = world.host.virsh("net-dumpxml", "default").partition("<mac address='")[2].partition("'")[0]

    # The neighbour's address, beside and instead of its own; and what an HTTP client may say about itself.
    told = puppets.order(thief_mac, f"ip addr flush dev eth0; ip addr add {victim['ipv4_address']}/24 dev eth0; "
                                    f"ip route add default via {GATEWAY}; {CONFIG}")
    assert "refused" in told
    told = puppets.order(thief_mac, f"timeout 8 wget -q -O - --header 'X-Real-IP: {victim['ipv4_address']}' "
                                    f"--header 'X-Forwarded-For: {victim['ipv4_address']}' http://{GATEWAY}:8000/runner/{victim['id']}/../../github-jitconfig"
                                    f" || echo refused")
    assert "refused" in told

    # ARP for the gateway: whom the victim takes for it stays the same, and there is no way between the two.
    puppets.order(thief_mac, f"timeout 3 arping -U -c 3 -I eth0 -s {GATEWAY} {victim['ipv4_address']}; "
                             f"timeout 3 arping -A -c 3 -I eth0 -s {GATEWAY} {GATEWAY}")
    assert gateway_mac in puppets.order(victim_mac, "cat /proc/net/arp")
    assert "unreachable" in puppets.order(
        victim_mac, f"ping -c 1 -W 2 {thief['ipv4_address']} >/dev/null && echo reached || echo unreachable")

    # A DHCP server of its own: the victim hears only the host's.
    puppets.order(thief_mac, "printf 'start 10.9.9.10\\nend 10.9.9.20\\ninterface eth0\\noption router 10.9.9.1\\n"
                             "lease_file /run/leases\\npidfile /run/udhcpd.pid\\n' >/run/udhcpd.conf; "
                             ": >/run/leases; udhcpd /run/udhcpd.conf; sleep 0.2; cat /run/udhcpd.pid")
    told = puppets.order(victim_mac, "printf '#!/bin/sh\\necho $1 $serverid $ip\\n' >/run/tell; chmod +x /run/tell; "
                                     "timeout 10 udhcpc -i eth0 -n -q -t 3 -T 1 -f -s /run/tell 2>/dev/null")
    assert f"bound {GATEWAY} 192.168.100." in told and "10.9.9." not in told

    # Each has its own, after all of that.
    for guest, mac in ((victim, victim_mac), (thief, thief_mac)):
        assert agent_name(json.loads(puppets.order(mac, CONFIG))) == guest["registration"]["name"]


def agent_name(config):
    return json.loads(base64.b64decode(json.loads(base64.b64decode(config))[".runner"]))["agentName"]
