"""The screens as pictures. Renew them with `pytest tests/screens/test_snapshots.py --snapshot-update` and look at every one."""

from __future__ import annotations

from typing import Protocol

import pytest
from textual.app import App
from textual.pilot import Pilot

from tests.screens import factories as make
from tests.screens.fakes import app_of

SIZES = [(80, 24), (120, 40)]
STATES = [
    "ready",
    "soaking",
    "promotable",
    "held",
    "rolling_back",
    "rolled_back",
    "completed",
    "stale",
    "down",
    "unsynced",
    "placing",
    "watching",
    "lost",
    "drifted",
    "trying",
]
DIALOGS = [
    ("promotable", "p"),
    ("soaking", "R"),
    ("placing", "R"),
    ("soaking", "q"),
    ("soaking", "t"),
    ("watching", "t"),
    ("approving", "p"),
    ("watching", "R"),
    ("soaking", "ctrl+p"),
]
LISTINGS = [("soaking", "d"), ("held", "l"), ("soaking", "question_mark"), ("placing", "1"), ("soaking", "4"), ("down", "5")]


class Compare(Protocol):
    """What pytest-textual-snapshot hands to a test."""

    def __call__(self, app: App[int], *, terminal_size: tuple[int, int], run_before: object, press: list[str]) -> bool: ...


async def settled(pilot: Pilot[int]) -> None:
    await pilot.pause()
    await pilot.pause()


def name_of(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


@pytest.mark.parametrize("size", SIZES, ids=name_of)
@pytest.mark.parametrize("state", STATES)
def test_main_screen(snap_compare: Compare, state: str, size: tuple[int, int]) -> None:
    app, _ = app_of(make.FRAMES[state]())
    assert snap_compare(app, terminal_size=size, run_before=settled, press=[])


@pytest.mark.parametrize("size", SIZES, ids=name_of)
@pytest.mark.parametrize(("state", "key"), DIALOGS)
def test_dialog(snap_compare: Compare, state: str, key: str, size: tuple[int, int]) -> None:
    assert snap_compare(app_of(make.FRAMES[state]())[0], terminal_size=size, run_before=pressing(key), press=[])


@pytest.mark.parametrize("size", SIZES, ids=name_of)
@pytest.mark.parametrize(("state", "key"), LISTINGS)
def test_listing(snap_compare: Compare, state: str, key: str, size: tuple[int, int]) -> None:
    assert snap_compare(app_of(make.FRAMES[state]())[0], terminal_size=size, run_before=pressing(key), press=[])


def test_starting(snap_compare: Compare) -> None:
    assert snap_compare(app_of(None)[0], terminal_size=(120, 40), run_before=settled, press=[])


def test_too_small(snap_compare: Compare) -> None:
    assert snap_compare(app_of(make.held())[0], terminal_size=(60, 20), run_before=settled, press=[])


@pytest.mark.parametrize("size", SIZES, ids=name_of)
def test_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(app_of(make.held())[0], terminal_size=size, run_before=settled, press=[])


def pressing(key: str) -> object:
    """Press a key once the first frame stands."""

    async def run(pilot: Pilot[int]) -> None:
        await settled(pilot)
        await pilot.press(key)
        await settled(pilot)

    return run
