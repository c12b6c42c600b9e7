"""The command palette: every action by name, whatever comes in which order."""

from __future__ import annotations

import pytest

from screens.confirm import RollbackDialog
from screens.help import HelpScreen
from screens.main import MainScreen
from screens.palette import PaletteDialog
from screens.present.keys import palette, searched
from tests.screens import factories as make
from tests.screens.fakes import app_of
from tests.screens.test_keys import SIZE, press, settle


async def test_a_part_of_the_name_and_enter_do_it_once() -> None:
    app, flight = app_of(make.soaking())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "ctrl+p")
        assert isinstance(app.screen, PaletteDialog)
        await press(pilot, *"hold", "enter", "enter")
        assert flight.calls == [("hold",)]
        assert isinstance(app.screen, MainScreen)


async def test_up_and_down_choose_and_nothing_found_does_nothing() -> None:
    app, flight = app_of(make.soaking())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "ctrl+p", *"zzz", "enter")
        assert isinstance(app.screen, PaletteDialog)
        assert "no such command" in app.screen.warning
        at = [action.id for action in palette()].index("help")
        await press(pilot, "backspace", "backspace", "backspace", *["down"] * at, "enter")
        assert isinstance(app.screen, HelpScreen)
        assert flight.calls == []


async def test_the_rollback_key_works_over_it_and_from_it() -> None:
    app, flight = app_of(make.soaking())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "ctrl+p", "r", "R")
        assert isinstance(app.screen, RollbackDialog)
        await press(pilot, "escape", "ctrl+p", *"rol", "enter")
        assert isinstance(app.screen, RollbackDialog)
        assert flight.calls == []


@pytest.mark.parametrize(
    ("typed", "first"), [("roll", "rollback"), ("controls", "controls"), ("promote", "promote"), ("", "promote")]
)
def test_names_are_found_before_help(typed: str, first: str) -> None:
    assert searched(typed)[0].id == first
