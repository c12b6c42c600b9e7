"""The verdict on one AWS resource, and how verdicts of several depend on each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from cockpit.model.audit import Layer, Mark, Row, worst
from cockpit.model.surfaces import Surface


class Place(StrEnum):
    """What a resource is a place for. Of each there must be one for arm64; more of them may well be for x86."""

    NODES = "nodes"
    BUILDS = "builds"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of one resource. `left_behind` is set for a place that is in order and for x86 alone."""

    mark: Mark
    status: str
    action: str = ""
    notes: tuple[str, ...] = ()
    left_behind: Place | None = None
    serves: Place | None = None
    """It is a place for arm64."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A resource with its verdict. `used_by` are those that it belongs to."""

    surface: Surface
    name: str
    verdict: Verdict
    owner: str = ""
    used_by: tuple[str, ...] = ()


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """One verdict on a resource of several parts: the worst mark, with what is said and to be done for each. At least one."""
    mark = worst(v.mark for v in verdicts)
    said = dict.fromkeys(v.status for v in verdicts)
    do = dict.fromkeys(v.action for v in verdicts if v.action)
    return Verdict(mark, "; ".join(said), "; ".join(do), tuple(note for v in verdicts for note in v.notes))


_NEEDED = {
    Place.NODES: "nothing that the playbook names launches arm64 nodes: add a group or NodePool that does",
    Place.BUILDS: "arm64 images would come from emulation or cross-compilation: add a project of type ARM_CONTAINER",
}


def settle(judged: Sequence[Judged]) -> tuple[Row, ...]:
    """The rows. What is for x86 alone passes beside something that does the same for arm64, and is to be fixed without it."""
    serving = {place: next((j for j in judged if j.verdict.serves is place), None) for place in Place}
    return tuple(_row(one, serving.get(one.verdict.left_behind) if one.verdict.left_behind else None) for one in judged)


def unknown(surface: Surface, name: str, why: str, owner: str = "", action: str = "") -> Judged:
    """A resource of which nothing could be learned."""
    return Judged(surface, name, Verdict(Mark.UNKNOWN, why, action), owner)


def component(surface: Surface, name: str) -> str:
    """The key by which a waiver names a resource."""
    return f"{Layer.AWS}/{surface}/{name}"


def _row(one: Judged, beside: Judged | None) -> Row:
    verdict = one.verdict
    if place := verdict.left_behind:
        said = f"{verdict.status}; arm64: {component(beside.surface, beside.name)}" if beside else verdict.status
        mark = Mark.PASS if beside else Mark.GATE if place is Place.BUILDS else Mark.FIX
        verdict = replace(verdict, mark=mark, status=said, action=verdict.action if beside else _NEEDED[place])
    return Row(
        component(one.surface, one.name),
        Layer.AWS,
        verdict.mark,
        verdict.status,
        verdict.action,
        one.owner,
        one.used_by,
        verdict.notes,
    )
