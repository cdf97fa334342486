"""The workflow that README.md shows: its step is run as GitHub would run it, and what the next job would run on is looked at."""

import http.server
import re
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from monitor import API_TOKEN, REPOSITORY, profile

README = Path(__file__).resolve().parents[2] / "README.md"
(TEXT,) = re.findall(r"^```yaml\n(.*?)^```$", README.read_text(), re.DOTALL | re.MULTILINE)
JOBS = yaml.safe_load(TEXT)["jobs"]
(STEP,) = [step for step in JOBS["reserve"]["steps"] if step.get("id") == "take"]
GRANT = b'{"id": 7, "runner": {}}'


def test_every_output_that_is_used_is_declared():
    used = re.findall(r"\bneeds\.([\w-]+)\.outputs\.([\w-]+)", TEXT)
    assert used and all(output in JOBS[job]["outputs"] for job, output in used)
    for job in JOBS.values():
        steps = {step["id"]: step for step in job["steps"] if "id" in step}
        for output in job.get("outputs", {}).values():
            (step, name), = re.findall(r"\bsteps\.([\w-]+)\.outputs\.([\w-]+)", output)
            assert f'echo "{name}=' in steps[step]["run"]
        needed = job.get("needs", [])
        for name in re.findall(r"\bneeds\.([\w-]+)\.", str(job)):
            assert name in ([needed] if isinstance(needed, str) else needed)


class Answers:
    """A stand-in for the daemon that gives these answers in turn: (status, body, headers ...)."""

    def __init__(self, *answers):
        self.requests = asked = []
        answers = list(answers)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802
                asked.append((time.monotonic(), self.path, self.headers))
                status, body, *headers = answers.pop(0)
                self.send_response(status)
                for name, value in (*headers, ("Content-Length", str(len(body)))):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def run_step(folder, url):
    """The step's exit status and, of its outputs, what the next job runs on."""
    output = folder / "output"
    output.touch()
    assert set(STEP["env"]) == {"MONITOR", "TOKEN"}, "what else it needs is not set"
    done = subprocess.run(["bash", "-e", "-c", STEP["run"]], cwd=folder, capture_output=True, text=True, timeout=60, check=False,
                          env={"PATH": "/usr/bin:/bin", "MONITOR": url, "TOKEN": API_TOKEN, "GITHUB_REPOSITORY": REPOSITORY,
                               "GITHUB_RUN_ID": "17", "GITHUB_OUTPUT": str(output)})
    lines = dict(line.split("=", 1) for line in output.read_text().splitlines())
    output.unlink()
    assert API_TOKEN not in done.stdout + done.stderr
    return done.returncode, lines.get("runs-on")


def unique_id_of(request):
    _, target, headers = request
    assert headers["Authorization"] == f"Bearer {API_TOKEN}"
    asked = parse_qs(urlsplit(target).query, strict_parsing=True)
    assert urlsplit(target).path == "/profile/linux/take"
    assert (asked["qualified_repo"], asked["run_id"]) == ([REPOSITORY], ["17"])
    return asked["unique_id"][0]


def test_a_granted_runner_is_the_one_that_the_job_runs_on(tmp_path):
    with Answers((200, GRANT)) as monitor:
        assert run_step(tmp_path, monitor.url) == (0, f"reserved-for:{unique_id_of(monitor.requests[0])}")


@pytest.mark.parametrize("answer", [(200, b"null"), (404, b'{"status": 404}')], ids=["null", "404"])
def test_without_a_runner_the_job_runs_elsewhere(tmp_path, answer):
    with Answers(answer) as monitor:
        assert run_step(tmp_path, monitor.url) == (0, "ubuntu-latest")
    assert len(monitor.requests) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_it_is_asked_again_for_the_same_after_the_time_that_it_named(tmp_path, status):
    with Answers((status, b'{"status": 0}', ("Retry-After", "2")), (200, GRANT)) as monitor:
        code, runs_on = run_step(tmp_path, monitor.url)
    first, second = monitor.requests
    assert unique_id_of(first) == unique_id_of(second) and second[0] - first[0] >= 2
    assert (code, runs_on) == (0, f"reserved-for:{unique_id_of(first)}")


@pytest.mark.parametrize("status", [400, 401, 403, 409, 410])
def test_what_is_wrong_fails_the_step_and_is_not_repeated(tmp_path, status):
    with Answers((status, b'{"status": 0}')) as monitor:
        code, runs_on = run_step(tmp_path, monitor.url)
    assert code != 0 and runs_on is None and len(monitor.requests) == 1


def test_a_monitor_that_can_not_be_reached_fails_the_step(tmp_path):
    with Answers() as monitor:
        url = monitor.url
    code, runs_on = run_step(tmp_path, url)
    assert code != 0 and runs_on is None


def test_the_daemon_answers_it_as_the_example_expects(world):
    monitor = world.begin({"linux": profile(1)})
    monitor.wait_for_runners("linux", 1)
    code, runs_on = run_step(world.folder, monitor.base_url)
    assert code == 0 and runs_on.startswith("reserved-for:")
    assert [runs_on in entry["labels"] for entry in world.github.registrations().values()] == [True]
    assert run_step(world.folder, monitor.base_url) == (0, "ubuntu-latest"), "the only one is taken"
