"""A disk for one folder that can be filled and made read-only, shares blocks, or hangs, and that nobody but its own programs sees."""

import subprocess
from pathlib import Path

from harness import Failure, Process, do_without, wait_until

# Mounts, says so, and holds the mounts until SIGTERM.
HOLD = r'''case $4 in
tmpfs) mount -t tmpfs -o size="$2",mode=0700 tmpfs "$1" ;;
btrfs) truncate -s "$2" "$5" && mkfs.btrfs -q "$5" && mount -t btrfs -o loop "$5" "$1" ;;
esac && exec python3 -c "
import ctypes, os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
if sys.argv[3] == 'silent':
    options = 'fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other' % os.open('/dev/fuse', os.O_RDWR)
    assert ctypes.CDLL(None).mount(b'silent', sys.argv[2].encode(), b'fuse', 0, options.encode()) == 0
open(sys.argv[1], 'w').write('mounted')
signal.sigwait([signal.SIGTERM])" "$3" "$1" "$4"'''


class PrivateDisk(Process):
    """A tmpfs (or btrfs, whose files can share blocks; or silent: who asks it for anything hangs) on `place`, in a mount namespace of its own: outside of it, `place` is the empty folder that it was.

    Lives from begin() to stop(); what starts through `enter` sees it, and this process by the path `seen`.
    """

    def __init__(self, folder, place, size, kind="tmpfs"):
        super().__init__("disk", folder)
        self.place, self.size, self.kind = Path(place), size, kind
        self.filler = "filler"

    def begin(self):
        self.place.mkdir(parents=True, exist_ok=True)
        mounted = self.folder / "mounted"
        self.start(["setpriv", "--pdeathsig", "KILL", "--", "unshare", "--mount", "--propagation", "private", "sh", "-c",
                    HOLD, "hold", str(self.place), self.size, str(mounted), self.kind, str(self.folder / "disk.img")])
        wait_until("the private disk is mounted", lambda: mounted.exists() or not self.running())
        if not mounted.exists():
            self.child = None
            do_without("CI_MONITOR_NO_DISKS", f"no such disk ({self.kind}) can be mounted here: {self.log()[-500:]}")
        return self

    @property
    def enter(self):
        """What to put before a command; its process id stays that of the command."""
        # The root, too: it need not be the machine's.
        return ["nsenter", f"--mount=/proc/{self.pid}/ns/mnt", f"--root=/proc/{self.pid}/root", "--"]

    @property
    def seen(self):
        return Path(f"/proc/{self.pid}/root{self.place}")

    def fill(self):
        """Not a byte is left."""
        with open(self.seen / self.filler, "ab", buffering=0) as filler:
            for piece in (b"x" * 4096, b"x"):
                try:
                    while True:
                        filler.write(piece)
                except OSError:
                    pass

    def free(self):
        (self.seen / self.filler).unlink()

    def set_read_only(self, yes):
        """Only while nobody has a file open for writing."""
        done = subprocess.run([*self.enter, "mount", "-o", f"remount,{'ro' if yes else 'rw'}", str(self.place)],
                              capture_output=True, text=True, timeout=30, check=False)
        if done.returncode != 0:
            raise Failure(done.stderr)
