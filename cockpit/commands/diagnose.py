"""`cockpit diagnose`: one look at the cluster by every detector of the matrix. Writes nothing."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Iterator
from textwrap import wrap

from cockpit.commands.looking import looking
from cockpit.commands.out import line
from cockpit.errors import Exit, Unreachable
from cockpit.model.finding import Finding
from cockpit.model.json import Json
from cockpit.rules.matrix import Matrix, Row, State
from cockpit.run.frame import Frame

WIDTH = 110
INDENT = 10


def run(options: argparse.Namespace) -> int:
    """0: every detector saw what it needs and found nothing, and there is a way back; 1: otherwise."""
    seen = asyncio.run(_look(options))
    if options.json:
        line(json.dumps(document(seen)))
    else:
        for row in report(seen):
            line(row)
    return Exit.OK if seen.readiness.verdict.passed and not (seen.matrix.findings or seen.matrix.blind) else Exit.ENDED


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
        "findings": [_finding(f) for f in matrix.findings],
        "blind": others[State.BLIND],
        "clear": others[State.CLEAR],
        "absent": others[State.ABSENT],
        "way_back": {"outcome": str(seen.readiness.verdict.outcome), "reason": seen.readiness.verdict.reason},
    }


def _finding(found: Finding) -> dict[str, Json]:
    return {
        "kind": str(found.kind),
        "title": found.title,
        "objects": list(found.objects),
        "count": found.count,
        "since": found.since.isoformat().replace("+00:00", "Z") if found.since else None,
        "message": found.message,
        "cause": found.cause,
        "confirm": found.confirm,
        "fix": found.fix,
        "rollback": found.rollback,
    }


def _stamp(seen: Frame) -> str:
    return seen.snapshot.time.isoformat(timespec="seconds").replace("+00:00", "Z")


def report(seen: Frame) -> Iterator[str]:
    """The findings in full, then the blind detectors, then the rest in a few lines."""
    matrix = seen.matrix
    yield f"{seen.playbook.name} on {seen.identity.context}, {_stamp(seen)}: {summary(matrix)}"
    for found in matrix.findings:
        yield ""
        since = f", since {found.since:%H:%M:%SZ}" if found.since else ""
        yield f"✗ {found.title} ({found.kind}): {_objects(found)}{since}"
        for label, text in (("seen", found.message), ("cause", found.cause)):
            yield from _hang(label, text)
        # A command is never broken: it is there to be pasted.
        yield f"{'  confirm':<{INDENT}} {found.confirm}"
        for label, text in (("fix", found.fix), ("safe now", found.rollback)):
            yield from _hang(label, text)
    yield ""
    yield f"{'✓' if seen.readiness.verdict.passed else '!'} way back: {seen.readiness.verdict.reason}"
    for title, state in (("! cannot be seen", State.BLIND), ("· not found", State.CLEAR), ("· nothing to look at", State.ABSENT)):
        yield from _rest(title, [row for row in matrix.rows if row.state is state])


def summary(matrix: Matrix) -> str:
    """`2 findings, 1 detector blind`; never "all clear" while one is blind."""
    blind = f", {len(matrix.blind)} of {len(matrix.rows)} detectors blind" if matrix.blind else ""
    count = len(matrix.findings)
    return f"{count} finding{'' if count == 1 else 's'}{blind}"


def _objects(found: Finding) -> str:
    more = len(found.objects) - 3
    return ", ".join(found.objects[:3]) + (f" and {more} more" if more > 0 else "")


def _hang(label: str, text: str) -> Iterator[str]:
    for number, row in enumerate(wrap(text, WIDTH - INDENT, break_long_words=False, break_on_hyphens=False)):
        yield f"{f'  {label}' if number == 0 else '':<{INDENT}} {row}"


def _rest(title: str, rows: list[Row]) -> Iterator[str]:
    if rows:
        yield ""
        yield f"{title}:"
        for row in rows:
            yield f"  {row.kind}{f': {row.why}' if row.why else ''}"
