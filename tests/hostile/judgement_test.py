"""How the good client's reads are judged: a stall among many reads is seen, however long the attack lasts."""

import pytest

from attack import LIMIT, p99_of, slowest_second


def reads(slow, begun=100.0, seconds=60.0):
    """One every 10 ms from half a second before `begun` on, of a millisecond; `slow`: by the time since `begun`, others."""
    found, now = [], begun - 0.5
    while now < begun + seconds:
        took = next((took for at, took in slow.items() if at <= now - begun < at + 0.010), 0.001)
        found.append((now, took))
        now += took + 0.010
    return found


@pytest.mark.parametrize("slow, of_a_second", [
    ({}, 0.0), ({30.0: 0.120}, 0.120), ({30.0: 0.060, 30.5: 0.060}, 0.120), ({30.0: 0.060, 40.0: 0.060}, 0.060),
    ({30.0: 2.0}, 1.0), ({0.0: 0.120}, 0.120), ({59.9: 0.120}, 0.120), ({-0.3: 0.120}, 0.0), ({30.0: 0.045}, 0.0)])
def test_what_slow_reads_take_of_a_second(slow, of_a_second):
    found = reads(slow)
    assert p99_of(sorted(seconds for _, seconds in found)) < LIMIT
    assert slowest_second(found, 100.0, LIMIT) == pytest.approx(of_a_second, abs=1e-6)
