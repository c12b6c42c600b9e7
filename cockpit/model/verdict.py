"""What a gate or an abort trigger says. Only PASS promotes, only FAIL aborts, all others hold and say why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


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
class Verdict:
    """An outcome, what was judged (`gate`, short words for people), why, and the numbers behind it."""

    gate: str
    outcome: Outcome
    reason: str
    numbers: Mapping[str, float] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """The outcome is PASS."""
        return self.outcome is Outcome.PASS
