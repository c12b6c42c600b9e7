"""`cockpit` alone: the playbooks that were found, the runs under way and the board of each program; on a terminal as a screen."""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module

from cockpit import settings
from cockpit.commands.out import line
from cockpit.errors import Exit
from cockpit.model.program import Board
from cockpit.program.home import Entry, Home, asked, found
from cockpit.program.words import COLUMNS, audit, below, columns, controls, state


def run(_: argparse.Namespace) -> int:
    """The screen where there is a terminal for one, else the list and the board as text."""
    if sys.stdin.isatty() and sys.stdout.isatty():
        return _screen()
    return _list()


def _list() -> int:
    there = found(settings.clock().now().date())
    line("Playbooks")
    for one in there.entries:
        line(f"  {one.name:<24} {one.file}")
    for text in _boards(asyncio.run(look(there))):
        line(text)
    line()
    line("cockpit rehearse NAME   fly it on the embedded world")
    line("cockpit run NAME        fly it against the real cluster")
    line("cockpit --help          every command")
    return Exit.OK


async def _found() -> Home:
    return await asyncio.to_thread(found, settings.clock().now().date())


async def look(home: Home | None = None) -> Home:
    """Home with how everything stands now."""
    from cockpit.commands.history import last_colour, last_run
    from cockpit.program.asking import Memory

    return await asked(home or await _found(), Memory(last_run, last_colour), settings.clock().now().date())


def _boards(home: Home) -> Iterator[str]:
    for fault in home.faults:
        yield ""
        yield f"cockpit: {fault}"
    for board in home.boards:
        yield ""
        yield f"Program {board.program.name}  {board.program.source}"
        yield from _board(board)
    if going := [one for one in home.others if one.position.standing.going]:
        yield ""
        yield "Runs under way"
        yield from _table([(one.name, *_standing(one)) for one in going])


def _standing(one: Entry) -> tuple[str, str, str]:
    return state(one.position), audit(one.position), controls(one.position)


def _board(board: Board) -> Iterator[str]:
    head, *rows = _table([COLUMNS, *(columns(row) for row in board.rows)])
    yield head
    for row, text in zip(board.rows, rows, strict=True):
        yield text
        yield from (f"      {more}" for more in below(row))


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _screen() -> int:
    """Show home; what was chosen there takes the place of this process, as if it had been typed."""
    chosen: Sequence[str] = import_module("screens.home").run(_found, look)
    if chosen:
        line(f"$ cockpit {shlex.join(chosen)}")
        # -P: a folder called cockpit where this was started must not be taken for the cockpit.
        os.execv(sys.executable, [sys.executable, "-P", "-m", "cockpit", *chosen])  # noqa: S606 (our own command)
    return Exit.OK
