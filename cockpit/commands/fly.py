"""`cockpit run`: fly a playbook against the real cluster."""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.assembly import Options, launch
from cockpit.commands.flying import Say, headless, is_headless, playbook_path, refuse_both, show

if TYPE_CHECKING:
    from cockpit.flight import Flight


def run(options: argparse.Namespace) -> int:
    """Fly."""
    refuse_both(options, "observe", "autopilot")
    refuse_both(options, "observe", "dry_run")
    path = playbook_path(options.playbook)
    alone = is_headless(options)
    how = Options(
        context=options.context,
        observe=options.observe,
        dry_run=options.dry_run,
        autopilot=bool(options.autopilot),
        alone=alone,
    )
    program = Path(options.program) if options.program else None
    if alone:
        return headless(lambda say: _launch(path, how, program, say), options)
    return show(
        lambda say: _launch(path, how, program, say),
        path.stem,
        options.playbook,
        options.context,
        low_bandwidth=options.low_bandwidth,
    )


async def _launch(path: Path, how: Options, named: Path | None, say: Say) -> Flight:
    """Launch, by the waivers that it takes. What only looks or keeps nothing need not wait for its turn in a program."""
    from cockpit.commands.history import last_run
    from cockpit.program.asking import Memory
    from cockpit.program.start import may_start, program_for

    # Beside the screen, which is being painted: the first reading of a file of ours imports what validates it.
    found = await asyncio.to_thread(program_for, path, named)
    if found and not (how.observe or how.dry_run):
        say("asking what it depends on")
        early = await may_start(*found, path, how.clock.now().date(), Memory(last_run), how.context)
        how = replace(how, early=early)
    return await launch(path, how, say)
