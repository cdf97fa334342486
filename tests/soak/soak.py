"""soak.py MINUTES FOLDER: see run. Ends with one line a measure; exit status 1 if one of them grows, or something is left over.
Sanitized builds are slow and keep what was freed: of theirs no growth is judged, but what is left over, and whether a sanitizer
reports anything."""

import random
import shutil
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from chart import draw  # noqa: E402
from conftest import World  # noqa: E402
from description import collected  # noqa: E402
from harness import Failure, sanitized, wait_until  # noqa: E402
from measures import DISK, Sampler, allocated, judge  # noqa: E402
from monitor import profile  # noqa: E402
from pool_test import check_nothing_double, wait_until_settled  # noqa: E402
from trouble import Trouble  # noqa: E402

POOL = {"linux": 10, "windows": 4}
SETTINGS = {"log_level": "info", "monitor_start_timeout": 8, "available_normal_memory": "24G",
            # One second here is a minute there: thousands of lives an hour.
            "monitor_poll_interval": 0.5, "idle_confirmation": 1.0, "reserved_confirmation": 1.5, "github_writes_per_minute": 10**6,
            "github_points_per_minute": 10**6}
GITHUB = {"rate_limit": 10**9, "unused_removal": 600}


class Workflows:
    """What keeps the runners busy: half of the jobs reserve theirs, the others take what they find."""

    def __init__(self, world, seed):
        self.world, self.random = world, random.Random(seed)
        self.reservations = 0
        self.refused = 0

    def turn(self):
        idle = self.world.monitor.runners(status="Idle").values()
        if not idle and self.random.random() < 0.3:
            # A runner that GitHub once called busy is Busy until it is gone, but it may well listen.
            self.queue(f"self-hosted-image:{self.random.choice(list(POOL))}")
        for runner in idle:
            key = runner["profile"]
            if self.random.random() < 0.5:
                self.queue(f"self-hosted-image:{key}")
            else:
                self.reserve(key)

    def queue(self, label):
        self.world.github.queue_job(label, seconds=self.random.choice([0.0, 0.1, 0.5, 1.5]))

    def reserve(self, key):
        unique_id = str(uuid.uuid4())
        answer = self.world.monitor.take(key, unique_id)
        if answer.status != 200 or answer.json() is None:
            self.refused += 1
            return
        self.reservations += 1
        if self.random.random() < 0.1:
            self.world.monitor.http.delete(f"/reservation/{unique_id}")
        else:
            self.queue(f"reserved-for:{unique_id}")


def repeat(stop, pause, what, complaints):
    """A thread that does `what` until `stop`; what fails now and then under faults must not end it."""
    def body():
        while not stop.wait(pause):
            try:
                what()
            except (OSError, Failure) as error:
                complaints.append(f"{what.__qualname__}: {error!r}"[:300])
    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    return thread


def read_pages(world):
    def read():
        for path in ("/", "/dashboard.json", "/metrics"):
            answer = world.monitor.http.get(path)
            if answer.status != 200 or answer.seconds > 5:
                raise Failure(f"{path}: {answer.status} after {answer.seconds:.1f} s")
    return read


def live(world, seconds, sampler, workflows):
    """Samples while workflows, readers and faults go on."""
    stop, complaints = threading.Event(), []
    trouble = Trouble(world, seed=1)
    threads = [repeat(stop, 0.15, workflows.turn, complaints), repeat(stop, 0.5, read_pages(world), complaints),
               repeat(stop, 0.5, read_pages(world), complaints), repeat(stop, 5.0, trouble.turn, complaints)]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not world.monitor.running():
            raise Failure(f"ci-monitor has ended\n{world.monitor.log()[-4000:]}")
        sampler.sample(workflows)
        stop.wait(sampler.interval)
    stop.set()
    for thread in threads:
        thread.join(60)
    trouble.end()
    print(f"faults: {trouble.count}; takes: {workflows.reservations} granted, {workflows.refused} refused; "
          f"requests that a fault spoiled: {len(complaints)}")
    for text in sorted(set(complaints))[:5]:
        print(f"  {text}")
    if not trouble.count:
        raise Failure("no fault came")


def settle(world):
    """G5, G12: once there are no jobs and no faults, the pool is there, and nothing besides."""
    for job in world.github.control("GET", "jobs")["jobs"]:
        if job["status"] == "queued":
            world.github.http.delete(f"/_control/jobs/{job['id']}")  # it may have begun meanwhile, and ended
    count = sum(POOL.values())

    def at_rest():
        # One that GitHub once called busy is Busy until it is gone: GitHub knows whether it still works.
        statuses = [runner["status"] for runner in world.monitor.runners().values()]
        phases = {registration["phase"] for registration in world.github.registrations().values()}
        return len(statuses) == count and set(statuses) <= {"Idle", "Busy"} and phases == {"idle"}
    wait_until(f"{count} runners at rest", at_rest, seconds=120)
    wait_until_settled(world, count)
    check_nothing_double(world, count)
    used = allocated(world.monitor.settings["images_path"])
    if used > (count + len(POOL)) * DISK:
        raise Failure(f"{count} disks and {len(POOL)} templates take {used} bytes")


def has_lived(rows):
    """That there was something to judge: a minute under sanitizers has some 230 lives, beside other tests."""
    lives, reservations = rows[-1]["lives"], rows[-1]["reservations"]
    print(f"{lives} runner lives in {rows[-1]['seconds']:.0f} s, with {reservations} reservations")
    return lives >= 2 * sum(POOL.values()) and reservations > 0


def main(minutes, folder):
    place = Path(tempfile.mkdtemp(prefix="ci-monitor-soak-"))
    world = World(place)
    well = False
    try:
        world.begin({key: profile(count) for key, count in POOL.items()}, github=GITHUB, **SETTINGS)
        collected.descriptions.clear()  # its answers are too many to be kept and checked
        sampler = Sampler(world, minutes * 60)
        workflows = Workflows(world, seed=2)
        live(world, minutes * 60, sampler, workflows)
        sampler.write(folder / "samples.csv")
        draw(sampler.rows, folder / "samples.svg")
        settle(world)
        well = has_lived(sampler.rows) if sanitized("CI_MONITOR", "ci-monitor") else judge(sampler.rows, sum(POOL.values()))
        return well
    finally:
        world.end()
        if well:
            shutil.rmtree(place, ignore_errors=True)
        else:
            print(f"kept for a look: {place}")


if __name__ == "__main__":
    sys.exit(0 if main(float(sys.argv[1]), Path(sys.argv[2])) else 1)
