"""Flying without a screen: one line an event, ending by itself when the run ends or nobody is there to go on."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum

from cockpit.errors import Exit
from cockpit.flight import Flight
from cockpit.model.event import Event
from cockpit.redact import redact_json
from cockpit.run.state import RunState, Stage


class Output(StrEnum):
    """How event lines are written."""

    JSON = "json"
    TEXT = "text"


def line(event: Event, output: Output) -> str:
    """One event as one line: a JSON object, or time, type, phase and words for people."""
    if output is Output.JSON:
        # A request's detail is kept to the letter in the journal, where it is needed; here it is for people and their logs.
        return json.dumps(redact_json(event.as_json()))
    return f"{event.time:%H:%M:%S}  {event.type:<17} {event.phase:<14} {event.message}"


async def fly(flight: Flight, write: Callable[[str], None], output: Output, give_up_after: float) -> Exit:
    """Fly a started flight to the end: held, waiting for a person or stuck for `give_up_after` seconds, it ends as held."""
    for event in flight.events():
        write(line(event, output))
    flight.logbook.listen(lambda event: write(line(event, output)))
    try:
        progress = Progress(flight, give_up_after)
        while not flight.state.stage.ended:
            await flight.next_tick()
            if reason := progress.standstill():
                flight.course.say_finished(f"held: {reason}", outcome="held", reason=reason)
                return Exit.ENDED
        return Exit.OK if flight.state.stage is Stage.COMPLETED else Exit.ENDED
    finally:
        await flight.close()


class Progress:
    """Watches whether a run without a person gets anywhere."""

    def __init__(self, flight: Flight, give_up_after: float) -> None:
        self._flight = flight
        self._patience = give_up_after
        self._mark: tuple[int, Stage] | None = None
        self._best = 0.0
        self._since = flight.clock.monotonic()

    def standstill(self) -> str:
        """Why the run will not go on by itself; empty while it may."""
        state = self._flight.state
        if state.stage.ended or state.stage is Stage.ROLLING_BACK:
            return ""
        if state.hold:
            return state.hold.reason
        picture = self._flight.frame()
        if picture and picture.promote.allowed and not self._flight.promotes_itself():
            return "promote is manual and nobody is here (--autopilot promotes wherever every gate passes)"
        if self._advanced(state):
            return ""
        waits = "; ".join(picture.promote.why) if picture else "nothing has been observed"
        return f"no progress for {self._patience:.0f} s: {waits}"

    def _advanced(self, state: RunState) -> bool:
        """Further than ever before in this phase: a soak that starts anew again and again is no progress."""
        now = self._flight.clock.monotonic()
        mark = (state.phase, state.stage)
        if mark != self._mark or state.soaked > self._best:
            self._mark, self._best, self._since = mark, state.soaked, now
        return now - self._since < self._patience
