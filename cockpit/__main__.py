"""The console script: sets the terminal's environment before anything of a screen is imported, then runs the command."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run `cockpit` with the process's arguments and exit with its code."""
    # Textual reads these once, at import: no animation and few frames keep a thin SSH line quiet.
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    os.environ.setdefault("TEXTUAL_FPS", "15")
    os.environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    from cockpit.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
