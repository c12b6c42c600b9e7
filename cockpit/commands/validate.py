"""`cockpit validate`: every error of every file; with --online also preflight."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from cockpit import settings
from cockpit.assembly import Options, connect_all
from cockpit.commands.flying import playbook_path
from cockpit.commands.out import line, warn
from cockpit.commands.portability import portability
from cockpit.commands.queries import queries
from cockpit.errors import CockpitError, Exit
from cockpit.model.check import Report, Result
from cockpit.model.playbook import Playbook

WIDTH = max(map(len, Result))
"""Of the column with each check's result."""


def run(options: argparse.Namespace) -> int:
    """Check each; the worst exit code of all."""
    return max(_one(name, options) for name in options.playbooks)


def _one(name: str, options: argparse.Namespace) -> Exit:
    from cockpit.playbook.loader import load
    from cockpit.program.loader import is_program

    try:
        path = playbook_path(name)
        if is_program(path):
            return _program(path)
        playbook = load(path)
        line(f"{path}: valid: {playbook.name}, {len(playbook.phases)} phases")
        for text in queries(playbook):
            line(text)
        for text in portability(playbook.portability, settings.clock().now().date()):
            line(text)
        if options.online:
            report = asyncio.run(_online(playbook, Options(context=options.context)))
            for check in report.checks:
                line(f"  {check.result:<{WIDTH}}  {check}")
            return Exit.REFUSED if report.refused else Exit.OK
    except CockpitError as error:
        warn(str(error))
        return error.exit_code
    return Exit.OK


def _program(path: Path) -> Exit:
    """A program, and every playbook that it lists."""
    from cockpit.playbook.loader import load
    from cockpit.program.loader import load as load_program

    program = load_program(path)
    worst = Exit.OK
    for file in (file for tier in program.tiers for file in tier.playbooks):
        try:
            load(Path(file))
        except CockpitError as error:
            warn(str(error))
            worst = max(worst, error.exit_code)
    if worst is Exit.OK:
        line(f"{path}: valid: program {program.name}, {len(program.tiers)} tiers")
    return worst


async def _online(playbook: Playbook, how: Options) -> Report:
    from cockpit.preflight import inspect

    servers = await connect_all(playbook, how)
    try:
        return await inspect(playbook, servers.kube, servers.elb, servers.cloudwatch)
    finally:
        await servers.aclose()
