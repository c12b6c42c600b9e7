"""`cockpit status`: one look at the run, from what is observed. Writes nothing."""

from __future__ import annotations

import argparse
import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING

from cockpit.commands.history import last_run
from cockpit.commands.looking import looking
from cockpit.commands.out import line
from cockpit.commands.shared import controls_facts, run_facts, words
from cockpit.errors import Exit
from cockpit.model.json import Json
from cockpit.redact import redact_json
from cockpit.run.frame import Frame
from cockpit.run.machine import minutes
from cockpit.run.state import Stage

if TYPE_CHECKING:
    from cockpit.flight import Flight
    from cockpit.run.shared.keeper import Keeper

EVERY = 2.0


def run(options: argparse.Namespace) -> int:
    """Look once, or until stopped."""
    with suppress(KeyboardInterrupt):
        asyncio.run(_look(options))
    return Exit.OK


async def _look(options: argparse.Namespace) -> None:
    async with looking(options, "a status", controls=True) as flight:
        _say(flight, options)
        while options.watch:
            await asyncio.sleep(EVERY)
            _say(flight, options)


def _say(flight: Flight, options: argparse.Namespace) -> None:
    frame = flight.frame()
    if frame is None:
        return
    facts = summary(frame, flight.sharing.keeper if flight.sharing else None)
    if options.json:
        line(json.dumps(redact_json(facts)))
        return
    for key, value in facts.items():
        rows = value if isinstance(value, list) else [words(value) if isinstance(value, dict) else value]
        for index, row in enumerate(rows):
            line(f"{key.replace('_', ' ') if index == 0 else '':<12} {row}")


def summary(frame: Frame, keeper: Keeper | None) -> dict[str, Json]:
    """The frame in a few facts: strings, lists of strings, and what the cockpits share (`commands.shared`)."""
    phase = frame.state.current(frame.playbook)
    started = frame.state.stage is not Stage.READY
    gates: list[Json] = [f"{v.outcome} {v.gate}: {v.reason}" for v in frame.gates]
    faulty: list[Json] = [f"{n}: {s.freshness} {s.why}".strip() for n, s in frame.snapshot.sources.items() if not s.live]
    share = frame.traffic
    past = None if started else last_run(frame.playbook.name, frame.identity.context)
    return {
        "playbook": frame.playbook.name,
        "context": frame.identity.context,
        "run": run_facts(keeper),
        "controls": controls_facts(frame.controls),
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
