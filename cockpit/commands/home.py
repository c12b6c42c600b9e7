"""`cockpit` alone: the playbooks that were found, and how to fly them."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from cockpit.commands.out import line
from cockpit.errors import Exit


def run(_: argparse.Namespace) -> int:
    """List the playbooks."""
    from cockpit.playbook.loader import bundled

    places = [Path("playbooks"), *map(Path, filter(None, os.environ.get("COCKPIT_PLAYBOOKS", "").split(os.pathsep)))]
    own = [path for place in places if place.is_dir() for path in sorted(place.glob("*.yaml"))]
    known = {path.resolve() for path in bundled()}
    line("Playbooks")
    for path in [*bundled(), *(p for p in own if p.resolve() not in known)]:
        line(f"  {path.stem:<24} {path}")
    line()
    line("cockpit rehearse NAME   fly it on the embedded world")
    line("cockpit run NAME        fly it against the real cluster")
    line("cockpit --help          every command")
    return Exit.OK
