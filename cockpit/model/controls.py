"""Who has the controls of a run: one cockpit at most, by a Lease in the target's namespace. All others watch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Standing(StrEnum):
    """Where this cockpit stands."""

    MINE = "mine"
    THEIRS = "theirs"
    FREE = "free"
    """Nobody has them: they were handed back, or their holder has not been heard from for the whole of its lease."""
    UNKNOWN = "unknown"
    """The Lease cannot be read or renewed: this cockpit writes nothing but a rollback."""
    NONE = "none"
    """This cockpit takes none: it only observes, or nothing that it writes is kept."""


@dataclass(frozen=True, slots=True)
class Cockpit:
    """One running cockpit. `id` is random and its own; `operator` is `user@host`; `user` is who the API server says it is."""

    id: str
    operator: str
    user: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """A second person's word for exactly one plan of one phase of one run; `user` is who the API server says they are."""

    run: str
    phase: str
    plan_hash: str
    operator: str
    user: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Controls:
    """What is known of the controls at a tick. `epoch` grows with every change of hands; `since` is when the holder took them."""

    standing: Standing = Standing.NONE
    me: Cockpit | None = None
    holder: Cockpit | None = None
    """Who has them, or had them last."""
    epoch: int = 0
    since: datetime | None = None
    watchers: tuple[Cockpit, ...] = ()
    """Every other cockpit that is there and does not have them; those that only observe write nothing, so they are not seen."""
    offered_to: str = ""
    """The `id` of the cockpit that the holder hands them to, empty when it does not."""
    approval: Approval | None = None
    why: str = ""
    """What stands in the way, for people; empty when nothing does."""

    @property
    def mine(self) -> bool:
        """This cockpit may write."""
        return self.standing is Standing.MINE

    @property
    def offered_to_me(self) -> bool:
        """The holder hands them to this cockpit."""
        return self.me is not None and self.offered_to == self.me.id


NOBODY = Controls()
"""Of a cockpit that takes no controls."""
