"""The portability matrix: per component whether it runs on the target architecture, what is to be done, and by whom.

Source of the columns and of PASS, FIX and GATE: the Graviton migration runbook, "The portability matrix you gate on".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from cockpit.model.playbook import Waiver


class Mark(StrEnum):
    """How a component stands."""

    PASS = "PASS"  # noqa: S105 (a verdict)
    WAIVED = "WAIVED"
    """Red, and excepted in writing by a waiver that has not expired."""
    GATE = "GATE"
    """It may well run, but somebody has to say so first: a sign-off, a validation on a canary node."""
    FIX = "FIX"
    """It does not run on the target architecture, or would not be scheduled there."""
    UNKNOWN = "UNKNOWN"
    """Nobody could be asked. Never green: what is not known moves nothing."""

    @property
    def red(self) -> bool:
        """It keeps the first phase from starting."""
        return self in (Mark.FIX, Mark.GATE, Mark.UNKNOWN)


WORST_FIRST = (Mark.FIX, Mark.GATE, Mark.UNKNOWN, Mark.WAIVED, Mark.PASS)
"""The order of rows, and which of several marks on one component counts."""


def worst(marks: Iterable[Mark]) -> Mark:
    """The one that counts. At least one."""
    return min(marks, key=WORST_FIRST.index)


class Layer(StrEnum):
    """What kind of component a row is about."""

    IMAGE = "image"
    AGENT = "agent"
    SIDECAR = "sidecar"
    LIBRARY = "library"
    """Native code inside of an image's layers."""
    DEPENDENCY = "dependency"
    """A package that a lockfile names."""
    SCHEDULING = "scheduling"
    TOPOLOGY = "topology"
    AWS = "aws"


@dataclass(frozen=True, slots=True)
class Row:
    """One component.

    `component` is its key, `layer/name`, by which a waiver names it. `status` says what is known of the target architecture and
    `action` what to do, both in words; `owner` who does it, empty when nobody is named. `used_by` are the objects or files that
    bring it; `notes` are worth knowing and gate nothing; `waiver` is the one that applies, an expired one too (then the row
    stays red).
    """

    component: str
    layer: Layer
    mark: Mark
    status: str
    action: str = ""
    owner: str = ""
    used_by: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    waiver: Waiver | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an audit is: `done` of `total` pieces of work, and what it is at. `total` grows while more is found."""

    done: int = 0
    total: int = 0
    doing: str = ""


@dataclass(frozen=True, slots=True)
class Audit:
    """A finished audit, made on `day`, its rows the worst first. `faults` are whole areas that could not be looked at: red.

    `notes` are worth knowing and gate nothing: waivers that nobody needs.
    """

    rows: tuple[Row, ...] = ()
    day: date = date.min
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def red(self) -> Iterator[Row]:
        """What stands in the way."""
        return (row for row in self.rows if row.mark.red)

    @property
    def green(self) -> bool:
        """Every row passes without a waiver, and everything could be looked at. An audit of nothing is not green."""
        return bool(self.rows) and not self.faults and all(row.mark is Mark.PASS for row in self.rows)

    @property
    def clear(self) -> bool:
        """Nothing is red: what did not pass is waived."""
        return bool(self.rows) and not self.faults and not any(self.red())
