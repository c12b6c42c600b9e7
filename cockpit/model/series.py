"""Samples of a signal over time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

LONGEST_WINDOW = timedelta(hours=24)
"""Samples are kept for no longer, so nothing can be judged over more."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement, with the time that the metrics server gave it."""

    time: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """Samples of one signal and architecture, oldest first. `error` says why the newest query gave none."""

    samples: tuple[Sample, ...] = ()
    error: str = ""
    error_is_no_data: bool = False
    """The server answered, but with an empty vector or NaN (no traffic): no data, rather than a fault."""

    @property
    def latest(self) -> Sample | None:
        """The newest sample."""
        return self.samples[-1] if self.samples else None

    @property
    def standing(self) -> tuple[Sample, ...]:
        """The samples that still say something about now: none once the server answers that there is no such series."""
        return () if self.error_is_no_data else self.samples

    def since(self, start: datetime) -> tuple[Sample, ...]:
        """The samples at or after `start`."""
        return self.samples[bisect_left(self.samples, start, key=lambda sample: sample.time) :]


def middle(samples: Iterable[Sample]) -> float | None:
    """The median value, None of nothing."""
    values = [s.value for s in samples]
    return median(values) if values else None
