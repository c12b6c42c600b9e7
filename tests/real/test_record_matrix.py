"""The matrix's worlds are what this API server returns today: some of each kind of object are recorded again and compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.real import build
from tests.real.record_matrix import Recorder, Store, server
from tests.unit.rules.matrix import files

AGAIN = {
    "binaries": ("exec-format-event-only", "exec-format-init-container", "terminating-pod"),
    "scheduling": ("pending-leftover-selector", "scheduling-gated"),
    "agents": ("agent-missing-pinned", "agent-missing-no-daemonset"),
    "rollouts": ("one-arch-stuck", "quota-full-in-other-units", "hpa-at-maximum"),
    "places": ("label-and-kubelet",),
}
"""By family: every kind of object, a new spec's generations, a pod that is being deleted, objects that are gone."""


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A server of its own: nothing may touch the objects."""
    binaries = build.built()
    if binaries is None:
        pytest.fail("the real control plane is required and not built: run make real")
    store = Store(binaries, tmp_path_factory.mktemp("store"))
    with store:
        yield store


@pytest.fixture(scope="module")
def recorder(plane: Store) -> Recorder:
    return Recorder(plane.admin)


def test_the_base_world_comes_back_as_recorded(plane: Store, recorder: Recorder) -> None:
    assert server(plane.admin) == files.recorded_server()
    assert recorder.base == files.recorded_base()


@pytest.mark.parametrize(("family", "name"), [(family, name) for family, names in AGAIN.items() for name in names])
def test_a_case_comes_back_as_recorded(recorder: Recorder, family: str, name: str) -> None:
    case: dict[str, Any] = next(case for case in files.asked(family) if case["name"] == name)
    assert recorder.record(case) == files.recorded(family)[name]
