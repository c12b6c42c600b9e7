"""`cockpit validate`: every error of every file; with --online also preflight."""

from __future__ import annotations

import argparse
import asyncio

from cockpit.assembly import Options, connect_all
from cockpit.commands.flying import playbook_path
from cockpit.commands.out import line, warn
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

    try:
        path = playbook_path(name)
        playbook = load(path)
        line(f"{path}: valid: {playbook.name}, {len(playbook.phases)} phases")
        for text in queries(playbook):
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


async def _online(playbook: Playbook, how: Options) -> Report:
    from cockpit.preflight import inspect

    servers = await connect_all(playbook, how)
    try:
        return await inspect(playbook, servers.kube, servers.elb, servers.cloudwatch)
    finally:
        await servers.aclose()
