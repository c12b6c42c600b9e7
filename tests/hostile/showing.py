"""A child on a terminal: the real app with its real driver, shown frame after poisoned frame on each of its screens.

It takes how many payloads, how many turns, and the seed. On its last line it says what it found out by itself, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from textual.widget import Widget

import screens.app
from cockpit.run.frame import Frame
from screens.actions import ACTIONS
from screens.app import CockpitApp
from tests.hostile.payloads import payloads
from tests.hostile.poison import poisoned, turning
from tests.screens import factories as make
from tests.screens.fakes import FakeFlight

SHOWN: tuple[Callable[[], Frame], ...] = (
    make.soaking,
    make.held,
    make.placing,
    make.offered,
    make.drifted,
    make.down,
    make.rolling_back,
    make.two_person,
    make.reconciled,
    make.rolled_back,
    make.unsynced,
    make.ready,
)
EACH = 5
"""Payloads in each text of one frame; prime to the number of kinds, so that each kind comes first in its turn."""
ASIDE = {"hold", "pace", "quit", "redraw"}
"""Actions that put up no screen in every state."""


@dataclass
class Found:
    """What the child saw of its own app."""

    frames: int = 0
    screens: int = 0
    live: list[str] = field(default_factory=list)
    """Styles that would act on a click."""
    calls: list[str] = field(default_factory=list)


class Shower(CockpitApp):
    """The app, which turns its own pages."""

    CSS_PATH = str(Path(screens.app.__file__).with_name("cockpit.tcss"))

    def __init__(self, flight: FakeFlight, texts: list[str], turns: int, found: Found) -> None:
        async def launch(say: Callable[[str], None]) -> FakeFlight:
            say(texts[0])
            return flight

        super().__init__(launch, texts[1 % len(texts)], tick=3600.0)
        self._fake, self._texts, self._turns, self.found = flight, texts, turns, found

    def bell(self) -> None:
        """Ring none, so that a bell on the terminal is one that a payload rang."""

    def on_ready(self) -> None:
        """Begin to turn pages."""
        self.run_worker(self._turn_pages())

    async def _turn_pages(self) -> None:
        for turn, made in zip(range(self._turns), cycle(SHOWN), strict=False):
            texts = turning(self._texts, turn * EACH)
            self._fake.now, self._fake.answer = poisoned(made(), texts, EACH), next(texts)
            self.tick()
            self.found.frames += 1
            for action in ACTIONS:
                if action.id not in ASIDE:
                    self.action_perform(action.id)
                    await self._drawn()
            self.home()
            self.action_perform("hold")  # answered with a payload
            await self._drawn()
            self._fake.calls.clear()
        self.exit(0)

    async def _drawn(self) -> None:
        done = asyncio.Event()
        self.screen.call_after_refresh(self.screen.call_after_refresh, done.set)
        await done.wait()
        self.found.screens += 1
        for widget in [self.screen, *self.screen.query(Widget)]:
            self.found.live += acting(widget)


def acting(widget: Widget) -> Iterator[str]:
    """Whatever in a widget's lines would act: click actions, links."""
    for y in range(widget.size.height):
        for segment in widget.render_line(y):
            if segment.style and (segment.style.link or any(key.startswith("@") for key in segment.style.meta)):
                yield f"{type(widget).__name__}: {segment.text!r} {segment.style.link} {segment.style.meta}"


def main(count: int, turns: int, seed: int) -> int:
    """Show everything; the app's exit code."""
    found = Found()
    app = Shower(FakeFlight(), list(payloads(count, seed)), turns, found)
    code = app.run()
    report = {"code": code, "failure": app.failure, "frames": found.frames, "screens": found.screens, "live": found.live[:5]}
    sys.stdout.write(f"\nREPORT {json.dumps(report)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
