"""A pool that lives through what GitHub does wrong, and what must hold of it meanwhile and afterwards."""

import os
import uuid

from harness import wait_until
from monitor import profile
from pool_test import check_nothing_double, wait_until_settled

RIGHT_AGAIN = 30.0  # seconds after a fault's end
SPARE_DESCRIPTORS = 16


class Pool:
    """Three runners: one at work, one reserved, one idle. What must hold of them, whatever GitHub does."""

    def __init__(self, world, job_seconds, **settings):
        self.world = world
        settings = {"monitor_reserve_timeout": 90, "reserve_timeout_max": 180, **settings}
        self.monitor = world.begin({"linux": profile(3)}, **settings)
        self.monitor.wait_for_runners("linux", 3)
        self.job = world.github.queue_job("self-hosted-image:linux", seconds=job_seconds)
        world.github.wait_for_job(self.job["id"], "in_progress")
        (self.busy,) = self.monitor.wait_for_runners("linux", 1, "Busy").values()
        self.unique_id = str(uuid.uuid4())
        self.reserved = self.monitor.take("linux", self.unique_id).json()["id"]
        self.promised = {self.unique_id: {self.reserved}}
        self.pid = self.monitor.pid
        self.descriptors = self.count_descriptors()

    def count_descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def works(self):
        """The job goes on, or has ended by itself."""
        return (self.world.libvirt.guests().get(self.busy["guest_name"]) is True
                or self.world.github.job(self.job["id"])["conclusion"] == "success")

    def trouble(self):
        github = self.monitor.dashboard()["health"]["github"]
        return "" if github["well"] else github["trouble"]

    def wait_for_trouble(self, said, seconds):
        return wait_until(f"the dashboard says {said!r}", lambda: self.trouble().startswith(said), seconds)

    def take(self):
        """A take that may be refused, and what it was promised."""
        unique_id = str(uuid.uuid4())
        answer = self.monitor.take("linux", unique_id)
        assert answer.status in (200, 503), repr(answer)
        if answer.status == 200 and answer.json():
            self.promised[unique_id] = {answer.json()["id"]}
        self.check_promises()
        return answer

    def check_promises(self):
        """G2"""
        runners = [runner for promised in self.promised.values() for runner in promised]
        assert len(runners) == len(set(runners)), self.promised

    def give_back(self, keep=()):
        for unique_id in set(self.promised) - set(keep):
            wait_until("given back", lambda: self.monitor.http.delete(f"/reservation/{unique_id}").status == 200)
            del self.promised[unique_id]

    def check_right_again(self):
        wait_until("the dashboard says that all is well", lambda: not self.trouble(), RIGHT_AGAIN)
        assert self.world.github.wait_for_job(self.job["id"])["conclusion"] == "success"
        self.give_back(keep=[self.unique_id])
        self.monitor.wait_for_runners("linux", 2, seconds=RIGHT_AGAIN)
        wait_until_settled(self.world, 3)
        check_nothing_double(self.world, 3)
        # What was promised still is, and what is idle can be had.
        again = wait_until("the same again",
                           lambda: (answer := self.monitor.take("linux", self.unique_id)).status == 200 and answer.json())
        assert again["id"] == self.reserved
        another = wait_until("another one", lambda: (answer := self.take()).status == 200 and answer.json())
        assert another["id"] != self.reserved
        assert self.monitor.pid == self.pid and self.monitor.running()
        wait_until("no descriptor is left over", lambda: self.count_descriptors() <= self.descriptors + SPARE_DESCRIPTORS)
