"""Lockfiles: which locked packages bring native code, and whether it is there for the architecture. Only what can be known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.audit.lockfiles import judging, pypi
from cockpit.audit.lockfiles.entries import Damaged, Python
from cockpit.errors import CockpitError, UsageError
from cockpit.model.arch import Arch
from cockpit.model.audit import Mark, Progress, Row
from cockpit.rules.portability.wheels import Fit, normal

if TYPE_CHECKING:
    from cockpit.audit.lockfiles.index import Index
    from cockpit.audit.lockfiles.reading import Lockfile
    from cockpit.audit.lockfiles.requirements import Unpinned

AT_ONCE = 8
"""Packages that an index is asked for side by side."""
Say = Callable[[Progress], None]


async def survey_lockfiles(
    paths: Sequence[Path],
    index_url: str = "",
    *,
    arch: Arch = Arch.ARM64,
    python: str = "",
    say: Say = lambda _: None,
) -> tuple[Row, ...]:
    """The rows of every package in these files that is more than text, and one a file for all that are not.

    `index_url` is the simple API of a Python package index, empty for none: then what a lockfile does not say is UNKNOWN.
    `python` is the version that runs the service, as `3.12`, empty when it is not known. UsageError with `file:line` for every
    file that cannot be read, or for what is no address.
    """
    from cockpit.audit.lockfiles.index import Index

    files = await _read(paths, arch)
    say(Progress(0, len(files), "lockfiles"))
    if not index_url:
        return _rows(files, arch, {}, python, asked=False)
    async with Index(index_url) as index:
        known = await _known(files, index, arch, python, say)
    return _rows(files, arch, known, python, asked=True)


async def _read(paths: Sequence[Path], arch: Arch) -> list[Lockfile]:
    """Every file, or UsageError with all that is wrong with them."""
    from cockpit.audit.lockfiles.reading import read

    found, wrong = [], []
    for path in dict.fromkeys(paths):
        try:
            found.append(await asyncio.to_thread(read, path, arch))
        except Damaged as error:
            wrong.append(str(error))
    if wrong:
        raise UsageError("\n".join(wrong))
    return found


async def _known(files: Sequence[Lockfile], index: Index, arch: Arch, python: str, say: Say) -> dict[str, pypi.Known]:
    """What the index has of every package of which it can say more than the lockfile."""
    every = (one for file in files for one in file.python)
    names = sorted({normal(one.name) for one in every if pypi.wants_index(one, arch, python)})
    found: dict[str, pypi.Known] = {}
    gate = asyncio.Semaphore(AT_ONCE)

    async def ask(name: str) -> None:
        async with gate:
            say(Progress(len(found), len(names), f"{name} at {index.host}"))
            try:
                found[name] = pypi.Known(await index.files(name))
            except CockpitError as error:
                found[name] = pypi.Known(why=str(error))

    async with asyncio.TaskGroup() as tasks:
        for name in names:
            tasks.create_task(ask(name))
    return found


def _rows(files: Sequence[Lockfile], arch: Arch, known: dict[str, pypi.Known], python: str, *, asked: bool) -> tuple[Row, ...]:
    rows: list[Row] = []
    for file in files:
        rows += file.rows
        rows += _python(file, arch, known, python, asked=asked)
        rows += (_unpinned(one) for one in file.unpinned)
    return judging.merged(rows)


def _python(file: Lockfile, arch: Arch, known: dict[str, pypi.Known], python: str, *, asked: bool) -> list[Row]:
    def of(one: Python) -> pypi.Known | None:
        return known.get(normal(one.name), pypi.Known() if asked else None)

    judged = [pypi.judge(one, arch, of(one), python) for one in file.python]
    rows = [one.row for one in judged if one.row]
    pure = sum(one.fit is Fit.PURE for one in judged)
    return [*rows, pypi.pure_row(file.file, pure, len(judged))] if pure else rows


def _unpinned(one: Unpinned) -> Row:
    return judging.row(pypi.ECOSYSTEM, one.what, "", Mark.UNKNOWN, one.why, one.action, one.place)
