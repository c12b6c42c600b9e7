"""Screens that are left before they are whole, at every moment of their being put up: nothing may come of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from textual.screen import Screen

from cockpit.run.frame import Frame
from screens.confirm import ApproveDialog, PromoteDialog, QuitDialog, RollbackDialog
from screens.controls import ControlsDialog
from screens.detail import DetailScreen
from screens.help import HelpScreen
from screens.log import LogScreen
from screens.main import MainScreen
from screens.matrix import MatrixScreen
from screens.palette import PaletteDialog
from screens.plan import PlanScreen
from tests.fuzz.hands import key
from tests.screens import factories as make
from tests.screens.fakes import app_of
from tests.screens.test_keys import SIZE, settle

MOMENTS = 14
"""Turns of the event loop, in which a screen has long been put up."""
EVERY: dict[str, Callable[[Frame], Screen[None]]] = {
    "promote": PromoteDialog,
    "approve": ApproveDialog,
    "rollback": lambda _: RollbackDialog(),
    "quit": lambda _: QuitDialog(),
    "controls": lambda frame: ControlsDialog(frame.controls),
    "palette": lambda _: PaletteDialog(),
    "plan": lambda _: PlanScreen(),
    "matrix": lambda _: MatrixScreen(),
    "log": lambda _: LogScreen(),
    "help": lambda _: HelpScreen(),
    "detail": lambda _: DetailScreen(1),
}


@pytest.mark.parametrize("name", EVERY)
async def test_a_screen_that_is_left_at_once_is_no_trouble(name: str) -> None:
    frame = make.promotable()
    app, flight = app_of(frame)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        for moment in range(MOMENTS):
            screen = EVERY[name](frame)
            app.push_screen(screen)
            for _ in range(moment):
                await asyncio.sleep(0)
            app.home()
            for pressed in ("down", "a", "enter"):
                screen.post_message(key(pressed))
            await settle(pilot)
            assert isinstance(app.screen, MainScreen)
        app.tick()
        await settle(pilot)
        assert app.is_running
    assert flight.calls == []
