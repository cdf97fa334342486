"""What the daemon uses, sampled from outside, and whether it grows."""

import contextlib
import csv
import os
import time
from pathlib import Path

from harness import Http
from monitor import GITHUB_TOKEN, REPOSITORY

SAMPLES = 360  # of a whole run, at most one a second
DISK = 256 * 1024  # bytes of a template's or a runner's disk at most: no guest here writes to its own

# Growth that is allowed in the second half of a run, by the line that fits its samples best: so much, and so much more
# for each runner life and each reservation in it, and for each runner of the pool: a fault may leave none of them for a
# while. Runners that are gone are known for 48 hours, spent reservations for 7 days (spec), history is kept for 30, so
# they grow with what happened until then. A heap profile showed 0.6 KiB of memory a life, and 0.5 KiB a reservation;
# resident were 7.5 MiB more after 7,280 lives with 2,775 reservations, and up to 1.3 MiB in the second minute of two.
# The store takes 1.1 to 1.5 KB a life with its reservations. Everything else is flat. A growth counts as far as the
# samples' own ups and downs leave no doubt of it: three standard errors of the line's slope are taken off.
STORE = (1280.0, 1024.0)  # bytes a life, and a reservation
GROWTH = {
    "rss_kib": (2 * 1024, 0.75, 0.6, 0),
    "descriptors": (8, 0.0, 0.0, 2),
    "threads": (1, 0.0, 0.0, 0),
    "store_bytes": (256 * 1024, *STORE, 0),
    "log_bytes": (4 * 1024 * 1024, 0.0, 0.0, 0),
    # Blocks that files have at the disk: of the two above and of whatever else there may be; of images and disks.
    "data_disk_bytes": (5 * 1024 * 1024, *STORE, 0),
    "images_disk_bytes": (DISK, 0.0, 0.0, DISK),
    # Faults make these come and go: there were up to 9 registrations more at the end of a run.
    "disk_files": (0, 0.0, 0.0, 1),
    "registrations": (4, 0.0, 0.0, 1),
    "guests": (0, 0.0, 0.0, 0.5),
}
# The most that there may ever be, for each runner of the pool. A disk goes after its guest; a registration lingers until
# GitHub lets go of it. What the last runner leaves behind is counted exactly when the run is over.
CEILING = {"guests": 1, "disk_files": 2, "images_disk_bytes": 2 * DISK, "registrations": 6}


def allocated(folder):
    """Bytes of the blocks of all files below it."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                total += os.lstat(os.path.join(place, name)).st_blocks * 512
    return total


class Sampler:
    def __init__(self, world, seconds):
        self.world = world
        self.interval = max(1.0, seconds / SAMPLES)
        self.begin = time.monotonic()
        self.rows = []
        self.github = Http(world.github.url, GITHUB_TOKEN, timeout=2.0)

    def sample(self, workflows):
        monitor = self.world.monitor
        proc = Path(f"/proc/{monitor.pid}")
        status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
        self.rows.append({
            "seconds": round(time.monotonic() - self.begin, 1),
            "lives": max(monitor.runners(), default=0),
            "reservations": workflows.reservations,
            "rss_kib": int(status["VmRSS"].split()[0]),
            "descriptors": len(os.listdir(proc / "fd")),
            "threads": int(status["Threads"]),
            "store_bytes": (monitor.data / "monitor.db").stat().st_size,
            "log_bytes": (monitor.data / "monitor.db-wal").stat().st_size,
            "data_disk_bytes": allocated(monitor.data),
            "images_disk_bytes": allocated(monitor.settings["images_path"]),
            "disk_files": len(os.listdir(f"{monitor.settings['images_path']}/runner")),
            "registrations": self.registrations(),
            "guests": self.guests(),
        })

    def registrations(self):
        """None where a fault spoils the answer."""
        try:
            answer = self.github.get(f"/repos/{REPOSITORY}/actions/runners", {"per_page": 1},
                                     headers={"User-Agent": "soak"})
            listed = answer.json() if answer.status == 200 else {}
            return listed["total_count"] if listed["runners"] and isinstance(listed["total_count"], int) else None
        except (OSError, AssertionError, KeyError, TypeError):
            return None

    def guests(self):
        """None while libvirt is frozen."""
        if self.frozen():
            return None
        return len(self.world.libvirt.guests())

    def frozen(self):
        state = Path(f"/proc/{self.world.libvirt.pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state == "T"

    def write(self, path):
        with open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, list(self.rows[0]))
            writer.writeheader()
            writer.writerows(self.rows)


def fitted_growth(points):
    """By the straight line that fits (x, y) best, over all of them; and three standard errors of that."""
    n, length = len(points), points[-1][0] - points[0][0]
    mean_x, mean_y = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    rest = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in points)
    return slope * length, 3 * (rest / (n - 2) / spread) ** 0.5 * length


def of(rows, name):
    return [(row["seconds"], row[name]) for row in rows if row[name] is not None]


def report(well, name, points, judgement):
    values = [y for _, y in points]
    print(f"{'flat ' if well else 'GROWS'} {name}: {values[0]} .. {values[-1]}, least {min(values)}, most {max(values)}; "
          f"{judgement}")
    return well


LEAST_LIVES_AN_HOUR = 2_000


def judge(rows, pool):
    """Prints one line a measure; True if none of them grew by more than its bound, over enough lives to tell. `pool`: how
    many runners."""
    half = rows[len(rows) // 2:]
    lives = half[-1]["lives"] - half[0]["lives"]
    reservations = half[-1]["reservations"] - half[0]["reservations"]
    per_hour = rows[-1]["lives"] * 3600 / rows[-1]["seconds"]
    print(f"{rows[-1]['lives']} runner lives in {rows[-1]['seconds']:.0f} s ({per_hour:.0f} an hour); in the second half "
          f"{lives}, with {reservations} reservations")
    well = per_hour >= LEAST_LIVES_AN_HOUR and reservations > 0
    for name, (flat, by_life, by_reservation, by_runner) in GROWTH.items():
        growth, doubt = fitted_growth(of(half, name))
        bound = flat + by_life * lives + by_reservation * reservations + by_runner * pool
        well &= report(growth - doubt <= bound, name, of(half, name), f"growth {growth:.1f} +- {doubt:.1f}, at most {bound:.0f}")
    for name, each in CEILING.items():
        most = max(y for _, y in of(rows, name))
        well &= report(most <= each * pool, name, of(half, name), f"at most {each * pool}")
    return well
