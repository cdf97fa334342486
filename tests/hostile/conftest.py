"""The integration tests' world, for clients that mean harm."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

INTEGRATION = Path(__file__).resolve().parents[1] / "integration"
sys.path[:0] = [str(INTEGRATION), str(Path(__file__).resolve().parent)]

import attack  # noqa: E402

spec = importlib.util.spec_from_file_location("integration_conftest", INTEGRATION / "conftest.py")
integration = importlib.util.module_from_spec(spec)
spec.loader.exec_module(integration)

world = integration.world
failed = {}  # tests that did: whether by a time alone


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Times that were too long fail a test that is over, so that nothing else that is wrong is hidden by them."""
    outcome = yield
    report = outcome.get_result()
    slow = report.passed and call.when == "call" and bool(attack.too_slow)
    if slow:
        report.outcome, report.longrepr = "failed", "\n".join(attack.too_slow)
    if call.when == "call":
        item.failed_call = report.failed
        attack.too_slow.clear()
    if report.failed:
        failed[item.nodeid] = slow


def pytest_sessionfinish(session):
    """For `run`: the tests that may be tried again, a line each."""
    if path := os.environ.get("CI_MONITOR_TOO_SLOW"):
        names = (name for name, slow in failed.items() if slow)
        Path(path).write_text("".join(f"{session.config.rootpath / name}\n" for name in names))


@pytest.fixture(scope="session", autouse=True)
def quiet_machine():
    """Where times are judged strictly, what went before has its end first: a soak, a build."""
    if attack.limit() == attack.LIMIT and not attack.wait_for_quiet():
        print("\nthis machine has no quiet second: figures may be its doing")
