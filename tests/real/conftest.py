"""The real plane as a fixture, or one clear word on why there is none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real import build
from tests.real.content import populate, wait_rolled_out
from tests.real.plane import Plane

HERE = Path(__file__).parent
REQUIRED = os.environ.get("COCKPIT_REAL") == "required"
"""Set where a missing plane is a failure and not a skip."""
PLANES = frozenset({"plane", "cluster"})
"""The fixtures that start a plane."""
SECONDS = 300
"""The first test waits for the whole plane."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs the plane when it has not been built, or when several workers would each start one: one skip for all."""
    ours = [item for item in items if HERE in item.path.parents and not PLANES.isdisjoint(getattr(item, "fixturenames", ()))]
    for item in ours:
        item.add_marker(pytest.mark.timeout(SECONDS))
    reason = "" if REQUIRED else _missing()
    if ours and reason:
        ours[0].add_marker(pytest.mark.skip(reason=f"all {len(ours)} tests of tests/real: {reason}"))
        items[:] = [item for item in items if item is ours[0] or item not in ours]


def _missing() -> str:
    if "PYTEST_XDIST_WORKER" in os.environ:
        return "the real control plane is not shared between workers: run make real"
    return "" if build.built() else "the real control plane is not built: run make real"


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """The plane with the shipped playbooks' content rolled out. One for the whole session: put back what you change."""
    binaries = build.built()
    if binaries is None:
        pytest.fail("the real control plane is required and not built: run make real")
    with Plane(binaries, tmp_path_factory.mktemp("plane")) as plane:
        populate(plane.admin)
        wait_rolled_out(plane.admin)
        yield plane
