"""How the good client's reads are judged: a stall among many reads is seen, however long the attack lasts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from attack import LIMIT, p99_of, slowest_second

TESTS = """
import pytest
from attack import judge_time

@pytest.fixture(scope="session")
def quiet_machine():
    pass

@pytest.fixture
def bad_end():
    yield
    raise OSError("the daemon's")

def test_slow():
    judge_time("a read", 0.2, 0.1)

def test_slow_and_wrong():
    judge_time("a read", 0.2, 0.1)
    assert False

def test_slow_and_ended_badly(bad_end):
    judge_time("a read", 0.2, 0.1)

def test_wrong():
    assert False

def test_fast():
    judge_time("a read", 0.09, 0.1)
"""


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


def test_what_failed_by_a_time_alone_may_be_tried_again(tmp_path):
    tests, too_slow = tmp_path / "any_test.py", tmp_path / "too_slow"
    tests.write_text(TESTS)
    done = subprocess.run([sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "conftest", str(tests)],
                          env={**os.environ, "PYTHONPATH": str(Path(__file__).parent), "CI_MONITOR_TOO_SLOW": str(too_slow)},
                          cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert "4 failed, 1 passed, 1 error" in done.stdout, done.stdout + done.stderr
    assert "a read: 200.0 ms" in done.stdout
    assert too_slow.read_text().splitlines() == [f"{tests}::test_slow"]
