"""The example profiles and their network: definitions that libvirt takes, scripts that pass the JIT config on and leave
nothing of it."""

import http.server
import ipaddress
import os
import re
import shutil
import subprocess
import threading
import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import yaml

TOP = Path(__file__).resolve().parents[2]
PROFILES = TOP / "deploy" / "profiles"
NETWORK = TOP / "deploy" / "libvirt" / "network.xml"
FOLDERS = sorted(path.parent for path in PROFILES.glob("*/boot-script"))
SHELL = [folder for folder in FOLDERS if (folder / "boot-script").read_text().startswith("#!/bin/sh\n")]
CONFIG = "c2VjcmV0LWppdC1jb25maWc="


def by_name(folders):
    return pytest.mark.parametrize("folder", folders, ids=lambda folder: folder.name)


def test_the_examples_are_there():
    assert {"tiny", "ubuntu2404", "windows"} <= {folder.name for folder in FOLDERS}


@by_name(FOLDERS)
def test_the_definition_is_valid(folder):
    done = subprocess.run(["virt-xml-validate", folder / "guest.xml", "domain"], capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@by_name(FOLDERS)
def test_the_definition_states_formats_and_takes_huge_pages_only_where_it_says_so(folder):
    definition = ElementTree.parse(folder / "guest.xml")
    disks = definition.findall("devices/disk")
    assert disks and all(disk.find("driver").get("type") for disk in disks)
    said = (folder / "image.toml").read_text() + (folder / "guest.xml").read_text()
    assert (definition.find("memoryBacking/hugepages") is not None) == ("hugepages" in said)


def default_of(key):
    """What the example settings show as the key's default."""
    (line,) = re.findall(rf"^# ({key} = .*)$", (TOP / "config" / "monitor.toml.example").read_text(), re.MULTILINE)
    return tomllib.loads(line)[key]


@by_name(FOLDERS)
def test_the_readme_says_what_memory_a_guest_takes_of_the_hosts_budget(folder):
    memory = ElementTree.parse(folder / "guest.xml").find("memory")
    readme = (PROFILES / "README.md").read_text()
    (told,) = re.findall(rf"^\| `{folder.name}` \| [^|]* \| (\S+) \|", readme, re.MULTILINE)
    assert f"{memory.text}{memory.get('unit')}" == f"{told}iB"
    for example in re.findall(r"```toml\n(.*?)```", readme, re.DOTALL):
        assert tomllib.loads(example)["profiles"].get(folder.name, {}).get("requires_normal_memory", told) == told


def test_the_network_is_valid_and_the_one_that_the_settings_default_to():
    done = subprocess.run(["virt-xml-validate", NETWORK, "network"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    network = ElementTree.parse(NETWORK)
    host = network.find("ip").get("address")
    subnet = ipaddress.ip_network(f"{host}/{network.find('ip').get('netmask')}", strict=False)
    assert str(subnet) == default_of("guest_network") and host in default_of("listen_on")
    leases = network.find("ip/dhcp/range")
    assert {ipaddress.ip_address(leases.get(end)) for end in ("start", "end")} == {subnet[2], subnet[-2]}
    assert leases.find("lease").attrib == {"expiry": "2", "unit": "minutes"}


@by_name([folder for folder in FOLDERS if folder.name != "tiny"])  # which is connected to the network of tests/e2e
def test_guests_are_connected_to_the_network_and_ask_the_host_in_it(folder):
    network = ElementTree.parse(NETWORK)
    (source,) = ElementTree.parse(folder / "guest.xml").findall("devices/interface/source")
    assert source.get("network") == network.findtext("name")
    texts = [path.read_text() for path in folder.iterdir()]
    asked = {url for text in texts for url in re.findall(r"http://([\d.]+):8000", text)}
    assert asked == {network.find("ip").get("address")}


def test_the_readmes_commands_make_the_network():
    """In libvirt's test driver, whose whole state is one connection's."""
    text = (NETWORK.parent / "README.md").read_text()
    commands = re.findall(r"^virsh -c qemu:///system (.*)$", text, re.MULTILINE)
    done = subprocess.run(["virsh", "-c", "test:///default", "; ".join([*commands, "net-info cinet"])], cwd=TOP, timeout=60,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"Active: +yes", done.stdout) and re.search(r"Autostart: +yes", done.stdout)


def test_the_windows_guests_clock_is_utc_inside_and_outside():
    """Windows takes the machine's clock for its own zone's."""
    folder = PROFILES / "windows"
    assert ElementTree.parse(folder / "guest.xml").find("clock").get("offset") == "utc"
    setup = ElementTree.parse(folder / "autounattend.xml")
    assert [zone.text for zone in setup.iter("{urn:schemas-microsoft-com:unattend}TimeZone")] == ["UTC"]


@by_name(SHELL)
def test_shell_scripts_are_clean(folder):
    done = subprocess.run(["shellcheck", "-o", "check-set-e-suppressed", folder / "boot-script"], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


@by_name(FOLDERS)
def test_a_script_passes_the_config_untraced_by_the_environment_alone(folder):
    script = (folder / "boot-script").read_text()
    code = "\n".join(line for line in script.splitlines() if not line.lstrip().startswith("#"))
    assert not re.search(r"\bset\s+-\w*x|set\s+-o\s+xtrace|Set-PSDebug|Start-Transcript", code), "it is traced"
    # The tiny guest has no runner of GitHub's to pass it to.
    assert folder.name == "tiny" or "ACTIONS_RUNNER_INPUT_JITCONFIG" in code
    fetches = [line for line in code.splitlines() if "/github-jitconfig" in line]
    assert fetches and not any(re.search(r"-O (?!-)|-o |--output|-OutFile|(?<!2)>|tee", line) for line in fetches), fetches
    assert "--jitconfig" not in code, "arguments are seen by every process"


@by_name([folder for folder in FOLDERS if folder.name != "tiny"])
def test_a_script_ends_in_a_poweroff(folder):
    # The tiny guest's init does that for it; that the others do is seen below, or here.
    assert re.search(r"systemctl poweroff|Stop-Computer -Force", (folder / "boot-script").read_text())


@by_name(FOLDERS)
def test_the_readme_names_every_file_that_a_profile_takes_from_the_image_folder(folder):
    image = tomllib.loads((folder / "image.toml").read_text())
    begins_with = image["begins_with"]
    files = [*image.get("cdroms", {}).values(), *([] if begins_with == "blank" else [begins_with["file"]]),
             *re.findall(r"/image-deps/([\w./-]+)", (folder / "boot-script").read_text())]
    told = (PROFILES / "README.md").read_text()
    assert files and not [file for file in files if f"`{file}`" not in told]


class UbuntuGuest:
    """Runs ubuntu2404's script itself, with stand-ins for what it calls; its paths are moved below a folder of the test's."""

    REAL = ("sh", "tr", "sleep", "mkdir", "rm", "chmod", "truncate", "cat")
    STUBS = {
        "curl": f"""case "$*" in
*-o*) while [ "$1" != -o ]; do shift; done; echo downloaded >"$2" ;;
*) printf '"{CONFIG}"\\n200' ;;
esac""",
        "jq": "exec tr -d '\"'",
        # What it drops to would need its user.
        "setpriv": 'while [ "$1" != ./run.sh ]; do shift; done; exec ./run.sh',
        "systemctl": "",
        "apt-get": "",
        "tar": 'mkdir "$RUNNER/bin"; printf \'#!/bin/sh\\nexec installdependencies\\n\' >"$RUNNER/bin/installdependencies.sh"\n'
               'chmod +x "$RUNNER/bin/installdependencies.sh"',
        "installdependencies": "",
        "chown": "",
    }
    STUB = """#!/bin/sh
echo "{name} $*" >>"$TOLD/calls"
case " {name} $* " in *" $FAILS "*) exit 1 ;; esac
{does}
"""

    def __init__(self, folder, built):
        self.folder, self.told, self.programs = folder, folder / "told", folder / "programs"
        self.runner, self.built = folder / "home" / "actions-runner", folder / "var" / "ci-image-built"
        self.etc = folder / "etc"
        for path in (self.told, self.programs, self.built.parent, self.etc / "netplan", self.etc / "cloud" / "cloud.cfg.d"):
            path.mkdir(parents=True)
        # As the cloud image and cloud-init's first boot leave them.
        (self.etc / "machine-id").write_text("0123456789abcdef0123456789abcdef\n")
        (self.etc / "netplan" / "50-cloud-init.yaml").write_text("network: {ethernets: {enp1s0: {match: {macaddress: aa}}}}\n")
        if built:
            self.built.touch()
            self.runner.mkdir(parents=True)
        script = (PROFILES / "ubuntu2404" / "boot-script").read_text()
        for path, own in (("/var/lib/ci-image-built", self.built), ("/home/runner", self.runner.parent), ("/etc/", f"{self.etc}/")):
            assert path in script
            script = script.replace(path, str(own))
        (folder / "boot-script").write_text(script)
        for name, does in self.STUBS.items():
            self.program(self.programs / name, self.STUB.format(name=name, does=does))
        for name in self.REAL:
            (self.programs / name).symlink_to(shutil.which(name))

    @staticmethod
    def program(path, text):
        path.write_text(text)
        path.chmod(0o755)

    def boot(self, fails="nothing"):
        return subprocess.run(["/bin/sh", self.folder / "boot-script"], capture_output=True, text=True, timeout=60, check=False,
                              cwd=self.folder, env={"PATH": str(self.programs), "TOLD": str(self.told), "FAILS": fails,
                                                    "RUNNER": str(self.runner)})

    def calls(self, name=None):
        calls = (self.told / "calls").read_text().splitlines()
        return [call for call in calls if name in (None, call.split()[0])]

    @property
    def powered_off(self):
        return "systemctl poweroff" in self.calls("systemctl")


RUN = r"""#!/bin/sh
printf %s "$ACTIONS_RUNNER_INPUT_JITCONFIG" >"$TOLD/environment"
tr '\0' ' ' </proc/$$/cmdline >"$TOLD/arguments"
tr '\0' ' ' </proc/$PPID/cmdline >>"$TOLD/arguments"
exit %d
"""


@pytest.mark.parametrize("status", [0, 1], ids=["job-done", "job-failed"])
def test_ubuntus_script_runs_the_job_with_the_config_and_powers_off(tmp_path, status):
    guest = UbuntuGuest(tmp_path, built=True)
    guest.program(guest.runner / "run.sh", RUN.replace("%d", str(status)))
    done = guest.boot()
    assert done.returncode == status, done.stderr
    assert (guest.told / "environment").read_text() == CONFIG
    assert CONFIG not in (guest.told / "arguments").read_text() + done.stdout + done.stderr
    assert guest.calls("systemctl") == ["systemctl poweroff"]
    (guest.told / "environment").unlink()
    left = [Path(folder) / name for folder, _, names in os.walk(tmp_path) for name in names]
    assert not [file for file in left if file.parent != guest.programs and CONFIG in file.read_text()]


def test_ubuntus_script_starts_no_runner_without_a_config_and_powers_off(tmp_path):
    guest = UbuntuGuest(tmp_path, built=True)
    guest.program(guest.runner / "run.sh", RUN)
    guest.boot(fails="jq")
    assert not (guest.told / "environment").exists() and guest.powered_off


class Jitconfigs:
    """Answers /github-jitconfig with one status after the other, the last one for ever."""

    def __init__(self, *statuses):
        asked = self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                status = statuses[min(len(asked), len(statuses) - 1)]
                asked.append(self.path)
                body = f'"{CONFIG}"'.encode() if status == 200 else b'{"status": %d, "title": "no 200"}' % status
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def ubuntu_guest_of(jitconfigs, folder):
    """With the real curl."""
    guest = UbuntuGuest(folder, built=True)
    script = folder / "boot-script"
    assert "monitor=http://192.168.100.1:8000\n" in script.read_text()
    script.write_text(script.read_text().replace("http://192.168.100.1:8000", jitconfigs.url))
    (guest.programs / "curl").unlink()
    (guest.programs / "curl").symlink_to(shutil.which("curl"))
    guest.program(guest.runner / "run.sh", RUN.replace("%d", "0"))
    return guest


def test_ubuntus_script_asks_until_there_is_a_config(tmp_path):
    with Jitconfigs(404, 503, 200) as jitconfigs:
        guest = ubuntu_guest_of(jitconfigs, tmp_path)
        assert guest.boot().returncode == 0
    assert (guest.told / "environment").read_text() == CONFIG and guest.powered_off
    assert jitconfigs.asked == ["/github-jitconfig"] * 3


def test_an_ubuntu_guest_that_boots_again_in_its_job_powers_off(tmp_path):
    with Jitconfigs(503, 410) as jitconfigs:
        guest = ubuntu_guest_of(jitconfigs, tmp_path)
        assert guest.boot().returncode != 0
    assert not (guest.told / "environment").exists() and guest.powered_off
    assert len(jitconfigs.asked) == 2


def test_a_tiny_guest_that_boots_again_in_its_job_ends_its_script(tmp_path):
    """Then its init powers it off."""
    programs = tmp_path / "programs"
    for name in ("programs", "disk", "run"):
        (tmp_path / name).mkdir()
    (tmp_path / "disk" / "built").touch()
    for name in ("timeout", "wget", "grep", "sleep"):
        (programs / name).symlink_to(shutil.which("busybox"))
    script = (PROFILES / "tiny" / "boot-script").read_text()
    for path in ("/disk/", "/run/"):
        assert path in script
        script = script.replace(path, f"{tmp_path}{path}")
    with Jitconfigs(503, 410) as jitconfigs:
        done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path,
                              env={"PATH": str(programs), "monitor": jitconfigs.url})
    assert done.returncode != 0 and len(jitconfigs.asked) == 2


def test_a_windows_guest_that_boots_again_in_its_job_leaves_the_loop_for_the_shutdown():
    """There is no PowerShell here to run it: this reads it."""
    script = (PROFILES / "windows" / "boot-script").read_text()
    (waits,) = re.findall(r"\} catch \{\n(.*?)\n +\}\n", script, re.DOTALL)
    assert re.search(r"if \(\[int\]\$_\.Exception\.Response\.StatusCode -eq 410\) \{ throw \}\n +Start-Sleep 1", waits)
    assert re.search(r"\} finally \{\n +Stop-Computer -Force", script)
    for opening, closing in ("{}", "()"):
        assert script.count(opening) == script.count(closing)


def test_ubuntus_script_builds_the_image_and_powers_off(tmp_path):
    guest = UbuntuGuest(tmp_path, built=False)
    done = guest.boot()
    assert done.returncode == 0, done.stderr
    assert guest.built.exists() and guest.powered_off
    assert (guest.etc / "machine-id").read_text() == "", "each runner is a machine of its own"
    assert all("DPkg::Lock::Timeout=" in call for call in guest.calls("apt-get"))
    assert [path.name for path in guest.runner.iterdir()] == ["bin"], "nothing that was downloaded is left"


def test_an_ubuntu_guest_finds_the_network_whatever_its_interface_is_called_and_its_mac_is(tmp_path):
    """cloud-init's own file names the build guest's MAC, and cloud-init does not write it again for a clone."""
    guest = UbuntuGuest(tmp_path, built=False)
    assert guest.boot().returncode == 0
    (file,) = (guest.etc / "netplan").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    (interface,) = yaml.safe_load(file.read_text())["network"]["ethernets"].values()
    assert interface == {"match": {"name": "en*"}, "dhcp4": True, "dhcp-identifier": "mac"}
    cloud = guest.etc / "cloud" / "cloud.cfg.d" / "99-network.cfg"
    assert yaml.safe_load(cloud.read_text()) == {"network": {"config": "disabled"}}


@pytest.mark.parametrize("fails", ["mask", "update", "install", "curl", "tar", "installdependencies", "chown"])
def test_a_build_that_fails_anywhere_is_no_success(tmp_path, fails):
    """Powering off is success: the monitor would make runners of what there is."""
    guest = UbuntuGuest(tmp_path, built=False)
    done = guest.boot(fails)
    assert done.returncode != 0
    assert [call for call in guest.calls() if fails in call.split()], "it did not get that far"
    assert not guest.built.exists() and not guest.powered_off
