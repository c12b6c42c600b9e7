"""The second engineer's way into a rehearsal: another user of the same embedded world, in a cockpit of their own."""

from __future__ import annotations

import shlex
import sys

from cockpit.rehearsal.client import Ready

CONTEXT = "rehearsal-second"
"""The kubeconfig context of the world's second user."""


def second_seat(ready: Ready) -> str:
    """A command for another terminal, which opens the second engineer's cockpit. Its script goes when the world does."""
    given = {**ready.env, "KUBECONFIG": str(ready.kubeconfig)}
    rows = [f"export {name}={shlex.quote(value)}" for name, value in given.items()]
    command = shlex.join([sys.executable, "-m", "cockpit", "run", str(ready.playbook), "--context", CONTEXT])
    script = ready.folder / "second"
    script.touch(mode=0o600)
    script.write_text("\n".join([*rows, f'exec {command} "$@"', ""]), "utf-8")
    return f"sh {shlex.quote(str(script))}"
