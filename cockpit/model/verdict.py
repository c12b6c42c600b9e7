"""What a gate or an abort trigger says. Only PASS promotes, only FAIL aborts, all others hold and say why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

SHOWN = 20
"""Raw values of a side that evidence carries."""


class Outcome(StrEnum):
    """The closed list of outcomes."""

    PASS = "PASS"  # noqa: S105 (no password)
    FAIL = "FAIL"
    NO_DATA = "NO_DATA"
    STALE = "STALE"
    ERROR = "ERROR"
    LOW_SAMPLES = "LOW_SAMPLES"

    @property
    def blind(self) -> bool:
        """Nothing can be said: neither good nor bad."""
        return self in (Outcome.NO_DATA, Outcome.STALE, Outcome.ERROR)


@dataclass(frozen=True, slots=True)
class Side:
    """What was measured on one architecture: the query as sent, samples used, age of the newest in seconds, newest values."""

    query: str = ""
    n: int = 0
    age: float | None = None
    values: tuple[float, ...] = ()
    """The newest values as they came, oldest first; at most SHOWN."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a verdict on measurements rests on; None is what was not asked.

    `statistic` is Mann-Whitney's U of the canary, `p` its two-sided chance without a difference, corrected for `overlap`, the
    number of neighbouring samples that share a window. `effect` is the chance that a value of the canary is the larger one.
    `interval` holds the drift (or the share) with confidence `level`.
    """

    sides: Mapping[str, Side] = field(default_factory=dict)
    """By architecture."""
    statistic: float | None = None
    p: float | None = None
    exact: bool = False
    effect: float | None = None
    estimate: float | None = None
    interval: tuple[float, float] | None = None
    level: float = 0.9
    overlap: float = 1.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome, what was judged (`gate`, short words for people), why, and the numbers behind it."""

    gate: str
    outcome: Outcome
    reason: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    details: tuple[str, ...] = ()
    """What was looked at, one short line each, the deciding ones first."""
    evidence: Evidence | None = None
    """None where nothing is measured, but a state is looked at."""

    @property
    def passed(self) -> bool:
        """The outcome is PASS."""
        return self.outcome is Outcome.PASS
