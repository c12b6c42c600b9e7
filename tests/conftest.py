"""What holds for every test: how hypothesis searches, and that slow tests are for a thorough run."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.thorough import THOROUGH

# Machines are noisy: how fast examples come is no finding. In CI the same examples every time, so that a run there says only
# whether the change is good; everywhere else new ones are looked for.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave slow tests to a thorough run, unless they are asked for by a mark of their own (`-m slow`)."""
    if THOROUGH or config.getoption("-m"):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if not item.get_closest_marker("slow")]
