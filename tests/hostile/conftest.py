"""The integration tests' world, for clients that mean harm."""

import importlib.util
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
pytest_runtest_makereport = integration.pytest_runtest_makereport


@pytest.fixture(scope="session", autouse=True)
def quiet_machine():
    """Where times are judged strictly, what went before has its end first: a soak, a build."""
    if attack.limit() == attack.LIMIT and not attack.wait_for_quiet():
        print("\nthis machine has no quiet second: figures may be its doing")
