"""`cockpit validate`: every error of every file; with --online also preflight."""

from __future__ import annotations

import argparse
import asyncio
import sys

from cockpit.assembly import Options, connect_all
from cockpit.commands.flying import playbook_path
from cockpit.commands.out import line
from cockpit.commands.queries import queries
from cockpit.errors import CockpitError, Exit
from cockpit.model.playbook import Playbook


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
            for found in asyncio.run(_online(playbook, Options(context=options.context))):
                line(f"{path}: {found}")
    except CockpitError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return Exit.OK


async def _online(playbook: Playbook, how: Options) -> tuple[str, ...]:
    from cockpit.preflight import preflight

    servers = await connect_all(playbook, how)
    try:
        return await preflight(playbook, servers.kube, servers.elb, servers.cloudwatch)
    finally:
        await servers.aclose()
