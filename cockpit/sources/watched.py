"""A source made of collections that are listed and watched."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from cockpit.clock import Clock
from cockpit.connections.kube import WATCH_READ_SECONDS
from cockpit.model.snapshot import SourceName
from cockpit.sources.base import Batch, Observation, observed
from cockpit.sources.merged import Merged, Part
from cockpit.sources.pace import patience

SILENCE_SECONDS = WATCH_READ_SECONDS + 15.0
"""A watch that has been silent for longer (wall time) has missed its bookmarks and its time-out."""


class WatchedSource:
    """Parts observed as one source."""

    def __init__(self, source: SourceName, parts: Sequence[Part], clock: Clock) -> None:
        self._merged = Merged(source, parts, clock)
        self._names = (source,)
        self._stale_after = patience(clock, SILENCE_SECONDS, SILENCE_SECONDS)

    @property
    def names(self) -> tuple[SourceName, ...]:
        """The one source that it is."""
        return self._names

    @property
    def stale_after(self) -> float:
        """Seconds of the clock; bookmarks and time-outs of watches are a matter of wall time."""
        return self._stale_after

    def batches(self) -> AsyncGenerator[Batch, None]:
        """Observe until cancelled."""
        return self._merged.batches()

    def observe(self) -> AsyncGenerator[Observation, None]:
        """The same, one fact at a time."""
        return observed(self.batches())
