"""A plan: the exact writes that would be made, each with what it expects to find and what undoes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cockpit.model.json import Json, digest


@dataclass(frozen=True, slots=True)
class Write:
    """One request that changes the world.

    `target` names it for people; `before` and `after` are the part that changes (for the diff); `request` is what the lever
    sends and `expects` its precondition, both plain JSON so that the journal can hold them.
    """

    lever: str
    target: str
    before: Json
    after: Json
    request: Mapping[str, Json] = field(default_factory=dict)
    expects: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """Writes in the order in which they are made. An empty plan means that the world already is as desired."""

    title: str
    writes: tuple[Write, ...] = ()
    blast_radius: str = ""
    """What this touches, in words: `12 pods roll`, `20% of 1,240 req/s moves`."""

    @property
    def hash(self) -> str:
        """12 hex digits that name exactly these changes: what was approved is compared by it with what is about to be sent."""
        return digest([[w.lever, w.target, w.before, w.after] for w in self.writes])


class Proof(StrEnum):
    """How far a lever's intended value is known to hold."""

    PROVEN = "proven"
    UNPROVEN = "unproven yet"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True, slots=True)
class Mark:
    """Everything of a run on one target: `value` is compared (empty: not settled yet), `words` are shown.

    `who` is whoever else wrote there last, or how to find out; empty when that is not known.
    """

    target: str
    value: str
    words: str
    who: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A lever's three layers as words, and whether the intended one is proven. `why` says what is still missing.

    `marks` are what the lever has on all of its targets, by which a change by others is noticed.
    """

    lever: str
    intended: str
    configured: str
    observed: str
    proof: Proof
    why: str = ""
    marks: tuple[Mark, ...] = ()
