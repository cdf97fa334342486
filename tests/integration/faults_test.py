"""What GitHub may do wrong to every call, as a table. While it lasts: the dashboard says what is wrong, a job goes on, no runner is
promised twice. When it is over: everything is right again within a bounded time, with no restart and nothing left over (G1,
G2, G5, G6)."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from outside import settle
from under_fault import Pool

PATIENCE_WITH_GITHUB = 15.0  # seconds that the daemon waits for one answer (github_http.hpp)
SECONDARY = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}


@dataclass
class Fault:
    said: str  # how the dashboard's words begin
    fault: dict = field(default_factory=dict)
    operation: str = "*"
    count: int = -1
    seconds: float = 0.5  # that it lasts after the dashboard has said so
    before: float = 4.0  # until the dashboard says so, at most


FAULTS = {
    "500": Fault("server", {"kind": "status", "status": 500}),
    "502": Fault("server", {"kind": "status", "status": 502, "body": "<html>Bad Gateway</html>"}),
    "503-after-acting": Fault("server", {"kind": "status_after_acting", "status": 503}),
    "reset": Fault("unreachable", {"kind": "reset"}),
    "closed": Fault("unreachable", {"kind": "close"}),
    "closed-after-acting": Fault("unreachable", {"kind": "close_after_acting"}),
    "reset-in-the-middle-of-the-body": Fault("unreachable", {"kind": "truncated"}),
    "truncated-json": Fault("malformed", {"kind": "headers", "body": '{"total_count": 3, "runners": [{"id": 30000'}),
    "html": Fault("malformed", {"kind": "not_json"}),
    "wrong-types": Fault("malformed", {"kind": "wrong_types"}, operation="list"),
    "wrong-types-everywhere": Fault("malformed", {"kind": "wrong_types"}),
    # What a token without rights is told of a repository that is not public.
    "404-for-everything": Fault("not_found", {"kind": "status", "status": 404, "body": {"message": "Not Found"}}),
    "10-mb": Fault("malformed", {"kind": "huge", "bytes": 10 << 20}, before=12.0),
    "401-in-mid-run": Fault("unauthorized", {"kind": "status", "status": 401, "body": {"message": "Bad credentials"}}),
    "403-without-rights": Fault("unauthorized", {"kind": "status", "status": 403,
                                                 "body": {"message": "Resource not accessible by integration"}}),
    # A second one would be a reason to wait for a minute.
    "403-with-retry-after": Fault("limited", {"kind": "status", "status": 403, "headers": {"retry-after": "2"}, "body": SECONDARY},
                                  count=1, seconds=0.0),
    "429-with-retry-after": Fault("limited", {"kind": "status", "status": 429, "headers": {"retry-after": "2"}, "body": SECONDARY},
                                  count=1, seconds=0.0),
    "time-out": Fault("unreachable", {"kind": "timeout"}, before=PATIENCE_WITH_GITHUB + 5.0),
    "slow-drip": Fault("unreachable", {"kind": "drip", "seconds": 60}, before=PATIENCE_WITH_GITHUB + 5.0),
}


@pytest.mark.parametrize("name", FAULTS)
def test_g6_github_fails(world, name):
    fault = FAULTS[name]
    pool = Pool(world, job_seconds=fault.before + fault.seconds)
    world.github.fault(fault.operation, count=fault.count, **fault.fault)
    with ThreadPoolExecutor(1) as client:
        take = client.submit(pool.take)
        pool.wait_for_trouble(fault.said, fault.before)
        settle(fault.seconds, "the job goes on", pool.works)
        world.github.no_faults()
        take.result()
    pool.check_right_again()


@pytest.mark.parametrize("status", [403, 429])
def test_g11_a_limit_without_a_time_holds_calls_back_for_a_minute(world, status):
    pool = Pool(world, job_seconds=600)
    world.github.fault("list", "status", status=status, body=SECONDARY, count=1)
    pool.wait_for_trouble("limited", 5.0)
    calls = world.github.state()["counters"].get("list")
    settle(3.0, "GitHub is left alone", lambda: world.github.state()["counters"].get("list") == calls)
    assert pool.take().status == 503
    assert pool.trouble().startswith("limited")
