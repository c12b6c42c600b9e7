"""How far away the terminal is, and drawing less for a slow line.

Textual asks every terminal at the start whether it can take a picture at once (mode 2026): its answer is timed anyway. After the
first pictures the cursor's place is asked for (CPR), whose answer comes after they have crossed the line. Textual's own reader
takes both answers out of the input, so that they are no keys; a terminal that answers nothing is left as it is.
"""

from __future__ import annotations

from textual import events, messages, on
from textual.app import ReturnType

from screens.thin import ThinApp

LIMIT = 0.12
"""Seconds from which on an answer is slow. A cockpit on the same continent hears in under 0.05."""
NEEDED = 2
"""Slow answers that make a slow line: one may be late because this machine is busy starting."""
MOST = 2
"""Times that the cursor's place is asked for."""
WHERE = "\x1b[6n"


class RoundTrips:
    """The terminal's answers, in seconds of one monotonic clock."""

    def __init__(self) -> None:
        self.took: list[float] = []
        self._asked: dict[str, float] = {}

    def asked(self, what: str, at: float) -> None:
        """The terminal was asked."""
        self._asked[what] = at

    def answered(self, what: str, at: float) -> None:
        """It has answered; what was not asked is nobody's answer."""
        if (since := self._asked.pop(what, None)) is not None:
            self.took.append(at - since)

    @property
    def waits(self) -> bool:
        """An answer about the cursor has not come yet."""
        return WHERE in self._asked

    @property
    def slow(self) -> float:
        """The round trip of a slow line; 0 while it is not known to be one."""
        late = [seconds for seconds in self.took if seconds >= LIMIT]
        return min(late) if len(late) >= NEEDED else 0.0


class PacedApp(ThinApp[ReturnType]):
    """`low_bandwidth` is what the command line says; None: the line is measured. `slow` is how it draws now."""

    def __init__(self, low_bandwidth: bool | None = None) -> None:
        super().__init__()
        self.slow = bool(low_bandwidth)
        self.trips = RoundTrips()
        self._measures = low_bandwidth is None
        self._questions = 0

    def choose(self, slow: bool, why: str) -> None:
        """Draw so from now on, and say why."""
        self.slow = slow
        self.reply(why)

    def reply(self, words: str) -> None:
        """Tell the operator."""
        raise NotImplementedError

    def toggle_pace(self) -> None:
        """The other way, and no more by what is measured."""
        self._measures = False
        self.choose(not self.slow, "full pace" if self.slow else "slow line: 1 Hz, without trends")

    def heard(self, what: str, at: float) -> None:
        """An answer has come; two late ones make a slow line."""
        self.trips.answered(what, at)
        if self._measures and (late := self.trips.slow):
            self._measures = False
            self.choose(True, f"slow line: 1 Hz (the terminal answers in {late:.2f} s; w draws at full pace)")

    def displayed(self) -> None:
        """A picture was written: ask when it has come."""
        driver = self._driver
        asks = self._measures and self._questions < MOST and not self.trips.waits
        if asks and driver is not None and getattr(driver, "input_tty", False):
            self._questions += 1
            self.trips.asked(WHERE, events.Event().time)
            driver.write(WHERE)

    def on_load(self) -> None:
        """Textual starts its driver right after this, and asks."""
        self.trips.asked("2026", events.Event().time)

    @on(messages.TerminalSupportsSynchronizedOutput)
    def _synchronizes(self, message: messages.TerminalSupportsSynchronizedOutput) -> None:
        self.heard("2026", message.time)

    @on(events.CursorPosition)
    def _stands(self, event: events.CursorPosition) -> None:
        self.heard(WHERE, event.time)
