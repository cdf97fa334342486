"""deploy/try, as its user starts it; what it would build is there already."""

import os
import re
import signal
import subprocess
from pathlib import Path

from harness import binary

TOP = Path(__file__).resolve().parents[2]


def begin(folder, stubs, **environment):
    """By a relative path, from another folder, with these programs before those of the machine."""
    programs = folder / "programs"
    programs.mkdir()
    for name, text in {"cmake": "exit 0", "ninja": "exit 0", **stubs}.items():
        (programs / name).write_text(f"#!/bin/bash\n{text}\n")
        (programs / name).chmod(0o755)
    built = os.path.relpath(Path(binary("CI_MONITOR", "ci-monitor")).resolve().parent, TOP)
    own = {"PATH": f"{programs}:{os.environ['PATH']}", "CI_MONITOR_NO_INSTALL": "1", "CI_MONITOR_BUILD": built}
    return subprocess.Popen([os.path.relpath(TOP / "deploy" / "try", folder)], cwd=folder, env={**os.environ, **own, **environment},
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_who_is_not_root_may_start_it_from_any_folder(tmp_path):
    asked = tmp_path / "asked"
    sudo = f'printf "%s\\n" "$PWD" "${{@: -1}}" "$TRY_DATA" >"{asked}"'
    child = begin(tmp_path, {"id": "echo 1000", "sudo": sudo}, TRY_DATA="my data")
    told, _ = child.communicate(timeout=60)
    assert child.returncode == 0, told
    assert asked.read_text().splitlines() == [str(TOP), str(TOP / "deploy" / "try"), str(tmp_path / "my data")]


def test_it_runs_in_a_folder_of_any_name_and_the_lines_that_it_prints_work(tmp_path):
    child = begin(tmp_path, {}, TRY_DATA='it\'s "my" folder', TRY_PORT="0", TRY_SECONDS="60")
    try:
        told = ""
        while "Ctrl-C ends it" not in told:
            line = child.stdout.readline()
            assert line, told
            told += line
        lines = re.search(r"^Try:\n(.*?)\n\n", told, re.DOTALL | re.MULTILINE).group(1)
        done = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", lines], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0 and '"title"' not in done.stdout, done.stdout + done.stderr
        assert "profile_runner_counts" in done.stdout and "ci_monitor_runners{" in done.stdout
    finally:
        child.send_signal(signal.SIGTERM)
        rest, _ = child.communicate(timeout=60)
    assert child.returncode == 0, told + rest
    assert (tmp_path / 'it\'s "my" folder' / "data" / "monitor.db").exists()
