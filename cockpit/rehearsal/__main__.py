"""`python -m cockpit.rehearsal`: the embedded world as a process of its own, for the cockpit and for tests."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from cockpit.errors import CockpitError, Exit


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(prog="python -m cockpit.rehearsal", description=__doc__)
    parser.add_argument("--playbook", type=Path, required=True)
    parser.add_argument("--scenario", default="clean")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--until-eof", action="store_true", help="end when standard input does")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Serve; returns an exit code."""
    options = parse(arguments)
    from cockpit.rehearsal.serve import serve

    world = serve(
        options.playbook,
        scenario=options.scenario,
        seed=options.seed,
        speed=options.speed,
        until_eof=options.until_eof,
        announce=lambda ready: print(json.dumps(ready), flush=True),  # noqa: T201 (the ready line is the interface)
    )
    try:
        asyncio.run(world)
    except CockpitError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    return Exit.OK


if __name__ == "__main__":
    sys.exit(main())
