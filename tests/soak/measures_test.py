"""What the soak's judge lets through, and what it does not, over two hours of invented samples."""

import random
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "integration"), str(Path(__file__).resolve().parent)]

from measures import judge  # noqa: E402

POOL, SECONDS, SAMPLES, LIVES, RESERVATIONS = 14, 7200, 360, 14_000, 5_500
# At the beginning, the ups and downs, and what comes with a life and its reservation: about what a run had.
USUAL = {"rss_kib": (48_000, 500, 1.05), "descriptors": (85, 12, 0), "threads": (34, 0, 0), "store_bytes": (300_000, 100_000, 1_200),
         "log_bytes": (2_000_000, 2_000_000, 0), "data_disk_bytes": (2_300_000, 2_100_000, 1_200),
         "images_disk_bytes": (2_500_000, 400_000, 0), "disk_files": (13, 1, 0), "registrations": (20, 13, 0), "guests": (12, 2, 0)}


def samples(**leaks):
    """`leaks`: by measure, how much more with each life."""
    chance, rows = random.Random(7), []
    for number in range(SAMPLES):
        done = number / (SAMPLES - 1)
        lives = int(LIVES * done)
        rows.append({"seconds": SECONDS * done, "lives": lives, "reservations": int(RESERVATIONS * done),
                     **{name: base + chance.uniform(-noise, noise) + (by_life + leaks.get(name, 0)) * lives
                        for name, (base, noise, by_life) in USUAL.items()}})
    return rows


def test_a_run_as_it_should_be_is_flat():
    assert judge(samples(), POOL)


@pytest.mark.parametrize("name, by_life", [
    ("rss_kib", 0.4), ("descriptors", 0.008), ("threads", 0.0005), ("store_bytes", 800), ("log_bytes", 900), ("data_disk_bytes", 1_500),
    ("images_disk_bytes", 800), ("disk_files", 0.003), ("registrations", 0.004), ("guests", 0.002)])
def test_a_leak_with_each_life_grows(name, by_life, capsys):
    assert not judge(samples(**{name: by_life}), POOL)
    grown = [line for line in capsys.readouterr().out.splitlines() if line.startswith("GROWS")]
    assert all(line.startswith(f"GROWS {name}: ") for line in grown) and any("; growth " in line for line in grown)


def test_a_measure_may_be_missing_now_and_then():
    rows = samples()
    for row in rows[::3]:
        row["registrations"] = row["guests"] = None
    assert judge(rows, POOL)


def test_too_few_lives_or_no_reservations_are_no_proof():
    assert not judge([{**row, "lives": row["lives"] // 10} for row in samples()], POOL)
    assert not judge([{**row, "reservations": 0} for row in samples()], POOL)
