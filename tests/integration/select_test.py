"""Selects without a token: the artifact of a workflow run is the proof."""

import base64
import hashlib
import io
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import Http, wait_until
from monitor import REPOSITORY, profile

PREFIX = "servo-ci-runners_"


def zipped(*files):
    """A zip archive in memory, of (name, text) pairs."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
        for name, text in files:
            writer.writestr(name, text)
    return archive.getvalue()


def contents(unique_id, run_id, **more):
    lines = {"unique_id": unique_id, "qualified_repo": REPOSITORY, "run_id": run_id,
             "self_hosted_image_name": "linux", **more}
    return "".join(f"{key}={value}\n" for key, value in lines.items())


def upload(github, run_id, unique_id, archive=None, **more):
    """The artifact as a job of the run would upload it; its record."""
    archive = zipped(("info", contents(unique_id, run_id))) if archive is None else archive
    return github.control("POST", "artifacts", {"run_id": run_id, "name": PREFIX + unique_id,
                                                "archive": base64.b64encode(archive).decode(), **more})


def begin_run(github, **more):
    return github.control("POST", "runs", {"repo": REPOSITORY, **more})["id"]


def select(monitor, unique_id, run_id, **more):
    """POST /select-runner without any token."""
    query = {"unique_id": unique_id, "qualified_repo": REPOSITORY, "run_id": run_id}
    return Http(monitor.base_url).post("/select-runner", query, **more)


def reason(answer):
    return answer.status, answer.json()["type"].rpartition(":")[2]


def test_a_workflow_selects_runs_and_cannot_select_twice(world):
    """The whole way: artifact, select, job on the selected runner; G3: the same answer over a crash."""
    monitor = world.begin({"linux": profile(3)}, tokenless_selects_per_minute=1000)
    monitor.wait_for_runners("linux", 3)
    run_id, unique_id = begin_run(world.github), str(uuid.uuid4())
    assert reason(select(monitor, unique_id, run_id)) == (403, "no-artifact")
    # GitHub is asked anew where another spelling makes it another artifact; the first refusal is remembered for 5 s.
    unique_id = str(uuid.uuid4())
    upload(world.github, run_id, unique_id, zipped(("info", contents(unique_id, run_id, self_hosted_runner_count=2))))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: select(monitor, unique_id, run_id), range(8)))
    assert {answer.status for answer in answers} == {200}
    given = {tuple(entry["id"] for entry in answer.json()) for answer in answers}
    assert len(given) == 1 and len(next(iter(given))) == 2
    counters = world.github.state()["counters"]
    assert counters["storage"] == {"200": counters["archive"]["302"]}  # never asked with the token: that is a 400
    monitor.crash()
    repeat = select(monitor, unique_id, run_id)
    assert tuple(entry["id"] for entry in repeat.json()) in given
    job = world.github.queue_job(f"reserved-for:{unique_id}", run_id=run_id, seconds=0.2)
    done = world.github.wait_for_job(job["id"])
    assert done["conclusion"] == "success"
    assert done["runner_name"].partition("@")[0] in {entry["runner"]["guest_name"] for entry in repeat.json()}
    monitor.http.delete(f"/reservation/{unique_id}")
    assert reason(select(monitor, unique_id, run_id)) == (410, "id-spent")
    assert select(monitor, "no-uuid", run_id).status == 400
    monitor.wait_for_runners("linux", 3)
    taken = str(uuid.uuid4())
    assert monitor.take("linux", taken).json() is not None
    upload(world.github, run_id, taken)
    assert reason(select(monitor, taken, run_id)) == (409, "id-conflict")


def test_what_proves_nothing_is_refused_each_with_its_reason(world):
    monitor = world.begin({"linux": profile(1), "closed": profile(0, tokenless="none"),
                           "own": profile(0, tokenless="same-repo")},
                          github={"rate_limit": 100_000}, tokenless_github_calls_per_minute=1000,
                          tokenless_selects_per_minute=1000)
    monitor.wait_for_runners("linux", 1)
    github, run_id = world.github, begin_run(world.github)
    fork_run = begin_run(github, head_repo="fork/repo")

    def outcome(archive, run=run_id, key=None, **more):
        unique_id = str(uuid.uuid4())
        upload(github, run, unique_id, archive(unique_id) if archive else None, **more)
        return reason(select(monitor, unique_id, run, headers={"X-Reservation-Key": key} if key else None))

    def with_text(**more):
        return lambda unique_id: zipped(("info", contents(unique_id, run_id, **more)))

    assert outcome(None, age=400) == (403, "artifact-expired")
    assert outcome(None, expired=True) == (403, "artifact-expired")
    assert outcome(lambda _: b"\0" * 100_000) == (403, "artifact-too-large")
    assert outcome(lambda _: zipped(("bomb", "x" * 50_000_000))) == (403, "artifact-too-large")
    assert outcome(lambda _: b"no zip at all") == (403, "artifact-unreadable")
    assert outcome(lambda i: zipped(("../info", contents(i, run_id)))) == (403, "artifact-unreadable")
    assert outcome(lambda _: zipped(*((f"{n}", "") for n in range(500)))) == (403, "artifact-unreadable")
    assert outcome(lambda i: zipped(("info", contents(str(uuid.uuid4()), run_id)))) == (403, "artifact-mismatch")
    assert outcome(lambda i: zipped(("info", contents(i, run_id + 1)))) == (403, "artifact-mismatch")
    assert outcome(with_text(self_hosted_image_name="")) == (403, "no-profile")
    assert outcome(with_text(self_hosted_image_name="none-such")) == (404, "unknown-profile")
    assert outcome(with_text(self_hosted_image_name="closed")) == (403, "not-tokenless")
    assert outcome(with_text(self_hosted_runner_count=21)) == (403, "too-many-runners")
    digest = hashlib.sha256(b"the key").hexdigest()
    assert outcome(with_text(key_sha256=digest)) == (403, "wrong-key")
    assert outcome(with_text(key_sha256=digest), key="another") == (403, "wrong-key")
    fork = lambda i: zipped(("info", contents(i, fork_run, self_hosted_image_name="own")))  # noqa: E731
    assert outcome(fork, run=fork_run) == (403, "foreign-head")
    # Led back to the API's own host: nothing is fetched there.
    assert outcome(None, location=f"{github.url}/repos/{REPOSITORY}/actions/runners") == (503, "github-away")
    assert "storage" in github.state()["counters"]
    # And after all that one that is in order.
    unique_id = str(uuid.uuid4())
    upload(github, run_id, unique_id, zipped(("a/", ""), ("a/info", contents(unique_id, run_id, key_sha256=digest))))
    answer = select(monitor, unique_id, run_id, headers={"X-Reservation-Key": "the key"})
    assert answer.status == 200 and len(answer.json()) == 1


def test_g10_a_silent_github_costs_a_select_8_s_and_the_monitor_nothing(world):
    monitor = world.begin({"linux": profile(1)})
    monitor.wait_for_runners("linux", 1)
    run_id, unique_id = begin_run(world.github), str(uuid.uuid4())
    upload(world.github, run_id, unique_id)
    world.github.fault("artifacts", "timeout", seconds=30)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(select, monitor, unique_id, run_id)
        assert monitor.take("linux").json() is not None  # meanwhile
        answer = waiting.result()
    assert reason(answer) == (503, "github-away")
    assert "Retry-After" in answer.headers
    assert 7.5 < answer.seconds < 12


def test_the_prefix_and_the_queue_close_the_door(world):
    monitor = world.begin({"linux": profile(0)}, queue_member=True)
    assert reason(select(monitor, str(uuid.uuid4()), 1)) == (403, "select-disabled")
    monitor.settings.update(queue_member=False, allowed_qualified_repo_prefix="someone-else/")
    monitor.restart()
    assert reason(select(monitor, str(uuid.uuid4()), 1)) == (403, "repo-not-allowed")
    for _ in range(9):
        select(monitor, str(uuid.uuid4()), 1)
    answer = select(monitor, str(uuid.uuid4()), 1)
    assert answer.status == 429 and "Retry-After" in answer.headers


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 500}, {"kind": "reset"}, {"kind": "truncated"}, {"kind": "not_json"},
                                   {"kind": "drip", "seconds": 60}, {"kind": "huge", "bytes": 10 << 20}], ids=lambda fault: fault["kind"])
def test_g6_a_storage_that_fails_costs_one_select(world, fault):
    """And the next one gets what it asked for."""
    monitor = world.begin({"linux": profile(1)}, tokenless_selects_per_minute=1000)
    monitor.wait_for_runners("linux", 1)
    run_id, unique_id = begin_run(world.github), str(uuid.uuid4())
    upload(world.github, run_id, unique_id)
    world.github.fault("storage", **fault)
    answer = select(monitor, unique_id, run_id)
    assert reason(answer) in ((503, "github-away"), (403, "artifact-unreadable"), (403, "artifact-too-large")), repr(answer)
    assert len(monitor.runners("linux", "Idle")) == 1
    # A refusal is remembered for 5 s.
    wait_until("the same again", lambda: select(monitor, unique_id, run_id).status == 200, 20.0)
