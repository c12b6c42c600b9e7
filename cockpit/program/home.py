"""What home shows: the playbooks that are found, the runs that are under way, and the board of each program."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from cockpit.errors import CockpitError
from cockpit.model.program import UNKNOWN, Board, Position, Program
from cockpit.playbook.loader import available
from cockpit.program.asking import Memory, positions
from cockpit.program.loader import load, own, same, shipped
from cockpit.rules.program import board


@dataclass(frozen=True, slots=True)
class Entry:
    """A playbook that was found: what it is called by, its file, and how it stands."""

    name: str
    file: str
    position: Position = UNKNOWN


@dataclass(frozen=True, slots=True)
class Home:
    """Everything of home. `entries` are all playbooks, `boards` the programs with theirs, `faults` what is wrong with a program.

    `asked` is false as long as no cluster was asked.
    """

    entries: tuple[Entry, ...] = ()
    boards: tuple[Board, ...] = ()
    faults: tuple[str, ...] = ()
    asked: bool = False

    @property
    def others(self) -> tuple[Entry, ...]:
        """The playbooks that are on no board."""
        listed = [row.playbook for one in self.boards for row in one.rows if row.playbook]
        return tuple(one for one in self.entries if not any(same(one.file, file) for file in listed))


def found(today: date) -> Home:
    """What there is on this machine, with nobody asked yet. One's own programs take the place of the bundled one."""
    entries = tuple(Entry(path.stem, str(path)) for path in available())
    programs: list[Program] = []
    faults: list[str] = []
    for path in own() or shipped():
        try:
            programs.append(load(path))
        except CockpitError as error:
            faults += str(error).splitlines()
    return Home(entries, tuple(board(one, {}, today) for one in programs), tuple(faults))


async def asked(home: Home, memory: Memory, today: date) -> Home:
    """The same, with how every playbook stands."""
    listed = [row.playbook for one in home.boards for row in one.rows if row.playbook]
    at = await positions([*listed, *(one.file for one in home.others)], memory)
    entries = tuple(replace(one, position=_of(one.file, at)) for one in home.entries)
    return Home(entries, tuple(board(one.program, at, today) for one in home.boards), home.faults, asked=True)


def _of(file: str, at: dict[str, Position]) -> Position:
    return next((position for other, position in at.items() if same(file, other)), UNKNOWN)
