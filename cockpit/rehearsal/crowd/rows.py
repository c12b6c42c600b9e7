"""What is kept of each object of a crowd: three numbers in arrays. Slots are numbered in the order of names within a group."""

from __future__ import annotations

from array import array
from enum import IntEnum
from typing import NamedTuple

_PHASE_BITS, _GENERATION_BITS = 2, 18


class Phase(IntEnum):
    """Where an object stands. ABSENT: deleted, and not replaced yet."""

    READY = 0
    UNREADY = 1
    ABSENT = 2


class Row(NamedTuple):
    """One object: its slot, resource version, when it changed last (seconds of the epoch) and its packed state."""

    slot: int
    number: int
    when: int
    state: int

    @property
    def phase(self) -> Phase:
        """Where it stands."""
        return Phase(self.state & 3)

    @property
    def absent(self) -> bool:
        """It is not there."""
        return self.state & 3 == Phase.ABSENT

    @property
    def generation(self) -> int:
        """How many objects were in this slot before it."""
        return self.state >> _PHASE_BITS & (1 << _GENERATION_BITS) - 1

    @property
    def born(self) -> int:
        """When it was created, in seconds of the epoch."""
        return self.state >> _PHASE_BITS + _GENERATION_BITS


def packed(born: int, generation: int, phase: Phase) -> int:
    """A state. Generations are counted modulo 2**18."""
    return born << _PHASE_BITS + _GENERATION_BITS | (generation & (1 << _GENERATION_BITS) - 1) << _PHASE_BITS | phase


class Rows:
    """All objects of one resource, as they are now: 20 bytes each."""

    def __init__(self) -> None:
        self.numbers = array("q")
        self.whens = array("I")
        self.states = array("q")

    def __len__(self) -> int:
        return len(self.numbers)

    def append(self, number: int, born: int, when: int) -> None:
        """One more object, ready since it was created; `when` it changed last."""
        self.numbers.append(number)
        self.whens.append(when)
        self.states.append(packed(born, 0, Phase.READY))

    def row(self, slot: int) -> Row:
        """The object in a slot."""
        return Row(slot, self.numbers[slot], self.whens[slot], self.states[slot])

    def put(self, row: Row) -> None:
        """The object in the row's slot is now so."""
        self.numbers[row.slot], self.whens[row.slot], self.states[row.slot] = row.number, row.when, row.state
