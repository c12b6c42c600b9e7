"""What a preflight looked at, and what it found: an ordered list of checks, all of which are made even when one refuses."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from cockpit.errors import CockpitError
from cockpit.model.pin import Pin


class Result(StrEnum):
    """What came of a check. Only REFUSED keeps a run from starting; NOT_CHECKED is never as good as PASS, and says so."""

    PASS = "pass"  # noqa: S105 (no password)
    WARN = "warn"
    NOT_CHECKED = "not checked"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `words` say what was found and, where something is wrong, the way out; `fault` is the error behind a refusal."""

    name: str
    result: Result
    words: str
    fault: CockpitError | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.name}: {self.words}"


@dataclass(frozen=True, slots=True)
class Report:
    """A whole preflight, in the order in which it is read, and the place that it was about."""

    checks: tuple[Check, ...] = ()
    pin: Pin = field(default_factory=Pin)

    @property
    def refused(self) -> tuple[Check, ...]:
        """What keeps the run from starting."""
        return tuple(c for c in self.checks if c.result is Result.REFUSED)

    @property
    def words(self) -> tuple[str, ...]:
        """Every check in a line."""
        return tuple(str(c) if c.result is Result.PASS else f"{c.result}: {c}" for c in self.checks)
