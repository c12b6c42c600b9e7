"""`cockpit rehearse` on a world that somebody else has started: the same launch and the same screen.

Run as `python -m tests.bench.flying WORLD`, with the JSON of `prepared.handed_on`.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.clock import ScaledClock
from cockpit.commands.flying import Say, show

if TYPE_CHECKING:
    from cockpit.flight import Flight


def main(world: str) -> int:
    """Fly until the operator leaves."""
    said = json.loads(world)
    os.environ.update(said["env"])
    clock = ScaledClock(datetime.fromisoformat(said["clock"]["origin"]), said["clock"]["since"], said["clock"]["speed"])

    async def launched(say: Say) -> Flight:
        from cockpit.assembly import Options, launch

        options = Options(context=said["context"], kubeconfig=Path(said["kubeconfig"]), rehearsal="clean", clock=clock)
        return await launch(Path(said["playbook"]), options, say)

    return show(launched, "rehearsal", "rehearsal")


if __name__ == "__main__":
    # As the console script does, before anything of a screen is imported.
    os.environ.update(TEXTUAL_ANIMATIONS="none", TEXTUAL_FPS="15", TEXTUAL_SMOOTH_SCROLL="0")
    sys.exit(main(*sys.argv[1:]))
