"""The audit's screens as pictures. Renew them with `pytest tests/screens/test_audit_snapshots.py --snapshot-update` and look."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cockpit.model.audit import Layer, Mark
from cockpit.model.auditing import Auditing
from tests.audits import TODAY, VETOED, audited, row, waived
from tests.screens.fakes import app_of
from tests.screens.test_audit import UNDER_WAY, frame
from tests.screens.test_snapshots import Compare, name_of, pressing, settled

SIZES = [(80, 24), (120, 40)]
EVERYTHING = audited(
    *VETOED[:1],
    waived(TODAY.replace(day=2)),
    row(Mark.UNKNOWN, "logging/fluent-bit:1.8.3"),
    row(Mark.GATE, "security/edr-sensor", Layer.AGENT),
    row(Mark.FIX, "deployment/payments/payments-api", Layer.SCHEDULING),
    *VETOED[1:],
    faults=("NodePools could not be listed: ana may not list nodepools.karpenter.sh",),
)
STATES: dict[str, Auditing] = {
    "vetoed": audited(*VETOED),
    "everything": EVERYTHING,
    "under-way": UNDER_WAY,
    "again": replace(audited(*VETOED), progress=UNDER_WAY.progress),
}


@pytest.mark.parametrize("size", SIZES, ids=name_of)
@pytest.mark.parametrize("state", STATES)
def test_audit(snap_compare: Compare, state: str, size: tuple[int, int]) -> None:
    assert snap_compare(app_of(frame(STATES[state]))[0], terminal_size=size, run_before=pressing("A"), press=[])


@pytest.mark.parametrize("size", SIZES, ids=name_of)
def test_main_screen_before_the_first_phase(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(app_of(frame(STATES["vetoed"]))[0], terminal_size=size, run_before=settled, press=[])


@pytest.mark.parametrize("size", SIZES, ids=name_of)
def test_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(app_of(frame(EVERYTHING))[0], terminal_size=size, run_before=pressing("A"), press=[])
