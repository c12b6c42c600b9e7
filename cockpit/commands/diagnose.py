"""`cockpit diagnose`: one look at the cluster by every detector of the matrix. Writes nothing."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import wrap

from cockpit.commands.looking import looking
from cockpit.commands.out import line
from cockpit.errors import Exit, Unreachable
from cockpit.model.finding import Finding
from cockpit.model.json import Json
from cockpit.model.verdict import Outcome
from cockpit.redact import redact_json
from cockpit.rules.matrix import Matrix, Row, State
from cockpit.rules.matrix.commands import within
from cockpit.rules.matrix.home import mending
from cockpit.run.frame import Frame

WIDTH = 110
INDENT = 10


NARROWEST = 60


@dataclass(frozen=True, slots=True)
class Shape:
    """How the report is written: its width in cells, the playbook's name for commands, what was not found `every` one by one."""

    width: int = WIDTH
    playbook: str = "PLAYBOOK"
    every: bool = False


def run(options: argparse.Namespace) -> int:
    """0: every detector saw what it needs and found nothing, and there is a way back; 1: otherwise."""
    seen = asyncio.run(_look(options))
    if options.json:
        line(json.dumps(redact_json(document(seen))))
    else:
        for row in report(seen, _shape(options)):
            line(row)
    return Exit.OK if seen.readiness.verdict.passed and not (seen.matrix.findings or seen.matrix.blind) else Exit.ENDED


def _shape(options: argparse.Namespace) -> Shape:
    """As wide as the terminal, where there is one."""
    cells = shutil.get_terminal_size((WIDTH, 0)).columns if sys.stdout.isatty() else WIDTH
    named = shlex.quote(options.playbook) + (f" --context {shlex.quote(options.context)}" if options.context else "")
    return Shape(max(NARROWEST, min(cells, WIDTH)), named, options.all)


async def _look(options: argparse.Namespace) -> Frame:
    async with looking(options, "a diagnosis", registries=True) as flight:
        frame = flight.frame()
    if frame is None:
        raise Unreachable("nothing could be observed")
    return frame


def document(seen: Frame) -> dict[str, Json]:
    """The stable shape of `--json`: findings (the gravest first), what was not found, what could not be looked for."""
    matrix = seen.matrix
    others: dict[State, list[Json]] = {state: [] for state in State}
    for row in matrix.rows:
        others[row.state].append({"kind": str(row.kind), "title": row.title, "why": row.why})
    return {
        "playbook": seen.playbook.name,
        "context": seen.identity.context,
        "time": _stamp(seen),
        "findings": [_finding(f, seen.identity.context) for f in matrix.findings],
        "blind": others[State.BLIND],
        "clear": others[State.CLEAR],
        "absent": others[State.ABSENT],
        "way_back": {"outcome": str(seen.readiness.verdict.outcome), "reason": seen.readiness.verdict.reason},
    }


def _finding(found: Finding, context: str) -> dict[str, Json]:
    return {
        "kind": str(found.kind),
        "title": found.title,
        "certainty": str(found.certainty),
        "objects": list(found.objects),
        "count": found.count,
        "side": str(found.side) if found.side else None,
        "since": found.since.isoformat().replace("+00:00", "Z") if found.since else None,
        "message": found.message,
        "cause": found.cause,
        "confirm": within(found.confirm, context),
        "fix": found.fix,
        "mend": within(found.mend, context),
        "rollback": found.rollback,
        "first": within(found.first, context),
    }


def _stamp(seen: Frame) -> str:
    return seen.snapshot.time.isoformat(timespec="seconds").replace("+00:00", "Z")


def report(seen: Frame, shape: Shape) -> Iterator[str]:
    """The findings in full, then the blind detectors, then the rest in a few lines."""
    matrix, context = seen.matrix, seen.identity.context
    yield from _wrapped(f"{seen.playbook.name} on {seen.identity.context}, {_stamp(seen)}: {summary(matrix)}", shape.width)
    for found in matrix.findings:
        yield ""
        since = f", since {found.since:%H:%M:%SZ}" if found.since else ""
        yield from _wrapped(f"✗ {found.title} ({found.certainty}): {_objects(found)}{since}", shape.width)
        for label, text in (("seen", found.message), ("cause", found.cause)):
            yield from _hang(label, text, shape.width)
        yield from _paste("run", found.confirm, context)
        yield from _hang("fix", found.fix, shape.width)
        yield from _paste("fix by", found.mend, context)
        safe = _ROLLBACK.sub(lambda _: f"cockpit rollback {shape.playbook}", found.rollback)
        yield from _hang("safe", safe, shape.width)
        yield from _paste("1st by", found.first, context)
    yield ""
    yield from _way_back(seen, shape.width)
    for title, state in (("! cannot be seen", State.BLIND), ("· not found", State.CLEAR), ("· nothing to look at", State.ABSENT)):
        rows = [row for row in matrix.rows if row.state is state]
        if state is State.BLIND or shape.every:
            yield from _rest(title, rows, shape.width)
        elif rows:
            yield from ("", f"{title}: {len(rows)} of {len(matrix.rows)} symptoms (--all lists them)")


def _way_back(seen: Frame, width: int) -> Iterator[str]:
    verdict, context = seen.readiness.verdict, seen.identity.context
    yield from _wrapped(f"{'✓' if verdict.passed else '!'} way back: {verdict.reason}", width)
    if verdict.outcome is Outcome.FAIL:
        way = mending(seen.snapshot, seen.playbook)
        yield from _hang("cause", way.cause, width)
        yield from _paste("run", way.confirm, context)
        yield from _hang("fix", way.fix, width)
        for command in way.mend:
            yield from _paste("fix by", command, context)


def summary(matrix: Matrix) -> str:
    """`2 findings, 1 detector blind`; never "all clear" while one is blind."""
    blind = f", {len(matrix.blind)} of {len(matrix.rows)} detectors blind" if matrix.blind else ""
    count = len(matrix.findings)
    return f"{count} finding{'' if count == 1 else 's'}{blind}"


def _objects(found: Finding) -> str:
    more = len(found.objects) - 3
    return ", ".join(found.objects[:3]) + (f" and {more} more" if more > 0 else "")


_ROLLBACK = re.compile(r"cockpit rollback\b(?: PLAYBOOK)?")


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    return wrap(
        text, width, initial_indent=indent, subsequent_indent=f"{indent}  ", break_long_words=False, break_on_hyphens=False
    )


def _hang(label: str, text: str, width: int) -> Iterator[str]:
    for number, row in enumerate(wrap(text, width - INDENT - 1, break_long_words=False, break_on_hyphens=False)):
        yield f"{f'  {label}' if number == 0 else '':<{INDENT}} {row}"


def _paste(label: str, command: str, context: str) -> Iterator[str]:
    """A command is never broken: it is there to be pasted. No row without one."""
    if command:
        yield f"{f'  {label}':<{INDENT}} {within(command, context)}"


def _rest(title: str, rows: list[Row], width: int) -> Iterator[str]:
    if rows:
        yield ""
        yield f"{title}:"
        for row in rows:
            yield from _wrapped(f"{row.title}{f': {row.why}' if row.why else ''}", width, "  ")
