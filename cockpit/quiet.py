"""Python's cyclic garbage collector, kept out of the way of keys and ticks.

By default it walks every object there is each time their number has grown by a quarter: of a whole list of 5,000 nodes that is
most of what reading it costs, and later a pause of tens of milliseconds at any moment, while nothing that it walks is garbage:
model objects are trees, and reference counts free them. So here only the young are collected as they come, which is cheap, and
the old between two ticks, when nobody waits. Whatever lives on is then set aside (frozen) and walked again only now and then:
cycles that come to an end there, of screens and of tasks that failed, are found a few minutes later.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from types import TracebackType

YOUNG = 5_000
"""Objects more than before, at which the young ones are collected; 700 by default."""
NEVER = 1_000_000_000
EVERY = 5.0
"""Seconds between two collections of what is not set aside."""
LONG = 0.004
"""Seconds of CPU that one of these may take, before what has survived it is set aside."""
WHOLE = 600.0
"""Seconds between two collections of everything."""


class Quiet:
    """The policy while it is entered; afterwards the collector is as it was. `clock` and `spent` are in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, spent: Callable[[], float] = time.thread_time) -> None:
        self._clock = clock
        self._spent = spent
        self._before = gc.get_threshold()
        self._collected = self._walked = clock()
        self._settled = False

    def __enter__(self) -> Quiet:
        self._before = gc.get_threshold()
        if self._before[0]:  # whoever has switched it off meant it
            gc.set_threshold(YOUNG, self._before[1], NEVER)
        gc.freeze()  # modules and classes, which stay
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        gc.unfreeze()
        gc.set_threshold(*self._before)

    def rest(self, busy: bool = False) -> None:
        """Nobody waits just now: collect what is due. `busy` when something is written, which is no time to walk through all."""
        now = self._clock()
        if now - self._walked >= WHOLE and not busy:
            self._walked = self._collected = now
            gc.unfreeze()
            gc.collect()
            gc.freeze()
        elif now - self._collected >= EVERY:
            self._collected = now
            self._rest()

    def _rest(self) -> None:
        began = self._spent()
        if self._settled:
            gc.collect()
        # The first time everything that was imported and read since the start would be walked: it has come to stay.
        if not self._settled or self._spent() - began > LONG:
            gc.freeze()
        self._settled = True
