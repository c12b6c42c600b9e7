"""Pictures of the long lists and of nodes that stream in. Look at every one that is renewed."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from tests.screens.fakes import app_of
from tests.screens.test_listed import frame
from tests.screens.test_reading import coming
from tests.screens.test_snapshots import SIZES, Compare, name_of, settled


def pressing(*keys: str) -> object:
    """Press keys once the first frame stands."""

    async def run(pilot: Pilot[int]) -> None:
        await settled(pilot)
        for key in keys:
            await pilot.press(key)
            await settled(pilot)

    return run


@pytest.mark.parametrize("size", SIZES, ids=name_of)
def test_filtered(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(app_of(frame())[0], terminal_size=size, run_before=pressing("1", "s", "slash", *"ip-10-0-2-11"), press=[])


@pytest.mark.parametrize("size", SIZES, ids=name_of)
def test_reading(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(app_of(coming(1500, 5000))[0], terminal_size=size, run_before=settled, press=[])


def test_slow(snap_compare: Compare) -> None:
    assert snap_compare(app_of(frame())[0], terminal_size=(120, 40), run_before=pressing("w"), press=[])


def test_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    run = pressing("1", "slash", *"arm64 not")
    assert snap_compare(app_of(frame())[0], terminal_size=(80, 24), run_before=run, press=[])
