"""Faults that come and go: of GitHub, of libvirt, and of what runs in the guests."""

import random
import signal
import time


class Trouble:
    """One fault a turn, for a few seconds; between two turns all is well."""

    def __init__(self, world, seed):
        self.world, self.random = world, random.Random(seed)
        self.count = 0
        self.kinds = [self.github_fails, self.github_loses_answers, self.github_limits, self.github_babbles,
                      self.github_lies, self.github_is_slow, self.libvirt_freezes, self.guests_hang, self.guests_crash,
                      self.guests_stay_on]

    def turn(self):
        self.count += 1
        try:
            self.random.choice(self.kinds)()
        finally:
            self.end()

    def end(self):
        """All is well."""
        github = self.world.github
        github.no_faults()
        github.set(answer_delay={}, report_busy=None)
        self.world.guests.behave()

    def last(self):
        time.sleep(self.random.uniform(1.0, 4.0))

    def github_fails(self):
        self.world.github.fault("*", "status", status=self.random.choice([500, 502, 503]), count=-1)
        self.last()

    def github_loses_answers(self):
        for operation in ("register", "label", "unlabel", "delete", "list", "get"):
            kind = self.random.choice(["reset_after_acting", "close_after_acting", "status_after_acting", "truncated"])
            self.world.github.fault(operation, kind, status=502, count=3)
        self.last()

    def github_limits(self):
        # Once: another refusal within that time would rightly silence the daemon for a minute.
        self.world.github.fault("list", "status", status=429, headers={"retry-after": "1"}, count=1)
        self.last()

    def github_babbles(self):
        for operation in ("list", "get", "register"):
            self.world.github.fault(operation, self.random.choice(["not_json", "wrong_types", "empty_list"]), count=3)
        self.last()

    def github_lies(self):
        self.world.github.set(report_busy=self.random.choice([True, False]))
        self.last()

    def github_is_slow(self):
        self.world.github.set(answer_delay={"*": self.random.uniform(0.1, 1.0)})
        self.last()

    def libvirt_freezes(self):
        self.world.libvirt.signal(signal.SIGSTOP)
        try:
            self.last()
        finally:
            self.world.libvirt.signal(signal.SIGCONT)

    def guests_hang(self):
        self.world.guests.behave(default={"hang_at": self.random.choice(["boot", "jit", "session"])})
        self.last()

    def guests_crash(self):
        self.world.guests.behave(default={"crash": True})
        self.last()

    def guests_stay_on(self):
        self.world.guests.behave(default={"no_shutdown": True})
        self.last()
