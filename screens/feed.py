"""The feed: launches the flight once the first frame is painted, and hands a new frame to the active screen on a tick."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

from textual.timer import Timer

from cockpit.crash import report
from cockpit.errors import CockpitError
from cockpit.run.frame import Frame
from cockpit.run.state import Stage
from screens.flight import Flight
from screens.messages import FramePublished, LaunchProgressed
from screens.pace import PacedApp
from screens.present.alerts import rings
from screens.present.alike import alike
from screens.present.controls import told
from screens.present.trouble import way_back
from screens.present.view import View
from screens.themes import NIGHT

Launch = Callable[[Callable[[str], None]], Awaitable[Flight]]
TICK = 0.5
SLOW_TICK = LEAST_SECONDS = 1.0
"""Wall seconds between two pictures over a slow line, and at most between two that differ by the time alone."""
REPLY_SECONDS = 4.0
FIRST_SECONDS = 0.1
FIRST_LOOKS = 50
LOOKS, SLOW_LOOKS = 3, 10
"""Every so many first looks one is drawn, though no other source has been heard from: at most 4 a second, or 1."""


class Feed(PacedApp[int]):
    """An app that is fed by a flight, which `launch` builds. `tick` is in seconds of wall time."""

    def __init__(self, launch: Launch, title: str, tick: float = TICK, low_bandwidth: bool | None = None) -> None:
        super().__init__(low_bandwidth)
        self.register_theme(NIGHT)
        self.theme = NIGHT.name
        self.title = title
        self.failure = ""
        """Why launching failed, for stderr once the terminal is restored."""
        self.flight: Flight | None = None
        self.view = View(title=title)
        self._launch, self._tick_seconds = launch, tick
        self._timer: Timer | None = None
        self._begun = False
        self._starting = self._reply = ""
        self._reply_left = self._since_frame = self._unsaid = 0.0

    def begin(self) -> None:
        """Launch, once."""
        if not self._begun:
            self._begun = True
            self._tick_again()
            self.run_worker(self._begin(), name="launch")

    @property
    def _pace(self) -> float:
        """Seconds between two ticks now."""
        return max(SLOW_TICK, self._tick_seconds) if self.slow else self._tick_seconds

    def _tick_again(self) -> None:
        if self._timer:
            self._timer.stop()
        self._timer = self.set_interval(self._pace, self.tick)

    def choose(self, slow: bool, why: str) -> None:
        """Draw at another pace, and say so."""
        super().choose(slow, why)
        if self._begun:
            self._tick_again()

    async def _begin(self) -> None:
        try:
            self.flight = await self._launch(self._say)
        except CockpitError as error:
            self.failure = str(error)
            self.exit(int(error.exit_code), return_code=int(error.exit_code))
        else:
            await self._first_picture(self.flight)

    async def _first_picture(self, flight: Flight) -> None:
        """Until every source has been heard from, look more often than the tick: somebody has just opened this and waits."""
        told = -1
        for look in range(FIRST_LOOKS):
            frame = flight.frame()
            states = frame.snapshot.sources.values() if frame else ()
            heard = sum(state.age is not None or bool(state.why) for state in states)
            if (heard != told and not self.slow) or look % (SLOW_LOOKS if self.slow else LOOKS) == 0:
                self.publish()
            if frame and heard == len(states):
                return
            told = heard
            await asyncio.sleep(FIRST_SECONDS)

    def _say(self, words: str) -> None:
        self.post_message(LaunchProgressed(words))

    def on_launch_progressed(self, event: LaunchProgressed) -> None:
        """Say how far starting has come."""
        self._starting = event.words
        self.publish()

    def tick(self) -> None:
        """Hand on a new frame; without one, count how long it has been missing."""
        old = self.view.frame
        frame = self.flight.frame() if self.flight else None
        fresh = frame is not None and frame is not old
        self._since_frame = 0.0 if fresh else self._since_frame + self._pace
        self._reply_left -= self._pace
        moved = old is not None and frame is not None and _standing(old) != _standing(frame)
        if self._reply and (self._reply_left <= 0 or moved):
            self._reply = ""
        if frame is not None and (words := told(old, frame)):
            self._reply, self._reply_left = words, REPLY_SECONDS
        self._unsaid += self._pace
        # Half of a quiet run's drawing is the same second again.
        same = fresh and old is not None and frame is not None and self._unsaid < LEAST_SECONDS and alike(old, frame)
        if not same or self._reply != self.view.reply:
            self.publish()
        if fresh and frame is not None and rings(old, frame):
            self.bell()

    def publish(self) -> None:
        """Give the active screen what there is to draw."""
        frame = self.flight.frame() if self.flight else None
        size = (self.size.width, self.size.height)
        self._unsaid = 0.0
        self.view = View(self.title or "", frame, self._starting, self._reply, size, self._since_frame, self.slow)
        self.screen.post_message(FramePublished(self.view))

    def on_resize(self) -> None:
        """Everything is drawn for a size, which Textual sets once this has returned."""
        self.call_later(self.publish)

    def _fatal_error(self) -> None:
        # Textual would print a traceback with every local variable, secrets among them.
        error = self._exception or sys.exc_info()[1] or RuntimeError("unknown")
        self.failure = report(getattr(error, "error", error))
        self._close_messages_no_wait()

    async def on_unmount(self) -> None:
        """Stop observing; nothing is changed in the world."""
        if self.flight:
            await self.flight.close()

    def unsay(self) -> None:
        """Take the answer to the last key away: the next one was pressed."""
        if self._reply:
            self._reply = ""
            self.publish()

    def reply(self, words: str) -> None:
        """Answer a key in the notice line, for a few seconds."""
        self._reply, self._reply_left = words, REPLY_SECONDS
        self.publish()


def _standing(frame: Frame) -> tuple[Stage, int, bool, bool]:
    """What makes an answer to a key old news once it changes."""
    return frame.state.stage, frame.state.phase, frame.state.hold is not None, bool(way_back(frame))
