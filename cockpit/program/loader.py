"""Finding and loading programs. All errors come at once, each with file, line and column."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.errors import CockpitError, PlaybookInvalid, UsageError
from cockpit.model.program import Done, EarlyStart, Program, Tier
from cockpit.playbook.loader import PROGRAM, VARIABLE, bundled, find
from cockpit.playbook.names import iso_date
from cockpit.text import clean

if TYPE_CHECKING:
    from cockpit.playbook.view import Finding, View
    from cockpit.program import schema

NAMES = (f"{PROGRAM}.yaml", f"{PROGRAM}.yml")
LEVELS = 3
"""Folders above a playbook's own in which its program may stand."""


def loads(text: bytes | str, name: str, folder: Path | None = None) -> Program:
    """The program in `text`; `name` stands for the file in messages. Raises PlaybookInvalid with all faults.

    With `folder` each playbook must be there: a file in it, or a bundled playbook by name.
    """
    from cockpit.playbook.errors import validate_as
    from cockpit.playbook.issue import render
    from cockpit.playbook.lookup import describing
    from cockpit.playbook.text import read
    from cockpit.playbook.view import View
    from cockpit.program import meaning
    from cockpit.program import schema as form

    name = clean(name)
    document = read(text, name)
    root = View(document.root)
    with describing(form.schema()):
        spec, faults = validate_as(form.Program, document)
    issues = list(document.issues)
    found = [*meaning.findings(root), *_missing(root, folder)]
    for more in (faults, [document.issue(f.path, f.what, f.right) for f in found]):
        said = {issue.path for issue in issues}
        issues += [issue for issue in more if issue.path not in said]
    if issues or spec is None:
        raise PlaybookInvalid(render(issues, name))
    return _built(spec, meaning.after(root), name, folder)


def load(path: Path) -> Program:
    """The program in the file `path`, with its playbooks as files. PlaybookInvalid, or UsageError when it cannot be read."""
    from cockpit.playbook.decoding import MAX_BYTES

    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        why = clean(getattr(error, "strerror", None) or str(error), 200)
        raise UsageError(f"{clean(str(path))} cannot be read ({why}); name a program file (kind: Program)") from None
    return loads(data, str(path), path.parent)


def own() -> list[Path]:
    """The programs in one's own folders: here, ./playbooks and those of $COCKPIT_PLAYBOOKS."""
    found, last = [Path(), Path("playbooks")], shipped()
    for one in os.environ.get(VARIABLE, "").split(os.pathsep):
        with suppress(RuntimeError):  # ~nobody
            found += [Path(one).expanduser()] if one else []
    return [one for one in _in(*found) if not any(same(one, other) for other in last)]


def shipped() -> list[Path]:
    """The bundled program, if it is there."""
    return _in(*(path.parent for path in bundled()[:1]))


def listing(playbook: Path) -> Program | None:
    """The program that lists a playbook: beside it, some folders above it, or one's own; the bundled one last. None without any.

    PlaybookInvalid or UsageError for one that cannot be read and stands beside the playbook or names it.
    """
    last = shipped()
    near = [one for one in _in(playbook.parent, *_above(playbook)) if not any(same(one, other) for other in last)]
    for file in _once([*near, *own(), *last]):
        try:
            program = load(file)
        except CockpitError:
            if same(file.parent, playbook.parent) or _names(file, playbook):
                raise
            continue
        if any(same(listed, playbook) for tier in program.tiers for listed in tier.playbooks):
            return program
    return None


def _above(playbook: Path) -> Iterator[Path]:
    """Its folder and some above it, also of the file that it is a link to."""
    with suppress(OSError, RuntimeError):
        for file in (playbook.absolute(), playbook.resolve()):
            yield from tuple(file.parents)[: LEVELS + 1]


def _in(*folders: Path) -> list[Path]:
    """The program of each folder that has one."""
    return _once(here for folder in folders if (here := next((folder / one for one in NAMES if _is_file(folder / one)), None)))


def _once(files: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for file in files:
        if not any(same(file, other) for other in found):
            found.append(file)
    return found


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _names(program: Path, playbook: Path) -> bool:
    """A program with faults, or one that cannot be read, may be the playbook's: it holds its name, or nobody knows."""
    from cockpit.playbook.decoding import MAX_BYTES

    try:
        with program.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
    except OSError:
        return True
    return re.search(rb"(?<![\w.-])" + re.escape(os.fsencode(playbook.stem)) + rb"(?![\w-])", text) is not None


def is_program(path: Path) -> bool:
    """A file of that name is a program, not a playbook."""
    return path.name in NAMES


def place(entry: str, folder: Path) -> Path:
    """The file of a playbook that a program in `folder` lists. UsageError that says what there is."""
    here = folder / entry
    return here if here.is_file() else find(entry)


def same(one: str | Path, other: str | Path) -> bool:
    """Two names of one file."""
    try:
        return Path(one).resolve() == Path(other).resolve()
    except (OSError, RuntimeError):
        return False


def _missing(root: View, folder: Path | None) -> Iterator[Finding]:
    """The playbooks that are not there."""
    for tier in root.get("tiers").items if folder else ():
        for one in tier.get("playbooks").items:
            if folder and one.text and (wrong := _not_there(one.text, folder)):
                what, _, right = wrong.partition("; ")
                yield one.wrong(what, right or "name a playbook file")


def _not_there(entry: str, folder: Path) -> str:
    if entry in NAMES or Path(entry).name in NAMES:
        return "this is a program, not a playbook; list the playbooks themselves"
    try:
        place(entry, folder)
    except CockpitError as error:
        return str(error)
    except (OSError, ValueError):
        return "this cannot be the name of a file; name a playbook file"
    return ""


def _built(spec: schema.Program, after: Mapping[str, tuple[str, ...]], name: str, folder: Path | None) -> Program:
    return Program(
        name=spec.metadata.name,
        tiers=tuple(_tier(one, after.get(one.name, ()), folder) for one in spec.tiers),
        waivers=tuple(
            EarlyStart(one.tier, one.before, clean(one.reason), clean(one.owner), iso_date(one.expires)) for one in spec.waivers
        ),
        description=clean(spec.metadata.description),
        owner=clean(spec.metadata.owner),
        source=name,
    )


def _tier(one: schema.Tier, after: tuple[str, ...], folder: Path | None) -> Tier:
    files = tuple(str(place(entry, folder)) if folder else entry for entry in one.playbooks)
    done = Done(clean(one.done.by), iso_date(one.done.on)) if one.done else None
    return Tier(one.name, clean(one.description), files, after, done)
