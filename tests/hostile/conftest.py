"""The integration tests' world, for clients that mean harm."""

import importlib.util
import sys
from pathlib import Path

INTEGRATION = Path(__file__).resolve().parents[1] / "integration"
sys.path[:0] = [str(INTEGRATION), str(Path(__file__).resolve().parent)]

spec = importlib.util.spec_from_file_location("integration_conftest", INTEGRATION / "conftest.py")
integration = importlib.util.module_from_spec(spec)
spec.loader.exec_module(integration)

world = integration.world
pytest_runtest_makereport = integration.pytest_runtest_makereport
