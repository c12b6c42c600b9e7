"""The drift tripwire: what a run has written is compared, look by look, with how it stood when it was first seen to be right.

A look counts only from a live source. A write of our own is younger than what a source may still show, so nothing is called a
change until what was written has been seen once, or the source has been asked again for a while.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from cockpit.model.plan import Mark, Proof, Reading

CONFIRM = 2
"""Looks in a row that must show the same change before it is told."""
GONE = "gone"


@dataclass(frozen=True, slots=True)
class Change:
    """What others changed: `was` and `found` in words; `who` is empty when it is not known."""

    lever: str
    target: str
    was: str
    found: str
    who: str = ""

    def __str__(self) -> str:
        by = f"; who: {self.who}" if self.who else ""
        return f"{self.lever}: {self.target}: was {self.was}, is {self.found}{by}"


@dataclass(frozen=True, slots=True)
class Look:
    """One lever at one moment. `fresh`: what is shown cannot be older than the last write."""

    reading: Reading
    live: bool
    fresh: bool


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered between looks: marks by lever and target, and how often each change was seen in a row."""

    marks: Mapping[tuple[str, str], Mark] = field(default_factory=dict)
    settled: frozenset[str] = frozenset()
    """The levers whose writes have been seen to be there."""
    seen: Mapping[Change, int] = field(default_factory=dict)
    told: frozenset[Change] = frozenset()

    def again(self) -> Memory:
        """The same, but every change that is still there is told once more."""
        return replace(self, told=frozenset())


def watch(memory: Memory, looks: Iterable[Look]) -> tuple[Memory, tuple[Change, ...]]:
    """The memory after these looks, and the changes to tell now: each once, for as long as it stays."""
    marks, settled = dict(memory.marks), set(memory.settled)
    seen: dict[Change, int] = {}
    for look in looks:
        lever = look.reading.lever
        if not look.live:
            # Nothing is known of it: what was noticed so far neither counts on nor goes away.
            seen |= {change: count for change, count in memory.seen.items() if change.lever == lever}
            continue
        if look.reading.proof is not Proof.CONTRADICTED:
            settled.add(lever)
        if lever not in settled:
            if look.fresh:
                seen |= _counted(memory, [_contradicted(look.reading)])
            continue
        for mark in look.reading.marks:
            if mark.value and look.reading.proof is not Proof.CONTRADICTED:
                marks.setdefault((lever, mark.target), mark)
        seen |= _counted(memory, _changes(look.reading, marks))
    standing = {change for change, count in seen.items() if count >= CONFIRM}
    told = tuple(change for change in seen if change in standing and change not in memory.told)
    return Memory(marks, frozenset(settled), seen, frozenset(standing)), told


def _counted(memory: Memory, changes: Iterable[Change]) -> dict[Change, int]:
    return {change: memory.seen.get(change, 0) + 1 for change in changes}


def _changes(reading: Reading, marks: Mapping[tuple[str, str], Mark]) -> list[Change]:
    now = {mark.target: mark for mark in reading.marks}
    found = []
    for (lever, target), was in marks.items():
        if lever != reading.lever:
            continue
        mark = now.get(target)
        if mark is None:
            found.append(Change(lever, target, was.words, GONE))
        elif mark.value != was.value:
            found.append(Change(lever, target, was.words, mark.words, mark.who))
    if not found and reading.proof is Proof.CONTRADICTED:
        found.append(_contradicted(reading))
    return found


def _contradicted(reading: Reading) -> Change:
    """What a reading says by itself, where nothing is remembered to compare with."""
    who = "; ".join(dict.fromkeys(mark.who for mark in reading.marks if mark.who))
    why = f" ({reading.why})" if reading.why else ""
    targets = ", ".join(mark.target for mark in reading.marks) or reading.lever
    return Change(reading.lever, targets, reading.intended, f"{reading.configured}{why}", who)
