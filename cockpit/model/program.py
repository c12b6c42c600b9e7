"""A program: the tiers of an estate in the order in which they are moved, and how each of their playbooks stands. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Done:
    """A tier that was moved by other means than a playbook, on whose word."""

    by: str
    on: date


@dataclass(frozen=True, slots=True)
class Tier:
    """One step of the program. `playbooks` are files; `after` are the tiers that must be complete before it starts."""

    name: str
    description: str = ""
    playbooks: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    done: Done | None = None


@dataclass(frozen=True, slots=True)
class EarlyStart:
    """A written exception: `tier` may start although `before`, which it depends on, is not complete. Counts until `expires`."""

    tier: str
    before: str
    reason: str
    owner: str
    expires: date

    def words(self) -> str:
        """`stateless before lambda, by team-web until 2026-12-15: why`."""
        return f"{self.tier} before {self.before}, by {self.owner} until {self.expires}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Program:
    """A whole, valid program. A tier comes after every one that it depends on; `source` is the file it was read from."""

    name: str
    tiers: tuple[Tier, ...]
    waivers: tuple[EarlyStart, ...] = ()
    description: str = ""
    owner: str = ""
    source: str = ""

    def tier(self, name: str) -> Tier | None:
        """The tier of that name."""
        return next((tier for tier in self.tiers if tier.name == name), None)

    def tier_of(self, playbook: str) -> Tier | None:
        """The tier that lists this file."""
        return next((tier for tier in self.tiers if playbook in tier.playbooks), None)


class Standing(StrEnum):
    """How far the run of a playbook is."""

    NOT_BEGUN = "not begun"
    UNDER_WAY = "under way"
    HELD = "held"
    COMPLETED = "completed"
    ROLLED_BACK = "rolled back"
    FAILED = "rollback failed"
    UNKNOWN = "unknown"

    @property
    def going(self) -> bool:
        """A run is there that somebody has to see to its end."""
        return self in (Standing.UNDER_WAY, Standing.HELD, Standing.FAILED)


class Word(StrEnum):
    """On whose word a standing is known."""

    CLUSTER = "cluster"
    """The run's record in the cluster: what every cockpit shares."""
    HISTORY = "history"
    """This machine's journals; another machine may know of later runs."""
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Position:
    """How a playbook stands, on whose `word`. `why` says why the cluster's is not known; `who` has the controls, `colour` is that
    of its last recorded audit; each empty when not known. `phase` is the one that it is in.
    """

    standing: Standing = Standing.UNKNOWN
    word: Word = Word.NOBODY
    phase: str = ""
    who: str = ""
    colour: str = ""
    why: str = ""

    @property
    def proven(self) -> bool:
        """Completed, as the cluster itself has it: what one machine remembers may be old, and moves nothing."""
        return self.standing is Standing.COMPLETED and self.word is Word.CLUSTER

    @property
    def begun(self) -> bool:
        """A run is there to go on with, as the cluster itself has it."""
        return self.standing.going and self.word is Word.CLUSTER


UNKNOWN = Position()


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A tier that another one depends on and that is not complete: `why`, and the waiver that names it, an expired one too."""

    tier: str
    why: str
    waiver: EarlyStart | None = None
    waived: bool = False


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A line of the board: one playbook of a tier, or a tier without any (then `playbook` is empty)."""

    tier: str
    playbook: str
    position: Position
    complete: bool = False
    blockers: tuple[str, ...] = ()
    waivers: tuple[EarlyStart, ...] = ()
    step: str = ""
    """The next legal step, in words."""


@dataclass(frozen=True, slots=True)
class Board:
    """A program with how everything in it stands."""

    program: Program
    rows: tuple[BoardRow, ...]
