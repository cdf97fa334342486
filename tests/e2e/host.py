"""A libvirtd of its own with QEMU, in the namespaces that `tests/e2e/run` made, and what a person would do to it."""

import os
import shutil
import signal
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from harness import Failure, wait_until

URI = "qemu:///system"
GATEWAY = "192.168.100.1"
GUEST = Path(os.environ["E2E_GUEST"])
PROFILE = Path(__file__).resolve().parents[2] / "deploy" / "profiles" / "tiny"
TINY = Path("/var/lib/libvirt/images/tiny")

LIBVIRTD_CONF = """auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_rw_perms = "0777"
log_outputs = "2:file:/var/log/libvirt/libvirtd.log"
"""
QEMU_CONF = """user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
stdio_handler = "file"
namespaces = []
cgroup_controllers = []
"""
# dnsmasq would ping an address for 3 s before it offers it. Two minutes are the shortest lease.
NETWORK = """<network xmlns:dnsmasq='http://libvirt.org/schemas/network/dnsmasq/1.0'><name>default</name>
<forward mode='open'/><bridge name='virbr0' stp='off' delay='0'/>
<ip address='{gateway}' netmask='255.255.255.0'><dhcp><range start='192.168.100.2' end='192.168.100.{last}'>
<lease expiry='2' unit='minutes'/></range></dhcp></ip>
<dnsmasq:options><dnsmasq:option value='no-ping'/></dnsmasq:options></network>"""

class Host:
    """The hypervisor. Guests, dnsmasq and the bridge outlive libvirtd, as on a real host."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.pid_file = Path("/run/libvirtd.pid")
        self.console = Path("/var/log/libvirt/tiny-console")  # all guests write there

    def begin(self, last_address=254):
        Path("/etc/libvirt/libvirtd.conf").write_text(LIBVIRTD_CONF)
        Path("/etc/libvirt/qemu.conf").write_text(QEMU_CONF)
        # Where the example profile looks for them.
        TINY.mkdir(parents=True)
        for name in ("vmlinuz", "initrd.gz"):
            shutil.copy(GUEST / name, TINY / name)
        self.start_libvirtd()
        self.network(last_address)
        return self

    def start_libvirtd(self):
        subprocess.run(["/usr/sbin/libvirtd", "-d"], check=True, timeout=60, stdin=subprocess.DEVNULL)
        wait_until("libvirtd answers", lambda: self.try_virsh("version").returncode == 0)

    def libvirtd(self, number):
        """A signal to libvirtd."""
        os.kill(int(self.pid_file.read_text()), number)

    def kill_libvirtd(self):
        pid = int(self.pid_file.read_text())
        os.kill(pid, signal.SIGKILL)
        wait_until("libvirtd is gone", lambda: not Path(f"/proc/{pid}").exists() or "Z" in
                   Path(f"/proc/{pid}/stat").read_text().split()[2])
        self.pid_file.unlink(missing_ok=True)

    def network(self, last_address=254):
        """(Re)makes the network with that many addresses, 192.168.100.2 to .<last_address>."""
        for what in ("net-destroy", "net-undefine"):
            self.try_virsh(what, "default")
        for stale in Path("/var/lib/libvirt/dnsmasq").glob("*.status"):
            stale.unlink()
        definition = self.folder / "network.xml"
        definition.write_text(NETWORK.format(gateway=GATEWAY, last=last_address))
        self.virsh("net-define", str(definition))
        self.virsh("net-start", "default")

    def try_virsh(self, *arguments):
        return subprocess.run(["virsh", "-q", "-c", URI, *arguments], capture_output=True, text=True, timeout=90,
                              stdin=subprocess.DEVNULL, check=False)

    def virsh(self, *arguments):
        done = self.try_virsh(*arguments)
        if done.returncode != 0:
            raise Failure(f"virsh {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def define_template(self, profile_key, snapshot, images):
        """A hand-made image: the disk as a build leaves it."""
        name = f"ci-template-{profile_key}@{snapshot}"
        disk = Path(images) / "base" / profile_key / f"base.img@{snapshot}"
        disk.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "--sparse=always", GUEST / "built.img", disk], check=True)
        definition = self.folder / f"{profile_key}.xml"
        xml = ElementTree.parse(PROFILE / "guest.xml")
        xml.find("name").text = name
        image = xml.find("devices/disk")
        image.set("type", "file")
        image.find("source").attrib = {"file": str(disk)}
        xml.write(definition)
        self.virsh("define", str(definition))
        return name

    def guests(self, prefix="ci-"):
        """Names of the guests with that prefix -> their state, as virsh names it."""
        rows = [row.split(None, 2) for row in self.virsh("list", "--all").splitlines()]
        return {row[1]: row[2] for row in rows if len(row) == 3 and row[1].startswith(prefix)}

    def definition(self, name):
        return ElementTree.fromstring(self.virsh("dumpxml", name))

    def mac(self, name):
        return self.definition(name).find("devices/interface/mac").get("address")

    def address(self, name):
        words = self.try_virsh("domifaddr", name).stdout.split()
        return words[-1].partition("/")[0] if words else None

    def qemu_pid(self, name):
        return int(Path(f"/run/libvirt/qemu/{name}.pid").read_text())

    def stop_guest(self, name):
        self.virsh("destroy", name)

    def clean(self):
        """Removes every guest, ours or not."""
        for name in self.guests(""):
            self.try_virsh("destroy", name)
            self.virsh("undefine", name, "--nvram")

    def disks(self, images):
        runner = Path(images) / "runner"
        return sorted(path.name for path in runner.glob("*")) if runner.is_dir() else []
