"""The running service and its description, in the hands of other programs. Run by tests/contract/run, which has what they need."""

import subprocess
from pathlib import Path

from monitor import API_TOKEN, WEBHOOK_SECRET, profile

CONTRACT = Path(__file__).resolve().parents[1] / "contract"


def run(*command, seconds):
    assert subprocess.call([str(part) for part in command], cwd=CONTRACT, timeout=seconds) == 0


def test_the_description_is_clean(world):
    monitor = world.begin({"linux": profile(0)})
    written = world.folder / "openapi.json"
    written.write_bytes(monitor.http.get("/openapi.json").body)
    run("node_modules/.bin/redocly", "lint", "--config", "redocly.yaml", written, seconds=120)


def test_any_request_gets_a_described_answer(world, tmp_path):
    """A client that has read the description, and one that has not: no 5xx but 503, nothing undocumented."""
    for name in ("HEAD", "a/b", ".git/HEAD"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a file for guests\n")
    monitor = world.begin({"linux": profile(3), "windows": profile(1)}, environment={"IMAGE_DEPS_DIR": str(tmp_path)},
                          main_repo_path=str(tmp_path))
    monitor.wait_for_runners("linux", 3)
    run("node", "properties.mjs", monitor.base_url, API_TOKEN, WEBHOOK_SECRET, seconds=600)
    assert monitor.http.get("/readyz").status == 200
