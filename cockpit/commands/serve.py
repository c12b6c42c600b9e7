"""`cockpit serve-rehearsal`: only the embedded world, until stopped."""

from __future__ import annotations

import argparse
import asyncio
import json

from cockpit.commands.flying import playbook_path
from cockpit.commands.out import line
from cockpit.errors import Exit


def run(options: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM."""
    if options.list_scenarios:
        return list_scenarios()
    from cockpit.rehearsal.crowd.size import asked
    from cockpit.rehearsal.serve import serve

    size = asked(options.nodes, options.pods, options.events, options.pod_bytes)
    path = playbook_path(options.playbook)
    asyncio.run(
        serve(
            path,
            scenario=options.scenario,
            seed=options.seed,
            speed=options.speed,
            size=size,
            announce=lambda ready: line(json.dumps(ready)),
        )
    )
    return Exit.OK


def list_scenarios() -> int:
    """Every scenario with what happens and how it must end."""
    from cockpit.rehearsal.scenarios import SCENARIOS

    for scenario in SCENARIOS.values():
        line(f"{scenario.name:<18} {scenario.summary}  ->  {scenario.expected}")
    return Exit.OK
