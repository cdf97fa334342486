"""The example profiles: definitions that libvirt takes, scripts that pass the JIT config on and leave nothing of it."""

import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

PROFILES = Path(__file__).resolve().parents[2] / "deploy" / "profiles"
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


@by_name(SHELL)
def test_shell_scripts_are_clean(folder):
    done = subprocess.run(["shellcheck", folder / "boot-script"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


@by_name(FOLDERS)
def test_a_script_passes_the_config_untraced_by_the_environment_alone(folder):
    script = (folder / "boot-script").read_text()
    code = "\n".join(line for line in script.splitlines() if not line.lstrip().startswith("#"))
    assert not re.search(r"\bset\s+-\w*x|set\s+-o\s+xtrace|Set-PSDebug|Start-Transcript", code), "it is traced"
    # The tiny guest has no runner of GitHub's to pass it to.
    assert folder.name == "tiny" or "ACTIONS_RUNNER_INPUT_JITCONFIG" in code
    fetches = [line for line in code.splitlines() if "/github-jitconfig" in line]
    assert fetches and not any(re.search(r"-O (?!-)|-o |--output|-OutFile|>|tee", line) for line in fetches), fetches
    assert "--jitconfig" not in code, "arguments are seen by every process"


@by_name([folder for folder in FOLDERS if folder.name != "tiny"])
def test_a_script_ends_in_a_poweroff(folder):
    # The tiny guest's init does that for it; that the others do is seen below, or here.
    assert re.search(r"systemctl poweroff|Stop-Computer -Force", (folder / "boot-script").read_text())


STUBS = {
    "curl": f"echo '\"{CONFIG}\"'",
    "jq": "exec tr -d '\"'",
    # What it drops to would need its user.
    "setpriv": 'while [ "$1" != ./run.sh ]; do shift; done; exec ./run.sh',
    "systemctl": 'echo "$@" >>"$TOLD/systemctl"',
}
RUN = r"""#!/bin/sh
printf %s "$ACTIONS_RUNNER_INPUT_JITCONFIG" >"$TOLD/environment"
tr '\0' ' ' </proc/$$/cmdline >"$TOLD/arguments"
tr '\0' ' ' </proc/$PPID/cmdline >>"$TOLD/arguments"
exit %d
"""


@pytest.mark.parametrize("status", [0, 1], ids=["job-done", "job-failed"])
def test_ubuntus_script_runs_the_job_with_the_config_and_powers_off(tmp_path, status):
    """The script itself, with stand-ins for what it calls; its two paths are moved below a folder of the test's."""
    script = (PROFILES / "ubuntu2404" / "boot-script").read_text()
    told, home, programs, built = (tmp_path / name for name in ("told", "home", "programs", "built"))
    for folder in (told, home / "actions-runner", programs):
        folder.mkdir(parents=True)
    built.touch()
    for path, own in (("/var/lib/ci-image-built", built), ("/home/runner", home)):
        assert path in script
        script = script.replace(path, str(own))
    (tmp_path / "boot-script").write_text(script)
    run = home / "actions-runner" / "run.sh"
    run.write_text(RUN.replace("%d", str(status)))
    run.chmod(0o755)
    for name, text in STUBS.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    for name in ("sh", "tr", "sleep"):
        (programs / name).symlink_to(shutil.which(name))
    done = subprocess.run(["/bin/sh", tmp_path / "boot-script"], capture_output=True, text=True, timeout=60, check=False,
                          cwd=tmp_path, env={"PATH": str(programs), "TOLD": str(told)})
    assert done.returncode == 0, done.stderr
    assert (told / "environment").read_text() == CONFIG
    assert CONFIG not in (told / "arguments").read_text() + done.stdout + done.stderr
    assert (told / "systemctl").read_text() == "poweroff\n"
    (told / "environment").unlink()
    left = [Path(folder) / name for folder, _, names in os.walk(tmp_path) for name in names]
    assert not [file for file in left if file.parent != programs and CONFIG in file.read_text()]
