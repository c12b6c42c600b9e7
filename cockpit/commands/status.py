"""`cockpit status`: one look at the run, from what is observed. Writes nothing."""

from __future__ import annotations

import argparse
import asyncio
import json
from contextlib import suppress

from cockpit.commands.history import last_run
from cockpit.commands.looking import looking
from cockpit.commands.out import line
from cockpit.errors import Exit
from cockpit.model.json import Json
from cockpit.redact import redact_json
from cockpit.run.frame import Frame
from cockpit.run.machine import minutes
from cockpit.run.state import Stage

EVERY = 2.0


def run(options: argparse.Namespace) -> int:
    """Look once, or until stopped."""
    with suppress(KeyboardInterrupt):
        asyncio.run(_look(options))
    return Exit.OK


async def _look(options: argparse.Namespace) -> None:
    async with looking(options, "a status") as flight:
        _say(flight.frame(), options)
        while options.watch:
            await asyncio.sleep(EVERY)
            _say(flight.frame(), options)


def _say(frame: Frame | None, options: argparse.Namespace) -> None:
    if frame is None:
        return
    facts = summary(frame)
    if options.json:
        line(json.dumps(redact_json(facts)))
        return
    for key, value in facts.items():
        rows = value if isinstance(value, list) else [value]
        for index, row in enumerate(rows):
            line(f"{key.replace('_', ' ') if index == 0 else '':<12} {row}")


def summary(frame: Frame) -> dict[str, Json]:
    """The frame in a few facts: strings, and lists of strings."""
    phase = frame.state.current(frame.playbook)
    started = frame.state.stage is not Stage.READY
    gates: list[Json] = [f"{v.outcome} {v.gate}: {v.reason}" for v in frame.gates]
    faulty: list[Json] = [f"{n}: {s.freshness} {s.why}".strip() for n, s in frame.snapshot.sources.items() if not s.live]
    share = frame.traffic
    past = None if started else last_run(frame.playbook.name, frame.identity.context)
    return {
        "playbook": frame.playbook.name,
        "context": frame.identity.context,
        "phase": phase.name if phase else "not started",
        "last_run": [past.words()] if past else [],
        "set": [f"{r.lever}: configured {r.configured} ({r.proof})" for r in frame.readings] if started else [],
        "share": f"configured {_percent(share.configured_share)}, observed {_percent(share.observed)}",
        "soak": f"{minutes(frame.state.soaked, passed=True)} of {minutes(phase.soak)}" if phase else "",
        "held": [frame.state.hold.reason] if frame.state.hold else [],
        "gates": gates,
        "rollback": f"{frame.readiness.verdict.outcome}: {frame.readiness.verdict.reason}",
        "sources": faulty or ["all live"],
    }


def _percent(share: float | None) -> str:
    return "unknown" if share is None else f"{share:.1%}"
